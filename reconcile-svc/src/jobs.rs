//! What the clock starts. Each job is a loop that ends soon after the stop; none of them decides anything that another
//! replica's job could decide differently.

mod cut_off;
mod gauges;
mod look_again;
mod prune;
mod repair;
mod resume;
mod schedule;
mod waivers;

pub use cut_off::cut_off;
pub use gauges::show_gauges;
pub use look_again::look_again_after_repairs;
pub use prune::forget_what_is_old;
pub use repair::ask_for_repairs;
pub use resume::take_up_interrupted;
pub use schedule::reconcile_each_morning;
pub use waivers::end_waivers_of_the_day;

//! What the clock starts. Each job is a loop that ends soon after the stop; none of them decides anything that another
//! replica's job could decide differently.

mod ask;
mod gauges;
mod prune;
mod resume;
mod schedule;

pub use ask::ask_about_open_payments;
pub use gauges::show_gauges;
pub use prune::forget_old_facts;
pub use resume::take_up_interrupted;
pub use schedule::reconcile_each_morning;

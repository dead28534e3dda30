//! Legs O and E. Every write fills what its event knows and never empties or changes what is there, so events may come
//! twice and in any order.

pub mod day;
mod orders;
mod payments;
mod provider;
mod refunds;

pub use orders::note_order;
pub use payments::{first_day, note_issued, note_taken};
pub use provider::{note_provider_payment, note_provider_refund};
pub use refunds::note_refund;

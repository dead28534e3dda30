//! Our side: what order-svc accepted (leg O) and what the provider told (leg E), read from the facts on the bus.
//!
//! Pure. An event becomes a typed note at the first line that sees it, or a reason why it never can.

mod order_leg;
mod provider_leg;
mod refund_leg;

pub use order_leg::{IssuedPayment, OrderNote, TakenAs, TakenPayment};
pub use provider_leg::{ProviderPayment, ProviderRefund};
pub use refund_leg::{Failure, RefundNote, RefundStep};

use money::Fen;
use uuid::Uuid;

/// Longest text that a fact may bring into our tables; numbers and names of both sides are far shorter.
const MAX_TEXT_BYTES: usize = 256;

/// Why a fact can never be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// A field that every fact of this kind has is empty, too long or not of its form.
    #[error("field {0} is missing or malformed")]
    Field(&'static str),
}

/// A text that must be there.
fn text(field: &'static str, value: String) -> Result<String, BookError> {
    // Postgres stores no NUL; such a fact would be tried for ever.
    let fit = !value.is_empty() && value.len() <= MAX_TEXT_BYTES && !value.contains('\0');
    if fit { Ok(value) } else { Err(BookError::Field(field)) }
}

/// A text that may be empty.
fn optional_text(field: &'static str, value: String) -> Result<String, BookError> {
    if value.is_empty() { Ok(value) } else { text(field, value) }
}

/// A text that is only there when somebody knew it.
fn told(field: &'static str, value: String) -> Result<Option<String>, BookError> {
    if value.is_empty() { Ok(None) } else { text(field, value).map(Some) }
}

/// The UUID at the end of a resource name such as `orders/{uuid}`.
pub(crate) fn id(field: &'static str, name: &str) -> Result<Uuid, BookError> {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.parse().map_err(|_| BookError::Field(field))
}

/// An amount of something that was sold.
fn amount(field: &'static str, fen: i64) -> Result<Fen, BookError> {
    if 0 < fen { Ok(Fen::new(fen)) } else { Err(BookError::Field(field)) }
}

/// An instant that must be there and within the calendar.
fn instant(field: &'static str, at: Option<&pbjson_types::Timestamp>) -> Result<jiff::Timestamp, BookError> {
    at.and_then(proto::time::from_wire).ok_or(BookError::Field(field))
}

//! WeChat Pay v2: XML in, signed or sealed, and XML out.

pub(super) mod answer;
pub(super) mod payment;
pub(super) mod refund;

/// Longest number of WeChat's, longest number of ours for a payment, longest app id.
const MAX_BYTES: usize = 32;

/// Whether a text can be an app's id.
fn is_app_id(text: &str) -> bool {
    (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a text of at most `most` bytes can be a number or word of WeChat's or ours: it becomes part of the id, which is a
/// header on the bus.
fn is_printable(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

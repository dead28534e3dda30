//! What a payer shows at a counter.

use std::fmt;

/// A pay code (`auth_code`) or face code (`face_code`): whoever holds it takes the payer's money for a minute. `Debug` hides it,
/// and there is no `Display`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PayCode(String);

impl PayCode {
    /// Takes the text as the scanner or the face device gave it; see [`limits`](super::limits).
    pub fn new(code: impl Into<String>) -> PayCode {
        PayCode(code.into())
    }

    /// The text, for the wire; never for a log or a store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PayCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PayCode(redacted)")
    }
}

//! Numbers seen so far, to find one that comes twice.

use std::collections::HashSet;

/// Numbers of WeChat are digits that fit 128 bits; anything else is kept as text.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    digits: HashSet<u128>,
    texts: HashSet<String>,
}

impl Numbers {
    /// Whether the number is new.
    pub(crate) fn insert(&mut self, number: &str) -> bool {
        // Without a leading zero, so that two texts are never one number.
        let canonical = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
        match number.parse() {
            Ok(digits) if canonical => self.digits.insert(digits),
            _ => self.texts.insert(number.to_owned()),
        }
    }
}

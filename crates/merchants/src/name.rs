use std::{fmt, str::FromStr};

/// Longest name: names appear in NATS subjects, URL paths and file names.
const MAX_LENGTH: usize = 32;

/// Our name for one merchant account: `[a-z0-9-]{1,32}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MerchantName(String);

/// The text is not a merchant name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a merchant name is 1 to {MAX_LENGTH} characters of a-z, 0-9 and '-'")]
pub struct MerchantNameError;

impl MerchantName {
    /// Reads a name; nothing is trimmed or lower-cased, so one merchant has one spelling.
    ///
    /// # Errors
    /// [`MerchantNameError`] when the text is empty, too long, or has another character.
    pub fn parse(text: &str) -> Result<MerchantName, MerchantNameError> {
        let fits = (1..=MAX_LENGTH).contains(&text.len());
        let plain = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if fits && plain { Ok(MerchantName(text.to_owned())) } else { Err(MerchantNameError) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MerchantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MerchantName {
    type Err = MerchantNameError;

    fn from_str(text: &str) -> Result<MerchantName, MerchantNameError> {
        MerchantName::parse(text)
    }
}

impl AsRef<str> for MerchantName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_letters_digits_and_hyphens() {
        for text in ["a", "acme-mini", "0", "-", &"x".repeat(32)] {
            assert_eq!(MerchantName::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_would_break_a_subject_or_a_path_is_refused() {
        for text in ["", "Acme", "a.b", "a*", "a>", "a/b", "..", "a b", " a", "通宝", "a_b", &"x".repeat(33)] {
            assert_eq!(MerchantName::parse(text), Err(MerchantNameError), "{text:?}");
        }
    }
}

use std::fmt;

use secrecy::{ExposeSecret as _, SecretSlice};
use wechat_pay::v2::sign::{ApiKey, KeyError};

/// What stands where a key would.
pub(super) const MASK: &str = "********";

/// The content of a key file, whatever it is, and whose it is. It prints itself as the latter.
#[derive(Clone)]
pub(crate) struct KeyText {
    /// For a sentence: "the key of acme-mini".
    pub(crate) name: String,
    bytes: SecretSlice<u8>,
}

impl KeyText {
    /// Takes the whole file.
    pub(crate) fn new(name: impl Into<String>, file: Vec<u8>) -> KeyText {
        KeyText { name: name.into(), bytes: file.into() }
    }

    /// The whole file.
    pub(super) fn file(&self) -> &[u8] {
        self.bytes.expose_secret()
    }

    /// The key as our services read it: without the line end of its file.
    pub(super) fn bytes(&self) -> &[u8] {
        let file = self.file();
        let length = file.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
        &file[..length]
    }

    /// The key as a text, for WeChat's own rules about keys. `None` when it is none.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes()).ok()
    }

    /// Whether there is nothing in the file: with an empty key anybody can sign.
    pub(crate) fn is_empty(&self) -> bool {
        self.file().trim_ascii().is_empty()
    }

    /// Why it is no API v2 key, one sentence; `None` when it is one.
    pub(crate) fn complaint(&self) -> Option<String> {
        let judged = self.text().map_or(Err(KeyError::Characters), |text| ApiKey::parse(text).map(|_| ()));
        let error = judged.err()?;
        let fix = "put the 32 characters that the merchant platform took into the key file, and nothing else";
        Some(format!("{} is no API v2 key ({error}): {fix}", self.name))
    }

    /// Whether the text is the key.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text().map(str::trim).is_some_and(|key| !key.is_empty() && key == text.trim())
    }

    /// The text without the key, should it be in there.
    pub(crate) fn mask(&self, text: &str) -> String {
        match self.text().map(str::trim).filter(|key| !key.is_empty()) {
            Some(key) => text.replace(key, MASK),
            None => text.to_owned(),
        }
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyText").field("name", &self.name).finish_non_exhaustive()
    }
}

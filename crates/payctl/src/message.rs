//! A message whose signature is in question: what stands under it, and where it says so itself.
//!
//! Everything is recognised by its shape, because whoever has a wrong signature has a text and a log line, and not the time to
//! say what it is.

mod json;
mod kind;
mod lines;
mod native_1;
mod ours;
mod xml;

pub(crate) use kind::Kind;

use anyhow::bail;

/// A name and its value, as the message has them.
pub(crate) type Field = (String, String);

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    /// What stands under the signature, in the order in which it is written. The signature itself is not among it.
    pub(crate) fields: Vec<Field>,
    /// The signature; `None` when the message has no field for it.
    pub(crate) sign: Option<String>,
    /// What looks odd already while reading, one sentence each.
    pub(crate) notes: Vec<String>,
}

impl Message {
    /// Reads a message of any shape; `kind` overrules what its shape says.
    ///
    /// # Errors
    /// When it has no shape that we know, or is broken; says where.
    pub(crate) fn read(bytes: &[u8], kind: Option<Kind>) -> anyhow::Result<Message> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        let mut message = match text.first() {
            None => bail!("the message is empty: give a file, or - and the message on stdin"),
            Some(b'<') => xml::read(text)?,
            Some(b'{') => json::read(text)?,
            Some(_) if text.starts_with(native_1::SCHEME.as_bytes()) => native_1::read(text)?,
            Some(_) => lines::read(text)?,
        };
        if let Some(kind) = kind {
            message.kind = kind;
        }
        Ok(message)
    }

    /// The value of a field that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, value)| field == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests;

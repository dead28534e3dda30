//! `name=value`, one a line: what a log or a debugger shows.

use anyhow::bail;

use super::{Kind, Message};

/// Most lines; no message of WeChat has more fields.
const MOST_LINES: usize = 2048;

pub(super) fn read(text: &[u8]) -> anyhow::Result<Message> {
    let Ok(text) = std::str::from_utf8(text) else {
        bail!("the message is not UTF-8, the only encoding that WeChat reads and signs: save it as UTF-8")
    };
    let mut message = Message { kind: Kind::Fields, fields: Vec::new(), sign: None, notes: Vec::new() };
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() {
            continue;
        }
        let number = index + 1;
        if MOST_LINES < number {
            bail!("line {number}: a message has at most {MOST_LINES} fields");
        }
        let Some((name, value)) = line.split_once('=') else {
            bail!("line {number} is not name=value, and the message is neither XML nor JSON nor a weixin:// URL")
        };
        if name == Kind::Fields.sign_name() {
            message.sign = Some(value.to_owned());
        } else if message.fields.iter().any(|(known, _)| known == name) {
            bail!("line {number}: {name} is there twice: keep each name once");
        } else {
            message.fields.push((name.to_owned(), value.to_owned()));
        }
    }
    Ok(message)
}

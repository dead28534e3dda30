//! Messages as providers write them: fields one after another, each of plain text or of one CDATA section. Reading such a one
//! takes no more than looking for its brackets.

use super::FieldsSoFar;

/// Reads a message that has nothing but a root, fields of text, and white space between them. `None` is no verdict: what has any
/// other form, or anything wrong with it, is for the reader of everything, and that one alone refuses.
///
/// `text` is characters that XML can carry.
pub(super) fn read(root: &str, text: &str, most: usize) -> Option<FieldsSoFar> {
    let mut fields = FieldsSoFar::new(most, text.len());
    let mut rest = text.strip_prefix('<')?.strip_prefix(root)?.strip_prefix('>')?;
    loop {
        rest = rest.trim_ascii_start().strip_prefix('<')?;
        if let Some(end) = rest.strip_prefix('/') {
            let tail = end.strip_prefix(root)?.strip_prefix('>')?;
            return tail.trim_ascii_start().is_empty().then_some(fields);
        }
        let (name, content) = rest.split_once('>')?;
        fields.begin(name).ok()?;
        let (value, after) = match content.strip_prefix("<![CDATA[") {
            Some(section) => in_section(section)?,
            None => in_the_open(content)?,
        };
        fields.read.add_to_last(value);
        rest = after.strip_prefix("</")?.strip_prefix(name)?.strip_prefix('>')?;
    }
}

/// Splits at the first end of a section, which is left out.
fn in_section(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find(']')?;
        let (value, after) = text.split_at(at);
        match after.strip_prefix("]]>") {
            Some(after) => return Some((value, after)),
            None => from = at + 1,
        }
    }
}

/// Splits before the first bracket. A reference, or a bracket that closes nothing, is not for this reader.
fn in_the_open(text: &str) -> Option<(&str, &str)> {
    let (value, after) = text.split_at(text.find(['<', '>', '&'])?);
    after.starts_with('<').then_some((value, after))
}

//! Where in a row its values begin and end.

mod few;

use std::ops::Range;

use few::FewTexts;

/// Longer rows are left to the ordinary reader, which has its own limit.
const MAX_ROW_BYTES: usize = 60_000;

/// Longest value that is looked for byte by byte: no number, time or amount is longer.
const MAX_SHORT_BYTES: usize = 48;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// What whoever cuts the row reads to the last byte, and takes nothing that holds the end of a value.
    Exact,
    /// Any text.
    Text,
    /// Any text, and nearly always one of a few short ones.
    FewTexts,
}

/// Where the values of the row at hand are.
pub(super) struct Cells {
    ranges: Vec<Range<usize>>,
    /// How long the last value of each column was: often the next one is as long.
    lengths: Vec<usize>,
    few: Vec<FewTexts>,
}

/// The values of one row.
pub(super) struct Values<'r> {
    bytes: &'r [u8],
    ranges: &'r [Range<usize>],
}

impl Cells {
    /// Of rows of so many values.
    pub(super) fn new(width: usize) -> Cells {
        Cells { ranges: vec![0..0; width], lengths: vec![0; width], few: vec![FewTexts::default(); width] }
    }

    /// The values of the row that was cut last, which begins like `bytes`.
    pub(super) fn values<'r>(&'r self, bytes: &'r [u8]) -> Values<'r> {
        Values { bytes, ranges: &self.ranges }
    }

    /// Nothing is known of the row before.
    pub(super) fn forget(&mut self) {
        self.lengths.fill(MAX_ROW_BYTES);
    }

    /// Finds the values of the row with which `bytes` begin. How long the row is with its end. `None` for a row that is not as
    /// wide as its header, and for one of which that is not seen at once.
    ///
    /// A value ends before a comma and a backtick. Of texts the first such pair is looked for; of the others a pair is taken that
    /// stands where it did in the row before.
    pub(super) fn cut(&mut self, bytes: &[u8], contents: &[Content]) -> Option<usize> {
        let mut at = bytes.first().filter(|byte| **byte == b'`').map(|_| 1)?;
        let (last, others) = self.ranges.split_last_mut()?;
        let columns = others.iter_mut().zip(&mut self.lengths).zip(&mut self.few).zip(contents);
        for (((range, length), few), content) in columns {
            let end = match content {
                Content::Text => text_end(bytes, at)?,
                Content::FewTexts => few.end(bytes, at)?,
                Content::Exact => {
                    if !ends_at(bytes, at + *length) {
                        let near = bytes.get(at..)?;
                        *length = near.iter().take(MAX_SHORT_BYTES).position(|byte| *byte == b',')?;
                    }
                    at + *length
                }
            };
            if !ends_at(bytes, end) {
                return None;
            }
            *range = at..end;
            at = end + 2;
        }
        let rest = bytes.get(at..)?;
        let line = &rest[..memchr::memchr(b'\n', rest)?];
        let value = line.strip_suffix(b"\r").unwrap_or(line);
        let length = at + line.len() + 1;
        if MAX_ROW_BYTES < length || value.contains(&b'`') {
            return None;
        }
        *last = at..at + value.len();
        Some(length)
    }
}

impl<'r> Values<'r> {
    pub(super) fn get(&self, place: usize) -> &'r [u8] {
        &self.bytes[self.ranges[place].clone()]
    }

    /// Whether what may be any text is one. Of a few texts that was asked before, and what is read exactly is one.
    pub(super) fn are_utf8(&self, contents: &[Content]) -> bool {
        let mut texts = self.ranges.iter().zip(contents).filter(|(_, content)| **content == Content::Text);
        texts.all(|(range, _)| is_utf8(&self.bytes[range.clone()]))
    }
}

/// Whether two short values are the same. A call to compare memory would take longer than that.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one == other)
}

fn is_utf8(text: &[u8]) -> bool {
    text.is_ascii() || std::str::from_utf8(text).is_ok()
}

/// Whether a comma and a backtick stand `at` this place.
fn ends_at(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..).and_then(<[u8]>::first_chunk) == Some(b",`")
}

/// Where the text that begins `at` this place ends. `None` when its line ends first.
pub(super) fn text_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut from = at;
    loop {
        from += memchr::memchr2(b',', b'\n', bytes.get(from..)?)?;
        if bytes[from] == b'\n' {
            return None;
        }
        if ends_at(bytes, from) {
            return Some(from);
        }
        from += 1;
    }
}

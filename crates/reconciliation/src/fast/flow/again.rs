//! Rows of some numbers, looked for once more.

use super::row::RowReader;
use crate::fast::cells::text_end;
use crate::fast::numbers::digits;
use crate::fast::{LINE, MAX_LEFT, Sharing, pieces};

/// Where the rows under these numbers, which are sorted, begin. Nothing else of the file is read, which was controlled before.
pub(super) fn rows_under(reader: &RowReader<'_>, numbers: &[u128], sharing: Sharing) -> Option<Vec<usize>> {
    if numbers.is_empty() {
        return Some(Vec::new());
    }
    let pieces = pieces::cut(reader.file, reader.layout.rows.clone(), pieces::ROW, sharing);
    let places = pieces::share(sharing, pieces.len(), Vec::new, |places, piece| {
        let mut at = pieces[piece].start;
        while at < pieces[piece].end {
            let (number, length) = number(reader, &reader.file[at..pieces[piece].end])?;
            if number.is_some_and(|number| numbers.binary_search(&number).is_ok()) {
                places.push(at);
            }
            at += length;
        }
        (places.len() <= MAX_LEFT).then_some(())
    })?;
    Some(places.concat())
}

/// The number of the row with which `bytes` begin, and how long the row is.
fn number(reader: &RowReader<'_>, bytes: &[u8]) -> Option<(Option<u128>, usize)> {
    usual(reader, bytes).or_else(|| {
        let (movement, length) = reader.layout.columns.read_first(LINE, bytes).ok()?;
        Some((digits(movement.number.as_bytes()), length))
    })
}

/// `None` for a row with a line break in it, and for one of which that is not seen at once.
fn usual(reader: &RowReader<'_>, bytes: &[u8]) -> Option<(Option<u128>, usize)> {
    let mut begin = bytes.first().filter(|byte| **byte == b'`').map(|_| 1)?;
    for _ in 0..reader.layout.places.number {
        begin = text_end(bytes, begin)? + 2;
    }
    // In the last column there is no such end.
    let end = text_end(bytes, begin)?;
    let line = end + memchr::memchr(b'\n', &bytes[end..])? + 1;
    let is_whole = bytes.get(line).is_none_or(|next| *next == b'`');
    is_whole.then(|| (digits(&bytes[begin..end]), line))
}

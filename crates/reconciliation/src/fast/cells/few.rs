//! Texts that come again and again in one column: they end where they did before, and are known to be texts.

use super::{ends_at, is_utf8, text_end};

/// Longest text that is kept.
const MAX_BYTES: usize = 32;

/// The last two different texts of one column.
#[derive(Clone, Default)]
pub(super) struct FewTexts {
    known: [Known; 2],
    oldest: usize,
}

/// A short text in four words, and where in them it is. None in a word is nothing to compare.
#[derive(Clone, Copy, Default)]
struct Known {
    text: [u64; 4],
    mask: [u64; 4],
    length: usize,
}

impl FewTexts {
    /// Where the text that begins `at` this place ends. `None` when its line ends first, and when it is no text.
    pub(super) fn end(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        if let Some(near) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let near = words(near);
            // No pair of comma and backtick is inside a known text, so one that follows it is the first.
            let is_here = |known: &&Known| known.begins(&near) && ends_at(bytes, at + known.length);
            if let Some(known) = self.known.iter().find(is_here) {
                return Some(at + known.length);
            }
        }
        let end = text_end(bytes, at)?;
        let text = &bytes[at..end];
        if !is_utf8(text) {
            return None;
        }
        if text.len() <= MAX_BYTES {
            self.known[self.oldest] = Known::of(text);
            self.oldest = 1 - self.oldest;
        }
        Some(end)
    }
}

impl Known {
    /// Of at most [`MAX_BYTES`].
    fn of(text: &[u8]) -> Known {
        let (mut bytes, mut mask) = ([0; MAX_BYTES], [0; MAX_BYTES]);
        bytes[..text.len()].copy_from_slice(text);
        mask[..text.len()].fill(0xff);
        Known { text: words(&bytes), mask: words(&mask), length: text.len() }
    }

    fn begins(&self, near: &[u64; 4]) -> bool {
        let differ = |at: usize| (self.text[at] ^ near[at]) & self.mask[at];
        differ(0) | differ(1) | differ(2) | differ(3) == 0
    }
}

fn words(bytes: &[u8; MAX_BYTES]) -> [u64; 4] {
    let (eights, _) = bytes.as_chunks::<8>();
    let word = |at: usize| u64::from_le_bytes(eights[at]);
    [word(0), word(1), word(2), word(3)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_ends_where_it_does_whatever_was_known_before(
            values in prop::collection::vec(prop_oneof!["[ab,`茶]{0,3}", ".{0,40}", "交易", "扣除交易手续费"], 1..20),
            behind in "[`a,]{0,40}",
        ) {
            let mut few = FewTexts::default();
            for value in values {
                let bytes = format!("`{value},`{behind}\n").into_bytes();
                prop_assert_eq!(few.end(&bytes, 1), text_end(&bytes, 1), "{}", value);
            }
        }
    }

    #[test]
    fn what_is_no_text_has_no_end() {
        let mut few = FewTexts::default();
        for _ in 0..2 {
            assert_eq!(few.end(b"\xff,`b,`c,`d,`e,`f,`g,`h,`i,`j,`k,`l\n", 0), None);
            assert_eq!(few.end(b"\xc3\xa9,`b,`c,`d,`e,`f,`g,`h,`i,`j,`k,`l\n", 0), Some(2));
        }
    }
}

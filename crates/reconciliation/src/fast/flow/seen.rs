//! Numbers of movements (资金流水单号), to find one that comes twice.
//!
//! Of each number 64 bits are kept. Two that are the same in them need not be the same number; then the ordinary reader, which
//! keeps whole numbers, decides. Among twenty million different numbers that happens once in a hundred thousand files.

use crate::fast::{Sharing, pieces};

/// Bytes of a file for which there is one bin: some 20 000 rows, whose numbers fit into a core's own cache.
const BYTES: usize = 4 * 1024 * 1024;

/// Most bins.
const MOST: usize = 4096;

/// Numbers of one block.
const BLOCK: usize = 512;

/// What a thread saw, in bins by the upper bits, and in each bin in blocks of which only the last one is not full.
pub(super) struct Seen(Vec<Vec<Vec<u64>>>);

impl Seen {
    /// For rows of so many bytes.
    pub(super) fn of_rows_in(bytes: usize) -> Seen {
        Seen((0..(bytes / BYTES).clamp(1, MOST)).map(|_| Vec::new()).collect())
    }

    pub(super) fn push(&mut self, number: u64) {
        let bins = self.0.len() as u64;
        let bin = usize::try_from(((number >> 32) * bins) >> 32).expect("it is less than the number of bins");
        let bin = &mut self.0[bin];
        match bin.last_mut() {
            Some(block) if block.len() < BLOCK => block.push(number),
            _ => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(number);
                bin.push(block);
            }
        }
    }
}

/// 64 bits of a text, spread: numbers of one file differ in a few digits only.
pub(super) fn mixed(text: &[u8]) -> u64 {
    let (eights, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(eights.iter().fold(text.len() as u64, |mixed, eight| mix(mixed, *eight)), last)
}

/// Every bit of the result hangs on every bit of both: the product's upper half, which lower bits reach, is folded into its lower one.
fn mix(mixed: u64, eight: [u8; 8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let product = u128::from(mixed ^ u64::from_le_bytes(eight) ^ ODD.rotate_left(32)) * u128::from(ODD);
    #[expect(clippy::cast_possible_truncation, reason = "halves of a number")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

/// `None` when two may be the same, whichever threads saw them.
pub(super) fn all_differ(threads: &[Seen], sharing: Sharing) -> Option<()> {
    let bins = threads.first().map_or(0, |seen| seen.0.len());
    let differ = |slots: &mut Vec<u64>, bin: usize| {
        let blocks = || threads.iter().flat_map(|seen| &seen.0[bin]);
        let count: usize = blocks().map(Vec::len).sum();
        slots.clear();
        slots.resize((count * 2 + 1).next_power_of_two(), 0);
        let mask = slots.len() - 1;
        for number in blocks().flatten() {
            // Zero is an empty slot.
            let number = (*number).max(1);
            #[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is wanted")]
            let mut slot = number as usize & mask;
            while slots[slot] != 0 {
                if slots[slot] == number {
                    return None;
                }
                slot = (slot + 1) & mask;
            }
            slots[slot] = number;
        }
        Some(())
    };
    pieces::share(sharing, bins, Vec::new, differ).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARING: Sharing = Sharing { threads: 3, piece_bytes: 1 };

    fn seen(numbers: impl IntoIterator<Item = u128>) -> Seen {
        let mut seen = Seen::of_rows_in(40 * BYTES);
        numbers.into_iter().for_each(|number| seen.push(mixed(number.to_string().as_bytes())));
        seen
    }

    #[test]
    fn a_number_that_comes_twice_is_found_whichever_threads_had_it() {
        let base = 1_000_002_026_112_800_000_000_000_000;
        let all = |threads: [Seen; 3]| all_differ(&threads, SHARING).is_some();
        for again in [base, base + 777, base + 19_999] {
            let threads = || [seen(base..base + 10_000), seen(base + 10_000..base + 20_000), seen([])];
            assert!(all(threads()));
            for thread in 0..3 {
                let mut threads = threads();
                threads[thread].push(mixed(again.to_string().as_bytes()));
                assert!(!all(threads), "{again} in {thread}");
            }
        }
        assert!(all_differ(&[], SHARING).is_some());
    }

    #[test]
    fn a_million_numbers_that_rise_are_not_taken_for_the_same() {
        let base = 1_900_000_109_202_611_280_000_000_000;
        assert!(all_differ(&[seen(base..base + 1_000_000)], SHARING).is_some());
    }

    #[test]
    fn texts_that_differ_in_anything_are_told_apart() {
        let texts =
            ["", "0", "00", "F-1", "F-2", "12345678", "123456780", "1234567\0", "2234567812345678", "1234567812345679"];
        let mut mixed: Vec<u64> = texts.iter().map(|text| super::mixed(text.as_bytes())).collect();
        mixed.sort_unstable();
        mixed.dedup();
        assert_eq!(mixed.len(), texts.len());
    }
}

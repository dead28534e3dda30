//! What entries have had of what must move, as a thread saw it or all of them together.

/// What an entry had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fast) struct Part(u64);

impl Part {
    pub(super) const NONE: Part = Part(0);
    /// Its principal, and it was right.
    pub(super) const PRINCIPAL: Part = Part(1);
    /// Its fee, and it was right.
    pub(super) const FEE: Part = Part(2);
    /// Something else, or a part twice.
    pub(super) const SPOILED: Part = Part(4);

    pub(super) fn and(self, other: Part) -> Part {
        Part(self.0 | other.0)
    }

    pub(super) fn and_if(self, is_there: bool, other: Part) -> Part {
        if is_there { self.and(other) } else { self }
    }

    pub(super) fn has(self, other: Part) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Entries of one word, four bits each.
const PER_WORD: usize = 16;

/// The parts of every entry.
pub(in crate::fast) struct EntryNotes(Vec<u64>);

impl EntryNotes {
    pub(in crate::fast) fn new(entries: usize) -> EntryNotes {
        EntryNotes(vec![0; entries.div_ceil(PER_WORD)])
    }

    pub(super) fn of(&self, entry: usize) -> Part {
        Part(self.0[entry / PER_WORD] >> (entry % PER_WORD * 4) & 0b111)
    }

    /// The entry had this part, or something that is none. Whether it is as it must be so far.
    pub(super) fn add(&mut self, entry: usize, part: Option<Part>) -> bool {
        let had = self.of(entry);
        let is_right = part.is_some_and(|part| (part.0 | Part::SPOILED.0) & had.0 == 0);
        let now = part.filter(|_| is_right).unwrap_or(Part::SPOILED);
        self.0[entry / PER_WORD] |= now.0 << (entry % PER_WORD * 4);
        is_right
    }

    /// Adds what another thread saw. A part that both saw was there twice.
    pub(super) fn merge(&mut self, other: &EntryNotes) {
        const PRINCIPAL: u64 = 0x1111_1111_1111_1111;
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            let both = *word & other;
            *word |= other | ((both | both >> 1) & PRINCIPAL) << 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_comes_twice_spoils_its_entry_alone_whichever_threads_saw_it() {
        let (principal, fee) = (Some(Part::PRINCIPAL), Some(Part::FEE));
        let whole = Part::PRINCIPAL.and(Part::FEE);
        let (mut one, mut other) = (EntryNotes::new(40), EntryNotes::new(40));
        assert!(
            one.add(3, Some(whole)) && one.add(16, principal) && other.add(16, fee) && one.add(5, Some(Part::NONE))
        );
        assert!(one.add(17, fee) && !one.add(17, fee) && !one.add(17, principal));
        assert!(!one.add(18, None) && !one.add(18, principal));
        assert!(one.add(39, principal) && other.add(39, principal) && one.add(38, fee) && other.add(38, Some(whole)));
        one.merge(&other);
        assert_eq!([3, 16, 5].map(|entry| one.of(entry)), [whole, whole, Part::NONE]);
        assert_eq!(one.of(18), Part::SPOILED);
        assert!([17, 38, 39].into_iter().all(|entry| one.of(entry).has(Part::SPOILED)));
        assert_eq!((0..40).filter(|entry| one.of(*entry) != Part::NONE).count(), 6);
    }
}

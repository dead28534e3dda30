//! Entries of a bill in partitions by their keys, and where each one is.
//!
//! A partition is small enough for a core's own cache while its index is made. Entries stay where they were first written, in
//! blocks, so nothing is copied when there are more of them than thought.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Sharing;
use super::pieces;

/// How many partitions. Two of a day of ten million rows fit the cache of one core.
const PARTITIONS: usize = 256;

/// Entries of one block.
const BLOCK: usize = 256;

/// Most entries that one thread has in one partition: they are numbered with 24 bits. A hundred million rows, which is the most
/// that a bill has, are far fewer.
const MAX_ENTRIES: usize = 1 << 24;

/// Most threads that a number of an entry names.
const MAX_THREADS: usize = 127;

/// What is known of one row.
pub(super) struct Entry {
    /// The provider's number, a whole one.
    pub(super) key: u128,
    /// Ours.
    pub(super) ours: u128,
    /// In fen.
    pub(super) amount: u32,
    /// Of a payment the amount without coupons.
    pub(super) net: u32,
    /// Where in the file its row begins, and [`Marks`] in the lowest byte.
    state: AtomicU64,
}

/// What else is known of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks(u64);

impl Marks {
    pub(super) const NONE: Marks = Marks(0);
    /// It is a refund; otherwise it is a payment.
    pub(super) const REFUND: Marks = Marks(1);
    /// Something of it must be told, or might have to be.
    pub(super) const NOT_PLAIN: Marks = Marks(2);
    /// Our books have it under both numbers.
    pub(super) const BOOKED: Marks = Marks(4);
    /// It agrees, and is counted.
    pub(super) const COUNTED: Marks = Marks(8);

    pub(super) fn and(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }

    pub(super) fn has(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Entry {
    pub(super) fn new(key: u128, ours: u128, [amount, net]: [u32; 2], at: usize, marks: Marks) -> Entry {
        Entry { key, ours, amount, net, state: AtomicU64::new((at as u64) << 8 | marks.0) }
    }

    /// Where in the file its row begins.
    pub(super) fn at(&self) -> usize {
        usize::try_from(self.state.load(Ordering::Relaxed) >> 8).expect("it was a place in a slice")
    }

    pub(super) fn marks(&self) -> Marks {
        Marks(self.state.load(Ordering::Relaxed) & 0xff)
    }

    /// Sets marks; what it had before.
    pub(super) fn mark(&self, marks: Marks) -> Marks {
        Marks(self.state.fetch_or(marks.0, Ordering::Relaxed) & 0xff)
    }
}

/// Entries of one thread, by partition.
pub(super) struct Bins {
    bins: Vec<Vec<Vec<Entry>>>,
}

impl Bins {
    pub(super) fn new() -> Bins {
        Bins { bins: (0..PARTITIONS).map(|_| Vec::new()).collect() }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        let bin = &mut self.bins[Hash::of(entry.marks(), entry.key).partition()];
        match bin.last_mut() {
            Some(block) if block.len() < BLOCK => block.push(entry),
            _ => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(entry);
                bin.push(block);
            }
        }
    }
}

/// All entries, found by kind and key.
pub(super) struct Table {
    threads: Vec<Bins>,
    /// Of each partition.
    indexes: Vec<Index>,
}

/// Slots of one partition: the tag of a hash, and the number of the entry plus one; zero for an empty slot.
struct Index {
    slots: Vec<u64>,
}

/// A number that spreads keys.
#[derive(Clone, Copy)]
pub(super) struct Hash(u64);

/// A slot that may be the right one.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    slot: usize,
    value: u64,
}

impl Table {
    /// Makes the indexes. `None` when two entries are the same.
    pub(super) fn of(threads: Vec<Bins>, sharing: Sharing) -> Option<Table> {
        let too_many = |bins: &Bins| bins.bins.iter().any(|bin| MAX_ENTRIES <= bin.len() * BLOCK);
        if MAX_THREADS < threads.len() || threads.iter().any(too_many) {
            return None;
        }
        let mut table = Table { threads, indexes: Vec::new() };
        let made = pieces::share(sharing, PARTITIONS, Vec::new, |made, partition| {
            made.push((partition, table.index(partition)?));
            Some(())
        })?;
        let mut indexes = made.into_iter().flatten().collect::<Vec<_>>();
        indexes.sort_unstable_by_key(|(partition, _)| *partition);
        table.indexes = indexes.into_iter().map(|(_, index)| index).collect();
        Some(table)
    }

    /// The first slot that may be the one of this hash. Asked for many keys at once, the memory is asked for all of them before
    /// the first answer is there.
    pub(super) fn candidate(&self, hash: Hash) -> Candidate {
        let slots = &self.indexes[hash.partition()].slots;
        let slot = hash.slot(slots.len());
        Candidate { slot, value: slots[slot] }
    }

    /// The entry of this kind under this key, from its candidate on.
    pub(super) fn find(&self, hash: Hash, candidate: Candidate, kind: Marks, key: u128) -> Option<&Entry> {
        let partition = hash.partition();
        let slots = &self.indexes[partition].slots;
        let Candidate { mut slot, mut value } = candidate;
        while value != 0 {
            if value >> 32 == hash.tag() {
                let entry = self.entry(partition, value);
                if entry.key == key && entry.marks().has(Marks::REFUND) == kind.has(Marks::REFUND) {
                    return Some(entry);
                }
            }
            slot = (slot + 1) & (slots.len() - 1);
            value = slots[slot];
        }
        None
    }

    /// Every entry.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.threads.iter().flat_map(|bins| bins.bins.iter().flatten().flatten())
    }

    fn entry(&self, partition: usize, slot: u64) -> &Entry {
        let number = usize::try_from(slot & 0xffff_ffff).expect("32 bits fit") - 1;
        let (thread, at) = (number / MAX_ENTRIES, number % MAX_ENTRIES);
        &self.threads[thread].bins[partition][at / BLOCK][at % BLOCK]
    }

    fn index(&self, partition: usize) -> Option<Index> {
        let bins = || self.threads.iter().map(|bins| &bins.bins[partition]);
        let count: usize = bins().flatten().map(Vec::len).sum();
        // At most three quarters are taken.
        let mut slots = vec![0_u64; (count + count / 3 + 1).next_power_of_two()];
        for (thread, bin) in bins().enumerate() {
            for (at, entry) in bin.iter().flatten().enumerate() {
                let hash = Hash::of(entry.marks(), entry.key);
                let mut slot = hash.slot(slots.len());
                while slots[slot] != 0 {
                    if slots[slot] >> 32 == hash.tag() {
                        let other = self.entry(partition, slots[slot]);
                        if other.key == entry.key
                            && other.marks().has(Marks::REFUND) == entry.marks().has(Marks::REFUND)
                        {
                            return None;
                        }
                    }
                    slot = (slot + 1) & (slots.len() - 1);
                }
                slots[slot] = hash.tag() << 32 | (thread * MAX_ENTRIES + at + 1) as u64;
            }
        }
        Some(Index { slots })
    }
}

impl Hash {
    pub(super) fn of(kind: Marks, key: u128) -> Hash {
        const ODD: u128 = 0x9e37_79b9_7f4a_7c15;
        #[expect(clippy::cast_possible_truncation, reason = "halves of a number")]
        let (low, high) = (key as u64, (key >> 64) as u64);
        let mixed = u128::from(low ^ high.rotate_left(31) ^ (kind.0 & Marks::REFUND.0)) * ODD;
        #[expect(clippy::cast_possible_truncation, reason = "halves of a number")]
        let folded = mixed as u64 ^ (mixed >> 64) as u64;
        Hash(folded.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    fn partition(self) -> usize {
        usize::try_from(self.0 >> 56).expect("eight bits fit")
    }

    /// Bits that name neither partition nor, mostly, slot.
    fn tag(self) -> u64 {
        self.0 & 0xffff_ffff
    }

    fn slot(self, slots: usize) -> usize {
        usize::try_from(self.0 >> 24 & 0xffff_ffff).expect("32 bits fit") & (slots - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARING: Sharing = Sharing { threads: 2, piece_bytes: 1 };

    fn bins(keys: impl Iterator<Item = u128>, marks: Marks) -> Bins {
        let mut bins = Bins::new();
        keys.for_each(|key| bins.push(Entry::new(key, key + 1, [7, 8], 9, marks)));
        bins
    }

    fn find(table: &Table, kind: Marks, key: u128) -> Option<&Entry> {
        let hash = Hash::of(kind, key);
        table.find(hash, table.candidate(hash), kind, key)
    }

    #[test]
    fn every_entry_is_found_and_nothing_else() {
        let base = 4_200_002_026_202_611_290_000_000_000;
        let payments = bins(base..base + 100_000, Marks::NONE);
        let refunds = bins(base + 50_000..base + 150_000, Marks::REFUND.and(Marks::NOT_PLAIN));
        let table = Table::of(vec![payments, refunds], SHARING).expect("each is there once");
        assert_eq!(table.entries().count(), 200_000);
        for key in base..base + 150_000 {
            let payment = find(&table, Marks::NONE, key);
            assert_eq!(
                payment.map(|entry| (entry.key, entry.ours, entry.at())),
                (key < base + 100_000).then_some((key, key + 1, 9))
            );
            assert_eq!(find(&table, Marks::REFUND, key).is_some(), base + 50_000 <= key);
        }
        assert!(find(&table, Marks::NONE, base | 1 << 127).is_none());
    }

    #[test]
    fn the_same_key_twice_in_one_kind_is_found_whichever_threads_had_it() {
        let of = |left, right| Table::of(vec![left, right], SHARING);
        assert!(of(bins(1..1000, Marks::NONE), bins(999..1001, Marks::NONE)).is_none());
        assert!(of(bins([5, 5].into_iter(), Marks::NONE), Bins::new()).is_none());
        assert!(of(bins([5].into_iter(), Marks::NONE), bins([5].into_iter(), Marks::REFUND)).is_some());
    }

    #[test]
    fn marks_are_added_and_leave_the_place_alone() {
        let entry = Entry::new(1, 2, [3, 4], 0x12_3456_7890, Marks::REFUND);
        assert_eq!(entry.mark(Marks::BOOKED), Marks::REFUND);
        assert_eq!(entry.mark(Marks::COUNTED), Marks::REFUND.and(Marks::BOOKED));
        assert_eq!(entry.at(), 0x12_3456_7890);
        assert!(entry.marks().has(Marks::COUNTED) && !entry.marks().has(Marks::NOT_PLAIN));
    }
}

//! Entries of a bill in partitions by their keys, and where each one is.
//!
//! A partition holds neighbouring keys and is small enough for a core's own cache: while its index is made, and while our own
//! files, which are sorted by these keys, go past it. Files in another order are only slower. Entries stay where they were first
//! written, in blocks, so nothing is copied when there are more of them than thought.

mod entry;

pub(super) use entry::{Amounts, Entry, Marks};

use super::flow::EntryNotes;
use super::pieces;
use super::{Sharing, Splits};

/// Entries of one block. What of its memory is not written to is not really there.
const BLOCK: usize = 512;

/// Most entries that one thread has in one partition: they are numbered with 24 bits. A hundred million rows, which is the most
/// that a bill has, are far fewer.
const MAX_ENTRIES: u32 = 1 << 24;

/// Most threads that a number of an entry names.
const MAX_THREADS: usize = 127;

/// Entries of one thread, by partition.
pub(super) struct Bins(Vec<Bin>);

#[derive(Default)]
struct Bin {
    full: Vec<Vec<Entry>>,
    open: Vec<Entry>,
}

impl Bins {
    pub(super) fn new(splits: &Splits) -> Bins {
        Bins((0..splits.partitions()).map(|_| Bin::default()).collect())
    }

    pub(super) fn push(&mut self, splits: &Splits, entry: Entry) {
        let bin = &mut self.0[splits.partition_of(entry.key())];
        if bin.open.len() == bin.open.capacity() {
            let full = std::mem::replace(&mut bin.open, Vec::with_capacity(BLOCK));
            bin.full.extend(Some(full).filter(|full| !full.is_empty()));
        }
        bin.open.push(entry);
    }
}

/// All entries, found by kind and key.
pub(super) struct Table {
    splits: Splits,
    partitions: Vec<Partition>,
    entries: usize,
}

#[derive(Default)]
struct Partition {
    /// Of each thread, in blocks of which only the last one is not full.
    threads: Vec<Vec<Vec<Entry>>>,
    /// How many entries there are before those of each thread, over all partitions.
    before: Vec<usize>,
    /// The tag of a hash, and the number of the entry plus one; zero for an empty slot.
    slots: Vec<u64>,
}

/// A number that spreads keys.
#[derive(Clone, Copy)]
struct Hash(u64);

/// A slot that may be the right one.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    partition: usize,
    hash: Hash,
    slot: usize,
    value: u64,
}

impl Candidate {
    pub(super) fn partition(&self) -> usize {
        self.partition
    }
}

/// Where in a partition an entry is: whose thread's, and which of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spot {
    thread: u32,
    at: u32,
}

impl Spot {
    /// The spot of the entry that was read next by the same thread.
    pub(super) fn next(self) -> Spot {
        Spot { at: self.at + 1, ..self }
    }
}

/// What was found out about entries, by one thread or by all of them together.
pub(super) struct Notes(Vec<u64>);

impl Table {
    /// Puts the threads' entries together. `None` when two are the same.
    pub(super) fn of(splits: Splits, threads: Vec<Bins>, sharing: Sharing) -> Option<Table> {
        let too_many = |bins: &Bins| bins.0.iter().any(|bin| MAX_ENTRIES as usize <= (bin.full.len() + 1) * BLOCK);
        if MAX_THREADS < threads.len() || threads.iter().any(too_many) {
            return None;
        }
        let mut partitions: Vec<_> = (0..splits.partitions()).map(|_| Partition::default()).collect();
        for bins in threads {
            for (partition, Bin { mut full, open }) in partitions.iter_mut().zip(bins.0) {
                full.extend(Some(open).filter(|open| !open.is_empty()));
                partition.threads.push(full);
            }
        }
        let mut entries = 0;
        for partition in &mut partitions {
            for blocks in &partition.threads {
                partition.before.push(entries);
                entries += blocks.iter().map(Vec::len).sum::<usize>();
            }
        }
        let made = pieces::share(sharing, partitions.len(), Vec::new, |made, at| {
            made.push((at, partitions[at].index()?));
            Some(())
        })?;
        for (at, slots) in made.into_iter().flatten() {
            partitions[at].slots = slots;
        }
        Some(Table { splits, partitions, entries })
    }

    /// In which partition a key is. `guess` is where the key before was.
    pub(super) fn partition_of(&self, key: u128, guess: usize) -> usize {
        if self.splits.has(guess, key) { guess } else { self.splits.partition_of(key) }
    }

    /// The first slot that may be the one of this key. Asked for many keys at once, the memory is asked for all of them before
    /// the first answer is there.
    pub(super) fn candidate(&self, partition: usize, kind: Marks, key: u128) -> Candidate {
        let (hash, slots) = (Hash::of(kind, key), &self.partitions[partition].slots);
        let slot = hash.slot(slots.len());
        Candidate { partition, hash, slot, value: slots[slot] }
    }

    /// The entry of this kind under this key and its number, from its candidate on.
    pub(super) fn find(&self, candidate: Candidate, kind: Marks, key: u128) -> Option<(usize, &Entry)> {
        self.find_spot(candidate, kind, key).map(|(spot, entry)| (self.number(candidate.partition, spot), entry))
    }

    fn find_spot(&self, candidate: Candidate, kind: Marks, key: u128) -> Option<(Spot, &Entry)> {
        let partition = &self.partitions[candidate.partition];
        let Candidate { hash, mut slot, mut value, .. } = candidate;
        while value != 0 {
            if value >> 32 == hash.tag() {
                let (spot, entry) = partition.entry(value);
                if entry.key() == key && entry.marks().is_same_kind(kind) {
                    return Some((spot, entry));
                }
            }
            slot = (slot + 1) & (partition.slots.len() - 1);
            value = partition.slots[slot];
        }
        None
    }

    /// The payment, or else the refund, under this key and its spot, from a payment's candidate on.
    pub(super) fn find_either(&self, candidate: Candidate, key: u128) -> Option<(Spot, &Entry)> {
        self.find_spot(candidate, Marks::NONE, key).or_else(|| {
            let kind = Marks::REFUND;
            self.find_spot(self.candidate(candidate.partition, kind, key), kind, key)
        })
    }

    /// The payment under this key, if it is in this spot.
    pub(super) fn payment_in(&self, partition: usize, spot: Spot, key: u128) -> Option<&Entry> {
        let blocks = self.partitions[partition].threads.get(spot.thread as usize)?;
        let entry = blocks.get(spot.at as usize / BLOCK)?.get(spot.at as usize % BLOCK)?;
        (entry.key() == key && entry.marks().is_same_kind(Marks::NONE)).then_some(entry)
    }

    /// The number of the entry in a spot.
    pub(super) fn number(&self, partition: usize, spot: Spot) -> usize {
        self.partitions[partition].before[spot.thread as usize] + spot.at as usize
    }

    pub(super) fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// Says of the payment and of the refund under this number that something of them must be told.
    pub(super) fn spoil(&mut self, key: u128) {
        let at = self.splits.partition_of(key);
        for kind in [Marks::NONE, Marks::REFUND] {
            let hash = Hash::of(kind, key);
            let mut slot = hash.slot(self.partitions[at].slots.len());
            while self.partitions[at].slots[slot] != 0 {
                let partition = &mut self.partitions[at];
                let Spot { thread, at } = Partition::spot(partition.slots[slot]);
                let entry = &mut partition.threads[thread as usize][at as usize / BLOCK][at as usize % BLOCK];
                if entry.key() == key && entry.marks().is_same_kind(kind) {
                    entry.mark(Marks::NOT_PLAIN);
                }
                slot = (slot + 1) & (partition.slots.len() - 1);
            }
        }
    }

    /// Every entry with its number.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.partitions.iter().flat_map(|partition| partition.threads.iter().flatten().flatten()).enumerate()
    }

    /// What its entries moved, of which nothing is known yet.
    pub(super) fn entry_notes(&self) -> EntryNotes {
        EntryNotes::new(self.entries)
    }

    /// Notes about its entries, of which nothing is known yet.
    pub(super) fn notes(&self) -> Notes {
        Notes(vec![0; self.entries.div_ceil(32)])
    }
}

impl Partition {
    /// Where the entry is that a slot names.
    fn spot(slot: u64) -> Spot {
        let number = u32::try_from(slot & 0xffff_ffff).expect("32 bits fit") - 1;
        Spot { thread: number / MAX_ENTRIES, at: number % MAX_ENTRIES }
    }

    fn entry(&self, slot: u64) -> (Spot, &Entry) {
        let place = Partition::spot(slot);
        let at = place.at as usize;
        (place, &self.threads[place.thread as usize][at / BLOCK][at % BLOCK])
    }

    /// The slots. `None` when two entries are the same.
    fn index(&self) -> Option<Vec<u64>> {
        let count: usize = self.threads.iter().flatten().map(Vec::len).sum();
        // At most three quarters are taken.
        let mut slots = vec![0_u64; (count + count / 3 + 1).next_power_of_two()];
        for (thread, blocks) in self.threads.iter().enumerate() {
            for (at, entry) in blocks.iter().flatten().enumerate() {
                let hash = Hash::of(entry.marks(), entry.key());
                let mut slot = hash.slot(slots.len());
                while slots[slot] != 0 {
                    if slots[slot] >> 32 == hash.tag() {
                        let (_, other) = self.entry(slots[slot]);
                        if other.key() == entry.key() && other.marks().is_same_kind(entry.marks()) {
                            return None;
                        }
                    }
                    slot = (slot + 1) & (slots.len() - 1);
                }
                slots[slot] = hash.tag() << 32 | (thread * MAX_ENTRIES as usize + at + 1) as u64;
            }
        }
        Some(slots)
    }
}

impl Notes {
    /// Our books have the entry; whether it agrees as well. `None` when they have it twice.
    pub(super) fn booked(&mut self, entry: usize, agrees: bool) -> Option<()> {
        let (word, bit) = (&mut self.0[entry / 32], entry % 32 * 2);
        let is_first = *word >> bit & 1 == 0;
        *word |= (1 | u64::from(agrees) << 1) << bit;
        is_first.then_some(())
    }

    /// The entry does not agree after all.
    pub(super) fn disagrees(&mut self, entry: usize) {
        self.0[entry / 32] &= !(2 << (entry % 32 * 2));
    }

    pub(super) fn agrees(&self, entry: usize) -> bool {
        self.0[entry / 32] >> (entry % 32 * 2 + 1) & 1 == 1
    }

    /// Adds what another thread found out. `None` when both had one entry.
    pub(super) fn add(&mut self, other: &Notes) -> Option<()> {
        const BOOKED: u64 = 0x5555_5555_5555_5555;
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            if *word & other & BOOKED != 0 {
                return None;
            }
            *word |= other;
        }
        Some(())
    }
}

impl Hash {
    fn of(kind: Marks, key: u128) -> Hash {
        const ODD: u128 = 0x9e37_79b9_7f4a_7c15;
        #[expect(clippy::cast_possible_truncation, reason = "halves of a number")]
        let (low, high) = (key as u64, (key >> 64) as u64);
        let mixed = u128::from(low ^ high.rotate_left(31) ^ kind.kind_bit()) * ODD;
        #[expect(clippy::cast_possible_truncation, reason = "halves of a number")]
        let folded = mixed as u64 ^ (mixed >> 64) as u64;
        Hash(folded.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    /// Bits that do not name the slot.
    fn tag(self) -> u64 {
        self.0 & 0xffff_ffff
    }

    fn slot(self, slots: usize) -> usize {
        usize::try_from(self.0 >> 32).expect("32 bits fit") & (slots - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARING: Sharing = Sharing { threads: 2, piece_bytes: 1 };

    fn splits() -> Splits {
        Splits::of((1..200).map(|key| key * 1000).chain([4_200_002_026_202_611_290_000_040_000]).collect(), 1 << 31)
    }

    fn bins(keys: impl Iterator<Item = u128>, marks: Marks) -> Bins {
        let mut bins = Bins::new(&splits());
        keys.for_each(|key| bins.push(&splits(), Entry::new(key, key + 1, Amounts::default(), 0x12_3456_7890, marks)));
        bins
    }

    fn table(threads: Vec<Bins>) -> Option<Table> {
        Table::of(splits(), threads, SHARING)
    }

    fn find(table: &Table, kind: Marks, key: u128) -> Option<(usize, &Entry)> {
        table.find(table.candidate(table.partition_of(key, 3), kind, key), kind, key)
    }

    #[test]
    fn every_entry_is_found_and_nothing_else() {
        let base = 4_200_002_026_202_611_290_000_000_000;
        let payments = bins(base..base + 100_000, Marks::NONE);
        let refunds = bins(base + 50_000..base + 150_000, Marks::REFUND.and(Marks::NOT_PLAIN));
        let table = table(vec![payments, refunds]).expect("each is there once");
        assert_eq!(table.entries().count(), 200_000);
        let numbers: Vec<u128> = table.entries().map(|(_, entry)| entry.key()).collect();
        for key in base..base + 150_000 {
            let payment = find(&table, Marks::NONE, key);
            let found = payment.map(|(_, entry)| (entry.key(), entry.ours(), entry.at()));
            assert_eq!(found, (key < base + 100_000).then_some((key, key + 1, 0x12_3456_7890)));
            assert!(payment.is_none_or(|(number, entry)| numbers[number] == key && entry.marks() == Marks::NONE));
            assert_eq!(find(&table, Marks::REFUND, key).is_some(), base + 50_000 <= key);
        }
        assert!(find(&table, Marks::NONE, base | 1 << 127).is_none());
    }

    #[test]
    fn the_same_key_twice_in_one_kind_is_found_whichever_threads_had_it() {
        let of = |left, right| table(vec![left, right]);
        assert!(of(bins(1..1000, Marks::NONE), bins(999..1001, Marks::NONE)).is_none());
        assert!(of(bins([5, 5].into_iter(), Marks::NONE), bins(0..0, Marks::NONE)).is_none());
        assert!(of(bins([5].into_iter(), Marks::NONE), bins([5].into_iter(), Marks::REFUND)).is_some());
    }

    #[test]
    fn only_what_is_under_a_number_is_spoiled() {
        let mut table = table(vec![bins(1..9, Marks::NONE), bins(3..9, Marks::REFUND)]).expect("once each");
        for key in [2, 5, 9] {
            table.spoil(key);
        }
        let spoiled = table.entries().filter(|(_, entry)| entry.marks().has(Marks::NOT_PLAIN));
        let mut spoiled: Vec<_> = spoiled.map(|(_, entry)| (entry.key(), entry.marks().has(Marks::REFUND))).collect();
        spoiled.sort_unstable();
        assert_eq!(spoiled, [(2, false), (5, false), (5, true)]);
    }

    #[test]
    fn an_entry_is_noted_once_whichever_threads_note_it() {
        let table = table(vec![bins(1..100, Marks::NONE)]).expect("once each");
        let (mut one, mut other) = (table.notes(), table.notes());
        assert_eq!(
            (one.booked(3, true), one.booked(40, false), other.booked(41, true)),
            (Some(()), Some(()), Some(()))
        );
        assert_eq!(one.add(&other), Some(()));
        assert_eq!([3, 40, 41, 42].map(|entry| one.agrees(entry)), [true, false, true, false]);
        assert_eq!((one.booked(3, true), one.booked(40, true)), (None, None));
        assert_eq!(one.add(&other), None);
    }
}

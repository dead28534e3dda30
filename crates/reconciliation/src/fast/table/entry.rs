//! What is kept of one row of a bill.

/// What is known of one row. Numbers are kept in halves: a whole one would have the entry aligned to 16 bytes.
pub(in crate::fast) struct Entry {
    key: [u64; 2],
    ours: [u64; 2],
    pub(in crate::fast) amounts: Amounts,
    /// Where in the file its row begins, and [`Marks`] in the lowest byte.
    state: u64,
}

// Ten million of them are held at once.
const _: () = assert!(size_of::<Entry>() == 56);

/// The amounts of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::fast) struct Amounts {
    /// What was paid or goes back, in fen.
    pub(in crate::fast) amount: u32,
    /// Of a payment the amount without coupons, in fen.
    pub(in crate::fast) net: u32,
    /// What moves, in fen.
    pub(in crate::fast) settled: u32,
    /// In thousandths of a fen, negative when it is given back.
    pub(in crate::fast) fee: i32,
}

/// What else is known of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fast) struct Marks(u64);

impl Marks {
    pub(in crate::fast) const NONE: Marks = Marks(0);
    /// It is a refund; otherwise it is a payment.
    pub(in crate::fast) const REFUND: Marks = Marks(1);
    /// Something of it must be told, or might have to be.
    pub(in crate::fast) const NOT_PLAIN: Marks = Marks(2);

    pub(in crate::fast) fn and(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }

    pub(in crate::fast) fn has(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether it is a refund or a payment, and nothing else.
    pub(in crate::fast) fn kind(self) -> Marks {
        Marks(self.0 & Marks::REFUND.0)
    }

    pub(super) fn kind_bit(self) -> u64 {
        self.0 & Marks::REFUND.0
    }

    pub(super) fn is_same_kind(self, other: Marks) -> bool {
        (self.0 ^ other.0) & Marks::REFUND.0 == 0
    }
}

impl Entry {
    pub(in crate::fast) fn new(key: u128, ours: u128, amounts: Amounts, at: usize, marks: Marks) -> Entry {
        Entry { key: halves(key), ours: halves(ours), amounts, state: (at as u64) << 8 | marks.0 }
    }

    /// The provider's number, a whole one.
    pub(in crate::fast) fn key(&self) -> u128 {
        whole(self.key)
    }

    /// Ours.
    pub(in crate::fast) fn ours(&self) -> u128 {
        whole(self.ours)
    }

    /// Where in the file its row begins.
    pub(in crate::fast) fn at(&self) -> usize {
        usize::try_from(self.state >> 8).expect("it was a place in a slice")
    }

    pub(super) fn mark(&mut self, mark: Marks) {
        self.state |= mark.0;
    }

    pub(in crate::fast) fn marks(&self) -> Marks {
        Marks(self.state & 0xff)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "halves of a number")]
fn halves(number: u128) -> [u64; 2] {
    [number as u64, (number >> 64) as u64]
}

fn whole([low, high]: [u64; 2]) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

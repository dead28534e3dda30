//! One moment of the world: what our database, the provider, the network and our processes hold about one order.
//!
//! Everything is small, so that states can be counted: money is in fen and an order costs [`PRICE`] of them, and of time only two
//! things are known, whether the order's time is over and whether something was sent within the last minute.

use order_svc::domain::{order::Refunded, refund::Cause};

/// What the order costs.
pub(crate) const PRICE: i64 = 2;
/// The most attempts, refunds and busy processes of any configuration.
pub(crate) const ATTEMPTS: usize = 3;
pub(crate) const REFUNDS: usize = 4;
pub(crate) const DESKS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) order: OrderRow,
    /// The team's clock has passed the order's end.
    pub(crate) expired: bool,
    pub(crate) attempts: [Option<Attempt>; ATTEMPTS],
    pub(crate) refunds: [Option<Giving>; REFUNDS],
    /// A refund that somebody has made in the provider's console, and that we do not know of.
    pub(crate) console: Option<Console>,
    /// What our processes are about, and nobody else knows. It is gone when they crash.
    pub(crate) desks: [Option<Desk>; DESKS],
    pub(crate) told: Told,
}

/// The order in our database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OrderRow {
    pub(crate) state: OrderState,
    pub(crate) given_up: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum OrderState {
    Pending,
    Paid(u8, Refunded),
    Closed,
}

/// One attempt: on our side, at the provider, and between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is one bit of the world, whatever the others are")]
pub(crate) struct Attempt {
    /// A pay code or a face.
    pub(crate) is_charge: bool,
    pub(crate) row: AttemptRow,
    pub(crate) there: There,
    /// A request that nobody waits for any more, and that may still arrive. Two of a kind do no more than one.
    pub(crate) late_prepay: bool,
    pub(crate) late_close: bool,
    pub(crate) late_reverse: bool,
    /// Somebody may still tell that it was paid: the provider has once said so.
    pub(crate) was_paid: bool,
    /// A week has passed, after which the provider reverses no more.
    pub(crate) old: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AttemptRow {
    pub(crate) state: AttemptState,
    pub(crate) sends: u8,
    /// The last sending began less than a minute ago.
    pub(crate) fresh: bool,
    pub(crate) refunded: u8,
    pub(crate) refunding: u8,
    /// Its surplus waits for a person.
    pub(crate) held: bool,
    /// It is being taken back. How often that was tried is not kept: a question that is older than the last one knows.
    pub(crate) reversing: Option<Reversal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reversal {
    /// The last one was written less than a minute ago.
    pub(crate) fresh: bool,
    pub(crate) too_late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AttemptState {
    Created,
    Pending,
    Kept,
    Surplus,
    Closed,
    Failed,
}

/// What the provider knows of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum There {
    Unknown,
    Open,
    /// A try of the payer's has failed; they may try again.
    Failing,
    Closed,
    /// Closed, with a payer inside the cashier who can still win the race.
    Racing,
    Paid,
    /// Paid and taken back, or taken back before anybody paid: nobody pays it.
    Reversed,
}

/// One refund: on our side, at the provider, and between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Giving {
    pub(crate) row: RefundRow,
    pub(crate) there: RefundThere,
    pub(crate) late: bool,
}

/// A refund of the provider's console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Console {
    pub(crate) of: u8,
    pub(crate) amount: u8,
    pub(crate) there: RefundThere,
}

/// What a refund waits for and the provider's words decide nothing, so they are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RefundRow {
    pub(crate) of: u8,
    pub(crate) amount: u8,
    pub(crate) cause: Cause,
    pub(crate) state: RefundState,
    pub(crate) sends: u8,
    pub(crate) refused: Option<u8>,
    pub(crate) fresh: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RefundState {
    Created,
    Processing,
    Succeeded,
    Abnormal,
    Closed,
    Rejected,
}

/// What the provider knows of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum RefundThere {
    Unknown,
    Processing,
    Succeeded,
    Bounced,
    Closed,
}

/// What one process of ours is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Desk {
    /// A prepay is on its way.
    Prepay { n: u8 },
    /// It was answered; nothing is recorded yet.
    Prepaid { n: u8, answer: Prepaid },
    /// The provider has said this about an attempt; nothing is recorded yet.
    Asked { n: u8, sends: u8, quiet: bool, closing: bool, said: There, too_late: bool },
    /// A close is on its way.
    Close { n: u8, sends: u8 },
    /// It was answered, which says nothing: the provider must be asked once more.
    Closed { n: u8, sends: u8 },
    /// A reversal is on its way.
    Reverse { n: u8 },
    /// It was answered; nothing is recorded yet.
    Reversal { n: u8, answer: Reverses },
    /// A refund was claimed before it was ever sent.
    Claim { r: u8 },
    /// A refund is on its way.
    Refund { r: u8, sends: u8 },
    /// It was answered; nothing is recorded yet.
    Refunded { r: u8, sends: u8, answer: Refunds },
    /// The provider has said this about a refund that was `sends` times sent then; nothing is recorded yet.
    AskedRefund { r: u8, sends: u8, refused: Option<u8>, quiet: bool, said: RefundThere },
    /// The provider has said this about a refund of its console; nothing is recorded yet.
    AskedConsole { said: RefundThere },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Prepaid {
    Accepted,
    Refused,
    /// Nothing was done: the gateway did not send it, or the provider takes no more calls.
    NotDone,
    AlreadyClosed,
    AlreadyPaid,
    /// A code has paid.
    Paid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reverses {
    /// Yes, which is said of unknown numbers, too.
    Done,
    TooLate,
    /// Nothing was done: a certificate of ours is wrong, or the provider takes no more calls.
    NotDone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Refunds {
    Accepted,
    Refused,
    /// Nothing was done: the account is short of money, or the sending never left.
    NotDone,
}

/// What was told, and how far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Told {
    pub(crate) paid: News,
    pub(crate) closed: News,
    pub(crate) surplus: [News; ATTEMPTS],
    pub(crate) refunded: [News; REFUNDS],
}

/// One event on its way to a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct News {
    pub(crate) place: Place,
    /// How often the consumer has applied it.
    pub(crate) applied: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Nowhere,
    /// In the outbox, in one transaction with what it tells.
    Outbox,
    /// On the stream, and still in the outbox.
    Both,
    Stream,
}

impl News {
    pub(crate) const NONE: Self = Self { place: Place::Nowhere, applied: 0 };

    pub(crate) fn is_told(self) -> bool {
        self.place != Place::Nowhere
    }
}

impl AttemptState {
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::Pending)
    }

    pub(crate) fn has_money(self) -> bool {
        matches!(self, Self::Kept | Self::Surplus)
    }
}

impl World {
    /// A PENDING order that nobody has tried to pay.
    pub(crate) const NEW: Self = Self {
        order: OrderRow { state: OrderState::Pending, given_up: false },
        expired: false,
        attempts: [None; ATTEMPTS],
        refunds: [None; REFUNDS],
        console: None,
        desks: [None; DESKS],
        told: Told {
            paid: News::NONE,
            closed: News::NONE,
            surplus: [News::NONE; ATTEMPTS],
            refunded: [News::NONE; REFUNDS],
        },
    };

    pub(crate) fn attempt(&self, n: u8) -> Attempt {
        self.attempts[usize::from(n)].expect("it was written")
    }

    pub(crate) fn attempt_mut(&mut self, n: u8) -> &mut Attempt {
        self.attempts[usize::from(n)].as_mut().expect("it was written")
    }

    pub(crate) fn refund(&self, r: u8) -> Giving {
        self.refunds[usize::from(r)].expect("it was written")
    }

    pub(crate) fn refund_mut(&mut self, r: u8) -> &mut Giving {
        self.refunds[usize::from(r)].as_mut().expect("it was written")
    }

    /// The attempts that were written, with their numbers.
    pub(crate) fn written(&self) -> impl Iterator<Item = (u8, Attempt)> + use<> {
        (0_u8..).zip(self.attempts).filter_map(|(n, attempt)| Some((n, attempt?)))
    }

    /// The refunds that were written, with their numbers.
    pub(crate) fn given(&self) -> impl Iterator<Item = (u8, Giving)> + use<> {
        (0_u8..).zip(self.refunds).filter_map(|(r, refund)| Some((r, refund?)))
    }

    /// What our processes are about, with their places.
    pub(crate) fn busy(&self) -> impl Iterator<Item = (u8, Desk)> + use<> {
        (0_u8..).zip(self.desks).filter_map(|(at, desk)| Some((at, desk?)))
    }

    /// Puts one more thing onto a desk. The order of desks means nothing, so they are kept sorted.
    pub(crate) fn begin(&mut self, desk: Desk) {
        let free = self.desks.iter_mut().find(|desk| desk.is_none()).expect("a desk is free");
        *free = Some(desk);
        self.desks.sort_unstable();
    }

    /// Takes a desk's work from it.
    pub(crate) fn take(&mut self, at: u8) -> Desk {
        let desk = self.desks[usize::from(at)].take().expect("somebody sits there");
        self.desks.sort_unstable();
        desk
    }
}

//! How much of the world one walk sees, and what is wrong on our side in a control.

use crate::world::{ATTEMPTS, DESKS, REFUNDS, There, World};

/// The bounds of one walk. Nothing else bounds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) name: &'static str,
    pub(crate) start: Start,
    pub(crate) attempts: u8,
    /// Which attempts are charges, a bit each.
    pub(crate) charges: u8,
    /// Sendings of one attempt.
    pub(crate) sends: u8,
    /// Refunds that the team may ask for, and places for all of them.
    pub(crate) wishes: u8,
    pub(crate) refunds: u8,
    /// Sendings of one refund that may go wrong. What is sent after them is answered at once.
    pub(crate) refund_sends: u8,
    /// Refunds that the provider may give up, the first ones.
    pub(crate) given_up: u8,
    /// Whether somebody gives money back in the provider's console, once.
    pub(crate) console: bool,
    /// Processes that are about something at the same time.
    pub(crate) desks: usize,
    /// What the merchant wants done with surplus money.
    pub(crate) hold: bool,
    /// Whether events are followed on their way, or arrive as they are told.
    pub(crate) relay: bool,
    pub(crate) fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Nobody has tried to pay.
    New,
    /// Every attempt is written and accepted, and nobody has paid.
    Accepted,
    /// The first attempt has paid the order.
    Paid,
    /// Every attempt is accepted, and was paid at the provider; nobody has told us.
    AllPaid,
}

/// Something that our side does wrong, so that a walk must fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A refused prepay ends its attempt, whatever was sent before.
    RefusedPrepayEnds,
    /// A refused refund is over, whatever was sent before.
    RefusedRefundEnds,
    /// A refund without an answer is taken for refused.
    SilenceIsRefusal,
    /// A close that was answered with yes ends the attempt: no question follows.
    CloseIsBelieved,
    /// An unknown number ends an attempt at once.
    AttemptNeverArrivedAtOnce,
    /// An unknown number ends a refused refund at once.
    RefundNeverArrivedAtOnce,
    /// The quiet minute is measured to the moment of the answer and not to that of the question.
    JudgedWhenAnswered,
    /// A sending that was written leaves the process more than a minute later.
    PausedSender,
    /// A second payment is kept, too.
    SecondPaymentIsKept,
    /// Refunds that are not decided yet are not counted.
    ReservedIsForgotten,
    /// Money that bounced is free for another refund.
    BouncedIsFree,
    /// What is told is not in the transaction of what it tells.
    ToldAfterCommit,
    /// The relay deletes before it publishes.
    DeletedBeforePublished,
    /// The consumer keeps no record of what it has applied.
    NoRecord,
    /// The end of an attempt and that of its order are one UPDATE.
    TwoVersionsAtOnce,
    /// Nobody reads the bill.
    NoBill,
    /// Nobody decides about surplus money.
    SurplusIsForgotten,
    /// Nobody asks about refunds that were sent.
    NobodyAsksAboutRefunds,
    /// A charge without an answer is sent again.
    ChargeSentAgain,
    /// Another attempt is started beside a charge that is not decided.
    StartedBesideCharge,
    /// A charge that is being taken back counts as paid when somebody says so.
    PaidWhileReversing,
    /// A reversal leaves before its mark is written.
    ReversedBeforeMark,
    /// A reversal that was answered with yes ends the charge: no question follows.
    ReversalIsBelieved,
    /// Once it is too late to reverse, "paid" is believed whenever it was said.
    SaidBeforeTooLate,
    /// Charges are closed like other attempts.
    ChargeIsClosed,
    /// Nobody takes charges back.
    NobodyReverses,
}

impl Config {
    pub(crate) const SMALL: Self = Self {
        name: "",
        start: Start::New,
        attempts: 1,
        charges: 0,
        sends: 2,
        wishes: 0,
        refunds: 0,
        refund_sends: 1,
        given_up: 0,
        console: false,
        desks: 1,
        hold: true,
        relay: false,
        fault: None,
    };

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    pub(crate) fn is_charge(&self, n: u8) -> bool {
        self.charges & (1 << n) != 0
    }

    /// Where the walk begins.
    pub(crate) fn first(&self) -> World {
        assert!(usize::from(self.attempts) <= ATTEMPTS && usize::from(self.refunds) <= REFUNDS && self.desks <= DESKS);
        let mut world = World::NEW;
        let written = match self.start {
            Start::New => 0,
            Start::Accepted | Start::AllPaid => self.attempts,
            Start::Paid => 1,
        };
        for n in 0..written {
            world.write_attempt(self, n).expect("an order can be paid");
            world.desks = World::NEW.desks;
            world.accepted(n).expect("an attempt can be accepted");
            let attempt = world.attempt_mut(n);
            attempt.there = if self.start == Start::AllPaid { There::Paid } else { There::Open };
            attempt.row.fresh = false;
        }
        if self.start == Start::Paid {
            world.attempt_mut(0).there = There::Paid;
            world.settle(self, 0, false).expect("the payment is kept");
        }
        world
    }
}

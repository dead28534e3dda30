use jiff::Timestamp;
use wechat_pay::v2::notice::RETRY_SCHEDULE;

use super::{OrderId, RefundId};
use crate::control::{AnswerClass, Attempt, CallbackState, RefundState};

/// A callback's place in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallbackId(u64);

impl CallbackId {
    pub(super) fn at(index: usize) -> CallbackId {
        CallbackId(u64::try_from(index).expect("an index fits into 64 bits"))
    }

    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).expect("it was made from an index")
    }

    /// The number that the control API shows.
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// What a callback tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// The order's payment.
    Payment,
    /// A state that a refund of the order reached, whatever became of it later.
    Refund { id: RefundId, state: RefundState, reached_at: Timestamp },
}

/// The duty to tell a merchant about a payment or a refund.
#[derive(Debug)]
pub(crate) struct Callback {
    pub(crate) order: OrderId,
    pub(crate) about: About,
    /// When the first attempt was due.
    born_at: Timestamp,
    pub(crate) state: CallbackState,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) attempts: Vec<Attempt>,
    /// Places of the schedule used up; duplicates of one attempt use one.
    rounds: usize,
    /// The next attempt was already put off by a fault, so no fault strikes it again.
    spared: bool,
}

/// How a callback fared when its attempt was due.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// It was attempted: once, or several times at once. Never empty.
    Attempted(Vec<Attempt>),
    /// A fault puts the attempt off.
    PutOff { until: Timestamp },
    /// A fault lets another callback go first, but waits no longer than this.
    Held { until: Timestamp },
}

impl Callback {
    pub(super) fn new(order: OrderId, about: About, due_at: Timestamp) -> Callback {
        let state = CallbackState::Waiting;
        Callback {
            order,
            about,
            born_at: due_at,
            state,
            next_at: Some(due_at),
            attempts: Vec::new(),
            rounds: 0,
            spared: false,
        }
    }

    /// Whether a fault may strike the attempt that begins.
    pub(crate) fn is_spared(&self) -> bool {
        self.spared
    }

    pub(super) fn begin(&mut self) {
        self.state = CallbackState::Sending;
        self.next_at = None;
    }

    /// Records the outcome and tells when the next attempt is due.
    pub(super) fn record(&mut self, delivery: Delivery) -> Option<Timestamp> {
        self.next_at = match delivery {
            Delivery::PutOff { until } | Delivery::Held { until } => {
                self.spared = true;
                self.state = CallbackState::Waiting;
                Some(until)
            }
            Delivery::Attempted(attempts) => {
                self.spared = false;
                // WeChat believes only answers to what it really sent.
                let is_accepted = |attempt: &Attempt| attempt.genuine && attempt.answer == AnswerClass::Accepted;
                let delivered = attempts.iter().any(is_accepted);
                let next = attempts.first().zip(RETRY_SCHEDULE.get(self.rounds)).map(|(first, wait)| first.at + *wait);
                self.rounds += 1;
                self.attempts.extend(attempts);
                let next = next.filter(|_| !delivered);
                self.state = match next {
                    _ if delivered => CallbackState::Delivered,
                    Some(_) => CallbackState::Waiting,
                    None => CallbackState::GivenUp,
                };
                next
            }
        };
        self.next_at
    }

    /// Makes a held attempt due at once; tells when it was and is due.
    pub(super) fn release(&mut self) -> Option<(Timestamp, Timestamp)> {
        let old = self.next_at?;
        self.next_at = Some(self.born_at);
        Some((old, self.born_at))
    }
}

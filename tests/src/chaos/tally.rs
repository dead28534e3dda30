//! What the load did and what it saw, kept for the end: counts, answers, and how far each order was seen to be.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use proto::order::v1::{
    CloseOrderRequest, CreateOrderRequest, CreateRefundRequest, Order, PayOrderRequest, PayOrderResponse, Refund,
    order::State,
};

/// A request that was answered. The answer is the same for ever.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    /// Which team asked.
    pub(super) team: usize,
    pub(super) said: Said,
}

/// Request and answer.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Created(Box<(CreateOrderRequest, Order)>),
    Paying(Box<(PayOrderRequest, PayOrderResponse)>),
    Closed(Box<(CloseOrderRequest, Order)>),
    Refunding(Box<(CreateRefundRequest, Refund)>),
}

/// The furthest that an order was seen to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) version: i64,
    pub(super) state: State,
    pub(super) paid_payment: String,
}

/// Everything that the load remembers.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: Mutex<BTreeMap<&'static str, u64>>,
    answered: Mutex<Vec<Answered>>,
    seen: Mutex<BTreeMap<String, Sight>>,
    /// Refunds that were asked for and never answered, by order.
    open_refunds: Mutex<BTreeMap<String, u64>>,
    wrong: Mutex<BTreeMap<&'static str, Vec<String>>>,
    /// The last words that callers heard who gave up.
    last_words: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    pub(super) fn count(&self, what: &'static str) {
        self.add(what, 1);
    }

    pub(super) fn add(&self, what: &'static str, more: u64) {
        *lock(&self.counts).entry(what).or_default() += more;
    }

    pub(super) fn counted(&self, what: &str) -> u64 {
        lock(&self.counts).get(what).copied().unwrap_or(0)
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.counts).clone()
    }

    /// Somebody gives up, and this is the last that they heard.
    pub(super) fn given_up(&self, last_word: &str) {
        self.count("requests given up");
        *lock(&self.last_words).entry(last_word.to_owned()).or_default() += 1;
    }

    pub(super) fn last_words(&self) -> BTreeMap<String, u64> {
        lock(&self.last_words).clone()
    }

    /// A promise of `rule` that was seen broken.
    pub(super) fn wrong(&self, rule: &'static str, sentence: String) {
        lock(&self.wrong).entry(rule).or_default().push(sentence);
    }

    /// What was seen broken of a rule.
    pub(super) fn wrongs(&self, rule: &str) -> Vec<String> {
        lock(&self.wrong).get(rule).cloned().unwrap_or_default()
    }

    pub(super) fn answered(&self, team: usize, said: Said) {
        lock(&self.answered).push(Answered { team, said });
    }

    pub(super) fn answers(&self) -> Vec<Answered> {
        lock(&self.answered).clone()
    }

    pub(super) fn refund_unanswered(&self, order: &str) {
        *lock(&self.open_refunds).entry(order.to_owned()).or_default() += 1;
    }

    pub(super) fn refunds_unanswered(&self) -> BTreeMap<String, u64> {
        lock(&self.open_refunds).clone()
    }

    /// Remembers how far an order was seen to be, unless somebody saw it further.
    pub(super) fn sees(&self, order: &Order) {
        let sight = Sight { version: order.version, state: order.state(), paid_payment: order.paid_payment.clone() };
        let mut seen = lock(&self.seen);
        match seen.get(&order.name) {
            Some(known) if sight.version < known.version => {}
            Some(known) if known.version == sight.version && *known != sight => {
                drop(seen);
                let sentence = format!("version {} of {} was seen in two states", order.version, order.name);
                self.wrong("answers_and_end", sentence);
            }
            _ => drop(seen.insert(order.name.clone(), sight)),
        }
    }

    pub(super) fn seen(&self) -> BTreeMap<String, Sight> {
        lock(&self.seen).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

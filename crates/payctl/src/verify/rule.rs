//! The rules by name. Counts, alerts and `--json` use their words, so a word never changes its meaning.

use std::fmt;

use serde::{Serialize, Serializer};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Violation {
    /// Which rule is broken.
    pub rule: Rule,
    /// What it is about: an order's, payment's or refund's id, a fact's id, a durable's name.
    pub about: String,
    /// What is wrong, with the numbers that let a person find it.
    pub sentence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.sentence)
    }
}

/// Declares the rules in one table: variant, word, whether it needs the provider's ledger, whether time may heal it, meaning.
macro_rules! rules {
    ($($variant:ident $word:literal $needs:ident $heals:ident $meaning:literal)*) => {
        /// A promise that can be broken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $(#[doc = $meaning] $variant),* }

        impl Rule {
            /// Every rule, in the order of a payment's life.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in counts and in JSON.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// What it demands.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }

            /// What it cannot be judged without.
            const fn needs(self) -> Needs {
                match self { $(Self::$variant => Needs::$needs),* }
            }

            /// Whether it says that something is still on its way, which a quiet system finishes by itself.
            pub const fn is_under_way(self) -> bool {
                match self { $(Self::$variant => matches!(Heals::$heals, Heals::ByItself)),* }
            }
        }
    };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Postgres and the streams.
    Ours,
    /// The provider's ledger, too.
    Ledger,
    /// The books of reconcile-svc, too.
    Books,
    /// The tables of refunds, too.
    Refunds,
    /// The journal of changes, too.
    Journal,
}

enum Heals {
    ByItself,
    Never,
}

rules! {
    PaidWithoutMoney "paid_without_money" Ledger Never
        "a SUCCEEDED payment is at the provider, equal in every field, and not taken back"
    MoneyUnlearned "money_unlearned" Ledger Never
        "money that the provider has and did not take back is a SUCCEEDED payment here, or a dead letter says why not"
    FactBelied "fact_belied" Ledger Never
        "a paid fact on the bus says what the provider says, or a dead letter refuses it"
    ForgeryBelieved "forgery_believed" Ledger Never
        "success is answered to genuine callbacks only"
    SuccessUnpublished "success_unpublished" Ledger Never
        "a callback that was answered with success has its fact on the bus"
    PaidWithoutFact "paid_without_fact" Ours Never
        "a SUCCEEDED payment has its paid fact on the bus, equal in every field"
    FactUnbelieved "fact_unbelieved" Ours Never
        "a paid fact has its SUCCEEDED payment, or is of one that is taken back, or a dead letter says why not"
    KeptPayment "kept_payment" Ours Never
        "an order keeps one payment of its price when it is paid, and none otherwise"
    OpenAttempt "open_attempt" Ours Never
        "no attempt of a CLOSED order can still be paid, and none is without its order"
    OneAnswer "one_answer" Ours Never
        "a request id has one answer, and an attempt has one request id"
    RefundedTooMuch "refunded_too_much" Refunds Never
        "refunds of a payment are never more than the payment, here, and add up to what the payment says"
    RefundWithoutMoney "refund_without_money" Ledger Never
        "a SUCCEEDED refund is at the provider, equal in amount; none there is unknown here, and none exceeds its payment"
    RefundUnlearned "refund_unlearned" Ledger Never
        "what the provider has settled about a refund is known here"
    RefundFact "refund_fact" Refunds Never
        "a SUCCEEDED refund has its fact of the provider on the bus, equal in every field, and every such fact its refund"
    RefundState "refund_state" Refunds Never
        "an order's state says how much of its payment is back"
    Untold "untold" Ours Never
        "what became of an order, a payment or a refund was told on the bus"
    ToldFalsely "told_falsely" Ours Never
        "what was told on the bus is so, with the right content"
    ToldTwice "told_twice" Ours Never
        "one fact is one message within the duplicate window, and has one content"
    Unapplied "unapplied" Ours Never
        "every fact is recorded as applied by every consumer of it, or is its dead letter"
    Transition "transition" Journal Never
        "only legal changes of state happen, and the last one is the state"
    Sequence "sequence" Journal Never
        "the versions of an order have no gap"
    Conservation "conservation" Ledger Never
        "payments minus refunds are the same sum here and at the provider, per merchant"
    BooksDiffer "books_differ" Books Never
        "the books of reconcile-svc hold what order-svc took and what the provider told, no more and no less"
    DeadLetters "dead_letters" Ours Never
        "there are exactly as many dead letters as somebody knows of"
    SurplusUncovered "surplus_uncovered" Refunds ByItself
        "surplus money goes back by a refund, or a person holds it"
    CallbackUnderWay "callback_under_way" Ledger ByItself
        "no callback is due or on its way"
    Outbox "outbox" Ours ByItself
        "no event waits in an outbox"
    Backlog "backlog" Ours ByItself
        "every durable exists and has acked everything"
    RepairUnderWay "repair_under_way" Ours ByItself
        "every repair that reconciliation asked for is answered"
    Unknown "unknown" Ours ByItself
        "no payment and no refund was sent to the provider and never answered, and nothing is still being taken back"
}

impl Rule {
    /// Why a rule cannot be judged with this evidence; `None` when it can.
    pub fn missing(self, evidence: &super::Evidence) -> Option<&'static str> {
        match self.needs() {
            Needs::Ledger if evidence.ledger.is_none() => Some("no provider's ledger is given (--sandbox-url)"),
            Needs::Books if evidence.books.is_none() => Some("no books are given (--reconcile-database-url)"),
            Needs::Refunds if evidence.refunds.is_none() => {
                Some("order-svc's database has no table refunds: its release is older than refunds")
            }
            Needs::Journal if evidence.journal.is_none() => {
                Some("order-svc's database has no table state_changes: its release is older than the journal")
            }
            Needs::Ours | Needs::Ledger | Needs::Books | Needs::Refunds | Needs::Journal => None,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Rule;

    #[test]
    fn no_two_rules_share_a_word() {
        let words: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.word()).collect();
        assert_eq!(words.len(), Rule::ALL.len());
    }
}

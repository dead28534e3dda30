//! What reconciliation asks for about a difference, and what can come of it.

use std::time::Duration;

use jiff::{Timestamp, civil::Date};
use money::Fen;
use uuid::Uuid;

/// Who has heard nothing from the provider for so long gives up; reconciliation may ask again.
pub const TIME: Duration = Duration::from_mins(30);
/// When it is tried again that nothing was heard; the last one repeats.
const AGAIN: [Duration; 4] =
    [Duration::from_secs(10), Duration::from_mins(1), Duration::from_mins(5), Duration::from_mins(10)];

/// One repair that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// Its id; on the wire `repairs/{uuid}`.
    pub id: Uuid,
    /// The difference; on the wire `discrepancies/{uuid}`.
    pub discrepancy: Uuid,
    /// Whose account it is.
    pub merchant: String,
    /// The day of the bill, in Asia/Shanghai.
    pub bill_date: Date,
    /// What kind of difference, "P1" … "F4".
    pub code: String,
    /// What is to be done.
    pub action: Action,
    /// The number of the attempt, of a refund that of its payment; empty when it is not known.
    pub out_trade_no: String,
    /// The provider's number of the payment; empty when it is not known.
    pub transaction_id: String,
    /// The number of the refund; empty when there is none.
    pub out_refund_no: String,
    /// The provider's number of the refund; empty when there is none.
    pub refund_id: String,
    /// As the bill has it; zero when the bill does not.
    pub bill_amount: Fen,
    /// Who asks: a process, or two people.
    pub requested_by: Vec<String>,
    /// How often the provider was asked and nothing was heard.
    pub attempts: i32,
    /// Who has no answer by then gives up.
    pub deadline: Timestamp,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Ask about an attempt and record what the provider says.
    QueryPayment,
    /// The same, and tell the fact once more.
    RepublishPayment,
    /// Give a surplus payment back.
    RefundSurplus,
    /// Ask about a refund and record what the provider says.
    QueryRefund,
    /// Take a refund into the books that was made in the provider's console.
    ImportRefund,
}

/// What came of a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Our books, or the bus, have it now as the provider says.
    Applied,
    /// The provider says what our books say already.
    Confirmed,
    /// The provider does not know the number.
    UnknownToProvider,
    /// What the provider says cannot be applied; a person must look.
    NotApplicable,
    /// There is no such payment of ours.
    NotOurs,
    /// The provider said nothing in time.
    GaveUp,
}

/// What came of a repair, in one sentence for people. It holds no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// In a word.
    pub outcome: Outcome,
    /// In a sentence.
    pub detail: String,
}

impl Answer {
    /// An answer.
    pub fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into() }
    }
}

impl Repair {
    /// How long to wait after a try at which nothing was heard.
    pub fn wait(&self) -> Duration {
        let tried = usize::try_from(self.attempts).unwrap_or(0);
        AGAIN[tried.min(AGAIN.len() - 1)]
    }
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 5] = [
        Action::QueryPayment,
        Action::RepublishPayment,
        Action::RefundSurplus,
        Action::QueryRefund,
        Action::ImportRefund,
    ];

    /// As it stands in the database and in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Action::QueryPayment => "QUERY_PAYMENT",
            Action::RepublishPayment => "REPUBLISH_PAYMENT",
            Action::RefundSurplus => "REFUND_SURPLUS",
            Action::QueryRefund => "QUERY_REFUND",
            Action::ImportRefund => "IMPORT_REFUND",
        }
    }

    /// The action of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }
}

impl Outcome {
    /// As it stands in the database and in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Applied => "APPLIED",
            Outcome::Confirmed => "CONFIRMED",
            Outcome::UnknownToProvider => "UNKNOWN_TO_PROVIDER",
            Outcome::NotApplicable => "NOT_APPLICABLE",
            Outcome::NotOurs => "NOT_OURS",
            Outcome::GaveUp => "GAVE_UP",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AGAIN, Action, TIME};

    #[test]
    fn an_action_is_read_from_its_own_word() {
        for action in Action::ALL {
            assert_eq!(Action::from_word(action.word()), Some(action));
        }
        assert_eq!(Action::from_word("EDIT_THE_BOOKS"), None);
    }

    #[test]
    fn the_whole_schedule_fits_before_giving_up() {
        assert!(AGAIN.iter().sum::<std::time::Duration>() < TIME && AGAIN.is_sorted());
    }
}

//! Money on its way back to a payer, and its states.

use jiff::{SignedDuration, Timestamp};
use money::Fen;

use super::{OrderId, PaymentId, RefundId, carried::RefundGoodsItem};

/// Right after a lost sending "unknown number" means "not yet", for at least this long.
/// Source: WeChat Pay v2 reference, orderquery and refundquery.
pub const NOT_YET: SignedDuration = SignedDuration::from_secs(60);

/// One refund.
#[derive(Clone, Debug, PartialEq)]
pub struct Refund {
    /// Its id; its digits are also its `out_refund_no`, unless somebody else has sent it.
    pub id: RefundId,
    /// Whose order it is.
    pub order_id: OrderId,
    /// What it gives back.
    pub payment_id: PaymentId,
    /// The account that the money leaves.
    pub merchant: String,
    /// "wechat-v2".
    pub provider: String,
    /// The provider's number of the account.
    pub mch_id: String,
    /// The sub-merchant in service-provider mode; empty otherwise.
    pub sub_mch_id: String,
    /// The app that the payment was made under.
    pub app_id: String,
    /// The provider's number of the payment.
    pub transaction_id: String,
    /// What was paid.
    pub total: Fen,
    /// What goes back.
    pub amount: Fen,
    /// Who wants it.
    pub cause: Cause,
    /// The `out_refund_no` of an external one, which the provider's console has made; absent of ours.
    pub external_no: Option<String>,
    /// What the payer reads.
    pub reason: String,
    /// What goes back piece by piece, when the team said so.
    pub goods: Vec<RefundGoodsItem>,
    /// What has become of it.
    pub state: State,
    /// The provider's number of it, once it has accepted.
    pub provider_refund_id: Option<String>,
    /// The provider's word for a refusal or a bounce.
    pub provider_code: Option<String>,
    /// When it was written.
    pub create_time: Timestamp,
    /// How often the provider was asked to do it, counted before each sending.
    pub sends: i32,
    /// Which of these sendings was last refused.
    pub refused_sends: Option<i32>,
    /// When it was last sent.
    pub sent_at: Option<Timestamp>,
    /// How often the provider was asked about it.
    pub asks: i32,
}

/// Who wants a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The team.
    Requested,
    /// We: its order could not keep the money.
    Surplus,
    /// Somebody in the provider's own console. It was never sent by us, and never will be.
    External,
}

/// What a refund that the provider has not accepted waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// An answer: it may be accepted already.
    Answer,
    /// Money in the merchant account.
    Balance,
    /// A person: a key, certificate or account of ours is wrong.
    Configuration,
    /// Its turn: the provider takes no more refunds now.
    Rate,
}

/// What has become of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Written, its amount reserved; the provider was not asked, or has not said yes: unknown.
    Created {
        /// Why it is still here, once it was tried.
        waiting: Option<Waiting>,
    },
    /// The provider accepted it.
    Processing,
    /// The money is back.
    Succeeded {
        /// The provider's time.
        at: Timestamp,
    },
    /// The money bounced. A person acts at the provider; its amount stays reserved.
    Abnormal,
    /// The provider gave it up: no money moved.
    Closed,
    /// The provider refused it: no money moved.
    Rejected,
}

/// What is to be done about a refund when its turn comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the provider to do it.
    Send,
    /// Ask what has become of it.
    Ask,
    /// Nothing: it is final.
    Rest,
}

/// What "no such refund" means to a refund that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing arrived: the same number is sent again.
    SendAgain,
    /// The last sending was refused, and no earlier one arrived: it is over.
    Rejected,
    /// The last sending was refused, but an earlier one may still arrive: ask later.
    TooSoon,
    /// The provider contradicts itself: it has accepted this number before.
    Contradiction,
}

impl Refund {
    /// The number that the provider knows it by.
    pub fn out_refund_no(&self) -> String {
        self.external_no.clone().unwrap_or_else(|| self.id.out_refund_no())
    }

    /// The next step. What was sent is asked about before it is sent again.
    pub fn step(&self) -> Step {
        match &self.state {
            State::Created { .. } if self.sends == 0 && self.cause != Cause::External => Step::Send,
            State::Created { .. } | State::Processing | State::Abnormal => Step::Ask,
            State::Succeeded { .. } | State::Closed | State::Rejected => Step::Rest,
        }
    }

    /// What it means that the provider, asked at `now`, knows no such refund.
    ///
    /// Sending the same number again is always safe, so only a refusal can end it, and only once nothing older is on its way.
    pub fn missing(&self, now: Timestamp) -> Missing {
        if !matches!(self.state, State::Created { .. }) || self.cause == Cause::External {
            return Missing::Contradiction;
        }
        if self.refused_sends != Some(self.sends) {
            return Missing::SendAgain;
        }
        let quiet = self.sent_at.is_none_or(|at| NOT_YET <= now.duration_since(at));
        if quiet { Missing::Rejected } else { Missing::TooSoon }
    }
}

impl State {
    /// As it stands in the database and in texts.
    pub fn word(&self) -> &'static str {
        match self {
            State::Created { .. } => "CREATED",
            State::Processing => "PROCESSING",
            State::Succeeded { .. } => "SUCCEEDED",
            State::Abnormal => "ABNORMAL",
            State::Closed => "CLOSED",
            State::Rejected => "REJECTED",
        }
    }

    /// Whether its amount is reserved: the money may still move.
    pub fn is_open(&self) -> bool {
        match self {
            State::Created { .. } | State::Processing | State::Abnormal => true,
            State::Succeeded { .. } | State::Closed | State::Rejected => false,
        }
    }
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 3] = [Cause::Requested, Cause::Surplus, Cause::External];

    /// As it stands in the database and in events.
    pub fn word(self) -> &'static str {
        match self {
            Cause::Requested => "REQUESTED",
            Cause::Surplus => "SURPLUS",
            Cause::External => "EXTERNAL",
        }
    }

    /// The cause of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.word() == word)
    }
}

impl Waiting {
    /// Everything that is waited for.
    pub const ALL: [Self; 4] = [Waiting::Answer, Waiting::Balance, Waiting::Configuration, Waiting::Rate];

    /// As it stands in the database.
    pub fn word(self) -> &'static str {
        match self {
            Waiting::Answer => "ANSWER",
            Waiting::Balance => "BALANCE",
            Waiting::Configuration => "CONFIGURATION",
            Waiting::Rate => "RATE",
        }
    }

    /// What that word waits for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|waiting| waiting.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::{Cause, Missing, State, Step, Waiting};
    use crate::domain::refunding::samples;

    #[test]
    fn what_was_never_sent_is_sent_and_what_was_sent_is_asked_about_first() {
        let (_, _, mut refund) = samples::reserved(40);
        assert_eq!(refund.step(), Step::Send);
        refund.sends = 1;
        assert_eq!(refund.step(), Step::Ask);
        for state in [State::Processing, State::Abnormal] {
            refund.state = state;
            assert_eq!(refund.step(), Step::Ask);
        }
        for state in [State::Succeeded { at: refund.create_time }, State::Closed, State::Rejected] {
            refund.state = state;
            assert_eq!(refund.step(), Step::Rest);
        }
    }

    #[test]
    fn a_number_that_the_provider_does_not_know_is_sent_again_unless_that_sending_was_refused() {
        let (_, _, mut refund) = samples::reserved(40);
        let sent_at = refund.create_time;
        (refund.sends, refund.sent_at) = (2, Some(sent_at));
        assert_eq!(refund.missing(sent_at), Missing::SendAgain);
        refund.refused_sends = Some(1);
        assert_eq!(refund.missing(sent_at), Missing::SendAgain, "the sending after that refusal has no answer yet");
        refund.refused_sends = Some(2);
        assert_eq!(refund.missing(sent_at), Missing::TooSoon);
        assert_eq!(refund.missing(sent_at + SignedDuration::from_secs(60)), Missing::Rejected);
        refund.state = State::Processing;
        assert_eq!(refund.missing(sent_at), Missing::Contradiction);
    }

    #[test]
    fn what_the_console_has_made_keeps_its_number_and_is_never_sent() {
        let (_, _, mut refund) = samples::reserved(40);
        assert_eq!(refund.out_refund_no(), refund.id.out_refund_no());
        (refund.cause, refund.external_no) = (Cause::External, Some("console-1".into()));
        assert_eq!(refund.out_refund_no(), "console-1");
        assert_eq!((refund.step(), refund.missing(refund.create_time)), (Step::Ask, Missing::Contradiction));
    }

    #[test]
    fn a_word_of_the_database_is_read_from_itself() {
        for cause in Cause::ALL {
            assert_eq!(Cause::from_word(cause.word()), Some(cause));
        }
        for waiting in [Waiting::Answer, Waiting::Balance, Waiting::Configuration, Waiting::Rate] {
            assert_eq!(Waiting::from_word(waiting.word()), Some(waiting));
        }
        assert_eq!(Waiting::from_word("PATIENCE"), None);
    }
}

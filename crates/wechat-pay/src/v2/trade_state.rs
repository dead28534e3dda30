//! What an order query can say.

/// `trade_state` of an order query: an open set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TradeState {
    /// Paid.
    Success,
    /// Paid, and at least one refund was asked for; the refund query knows more.
    Refund,
    /// Not paid yet.
    NotPay,
    /// The user is entering a password (pay code).
    UserPaying,
    /// Accepted, waiting to be debited.
    Accept,
    /// Closed.
    Closed,
    /// Reversed (pay code).
    Revoked,
    /// This attempt failed.
    PayError,
    /// A state WeChat added since.
    Other(String),
}

/// What a trade state means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LocalState {
    /// Money came.
    Paid,
    /// Money came, and some of it may have gone back.
    PaidWithRefund,
    /// Nothing is decided yet.
    Pending,
    /// No money will come.
    Closed,
    /// Taken back; no money stays.
    Reversed,
    /// This attempt brought no money.
    Failed,
    /// A state we do not know: stay pending and raise an alarm.
    Unknown,
}

impl TradeState {
    /// Reads WeChat's word.
    pub fn parse(text: &str) -> TradeState {
        match text {
            "SUCCESS" => TradeState::Success,
            "REFUND" => TradeState::Refund,
            "NOTPAY" => TradeState::NotPay,
            "USERPAYING" => TradeState::UserPaying,
            "ACCEPT" => TradeState::Accept,
            "CLOSED" => TradeState::Closed,
            "REVOKED" => TradeState::Revoked,
            "PAYERROR" => TradeState::PayError,
            other => TradeState::Other(other.to_owned()),
        }
    }

    /// WeChat's word.
    pub fn as_str(&self) -> &str {
        match self {
            TradeState::Success => "SUCCESS",
            TradeState::Refund => "REFUND",
            TradeState::NotPay => "NOTPAY",
            TradeState::UserPaying => "USERPAYING",
            TradeState::Accept => "ACCEPT",
            TradeState::Closed => "CLOSED",
            TradeState::Revoked => "REVOKED",
            TradeState::PayError => "PAYERROR",
            TradeState::Other(text) => text,
        }
    }

    /// What it means to us.
    pub const fn local(&self) -> LocalState {
        match self {
            TradeState::Success => LocalState::Paid,
            TradeState::Refund => LocalState::PaidWithRefund,
            TradeState::NotPay | TradeState::UserPaying | TradeState::Accept => LocalState::Pending,
            TradeState::Closed => LocalState::Closed,
            TradeState::Revoked => LocalState::Reversed,
            TradeState::PayError => LocalState::Failed,
            TradeState::Other(_) => LocalState::Unknown,
        }
    }

    /// Whether money came, so that the payment's fields must be there.
    pub const fn is_paid(&self) -> bool {
        matches!(self.local(), LocalState::Paid | LocalState::PaidWithRefund)
    }
}

//! One attempt to pay an order, and its states.

use jiff::Timestamp;
use money::Fen;

use super::{OrderId, PaymentId, carried::Details, charge::Reversing};

/// One attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// Its id; also its `out_trade_no`.
    pub id: PaymentId,
    /// What it pays.
    pub order_id: OrderId,
    /// The account that gets the money.
    pub merchant: String,
    /// "wechat-v2".
    pub provider: String,
    /// The provider's number of the account.
    pub mch_id: String,
    /// The sub-merchant in service-provider mode; empty otherwise.
    pub sub_mch_id: String,
    /// The app whose cashier opens.
    pub app_id: String,
    /// What must be paid: the order's amount.
    pub amount: Fen,
    /// How.
    pub method: Method,
    /// What the method needs besides.
    pub details: Details,
    /// Who pays, personal data; empty where the method names no payer.
    pub openid: Openid,
    /// The payer's address.
    pub payer_ip: String,
    /// What has become of it.
    pub state: State,
    /// When it was written.
    pub create_time: Timestamp,
    /// When its order can no longer be paid.
    pub expire_time: Timestamp,
    /// How often the provider was asked to accept it.
    pub sends: i32,
    /// How often the provider was asked about it.
    pub asks: i32,
    /// True when the provider says that it was paid, but not what we asked for.
    pub disputed: bool,
    /// True when the payer started another attempt after it.
    pub superseded: bool,
    /// What is back with the payer.
    pub refunded: Fen,
    /// What is reserved for refunds that are not decided yet.
    pub refunding: Fen,
    /// How far a charge is being taken back; absent while nobody has begun to.
    pub reversing: Option<Reversing>,
    /// The provider's word for a refusal.
    pub provider_code: Option<String>,
}

/// The payer under one app. It does not print itself, because logs are not the place for personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Openid(pub String);

impl std::fmt::Debug for Openid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Openid(..)")
    }
}

/// How an attempt is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `wx.requestPayment` in a mini program.
    MiniProgram,
    /// `WeixinJSBridge` in a page inside WeChat.
    Jsapi,
    /// A QR code on a screen or on a product.
    Native,
    /// WeChat's SDK in a native app.
    App,
    /// A browser outside WeChat.
    H5,
    /// The payer's pay code, scanned by the team's terminal.
    PayCode,
    /// The payer's face, through the pay code's call.
    Face,
    /// The payer's face, through WeChat's older face API.
    Facepay,
}

/// What has become of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Written; the provider was not asked, or its answer was lost: unknown.
    Created,
    /// The provider accepted it.
    Pending,
    /// The payer paid it.
    Succeeded {
        /// The provider's number.
        transaction_id: String,
        /// The provider's time.
        at: Timestamp,
        /// The order could not keep the money.
        surplus: bool,
    },
    /// Nobody can pay it any more.
    Closed,
    /// The provider refused it, for good.
    Failed,
}

impl State {
    /// As it stands in the database and in texts.
    pub fn word(&self) -> &'static str {
        match self {
            State::Created => "CREATED",
            State::Pending => "PENDING",
            State::Succeeded { .. } => "SUCCEEDED",
            State::Closed => "CLOSED",
            State::Failed => "FAILED",
        }
    }

    /// Whether somebody may still pay it, as far as we know.
    pub fn is_open(&self) -> bool {
        match self {
            State::Created | State::Pending => true,
            State::Succeeded { .. } | State::Closed | State::Failed => false,
        }
    }
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 8] = [
        Method::MiniProgram,
        Method::Jsapi,
        Method::Native,
        Method::App,
        Method::H5,
        Method::PayCode,
        Method::Face,
        Method::Facepay,
    ];

    /// As it stands in the database, in messages and events.
    pub fn word(self) -> &'static str {
        match self {
            Method::MiniProgram => "mini_program",
            Method::Jsapi => "jsapi",
            Method::Native => "native",
            Method::App => "app",
            Method::H5 => "h5",
            Method::PayCode => "pay_code",
            Method::Face => "face",
            Method::Facepay => "facepay",
        }
    }

    /// The method of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.word() == word)
    }
}

impl Payment {
    /// Whether its order must wait for it. A disputed attempt waits for a person, and its order does not.
    pub fn is_pending(&self) -> bool {
        self.state.is_open() && !self.disputed
    }

    /// What can still be given back: nothing while no money came.
    pub fn left(&self) -> Fen {
        let State::Succeeded { .. } = self.state else { return Fen::ZERO };
        let left = self.amount.checked_sub(self.refunded).and_then(|left| left.checked_sub(self.refunding));
        left.unwrap_or(Fen::ZERO)
    }

    /// The provider accepted it. Facts may have overtaken the answer, so only CREATED changes.
    pub fn accepted(&mut self) -> bool {
        let changes = self.state == State::Created;
        if changes {
            self.state = State::Pending;
        }
        changes
    }

    /// The provider refused to accept it. That ends it only when it was asked once: after a lost answer an earlier sending
    /// may have been accepted, and then only a query can tell. Nor does it end what is being taken back: only a query does.
    pub fn refused(&mut self) -> bool {
        let changes = self.state == State::Created && self.sends <= 1 && self.reversing.is_none();
        if changes {
            self.state = State::Failed;
        }
        changes
    }

    /// The provider says that nobody paid and nobody can.
    pub fn closed(&mut self) -> bool {
        let changes = self.state.is_open();
        if changes {
            self.state = State::Closed;
        }
        changes
    }

    /// The provider says that this attempt failed for good.
    pub fn failed(&mut self) -> bool {
        let changes = self.state.is_open();
        if changes {
            self.state = State::Failed;
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::{Method, State};
    use crate::domain::settle::samples;

    #[test]
    fn a_refusal_after_a_lost_answer_ends_nothing() {
        let (_, mut payments) = samples::pending(1);
        let payment = &mut payments[0];
        payment.state = State::Created;
        payment.sends = 2;
        assert!(!payment.refused());
        assert_eq!(payment.state, State::Created);
        payment.sends = 1;
        assert!(payment.refused());
        assert_eq!(payment.state, State::Failed);
    }

    #[test]
    fn a_final_state_is_not_left_for_an_answer_that_comes_late() {
        for state in [State::Closed, State::Failed, samples::succeeded("4200", false)] {
            let (_, mut payments) = samples::pending(1);
            let payment = &mut payments[0];
            payment.state = state.clone();
            assert!(!payment.accepted() && !payment.refused() && !payment.closed() && !payment.failed());
            assert_eq!(payment.state, state);
        }
    }

    #[test]
    fn a_method_is_read_from_its_own_word() {
        for method in Method::ALL {
            assert_eq!(Method::from_word(method.word()), Some(method));
        }
        assert_eq!(Method::from_word("micropay"), None);
    }
}

//! `/pay/orderquery`: asks what became of an order.

use money::Fen;

use super::fields::FieldProblem;
use super::request::Request;
use super::{ApiKey, FieldError, Fields, Identity, Payment, SignType, TradeState};

/// Names one order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OrderNumber {
    /// WeChat's number; preferred once known.
    TransactionId(String),
    /// Our number.
    OutTradeNo(String),
}

impl OrderNumber {
    /// Name on the wire, and the number.
    pub(crate) fn pair(&self) -> (&'static str, &str) {
        match self {
            OrderNumber::TransactionId(number) => ("transaction_id", number),
            OrderNumber::OutTradeNo(number) => ("out_trade_no", number),
        }
    }

    /// Refuses an answer that names another order than this one. One that names none is not refused.
    ///
    /// # Errors
    /// [`FieldProblem::Mismatch`].
    pub fn check(&self, fields: &Fields) -> Result<(), FieldError> {
        let (name, number) = self.pair();
        match fields.text(name) {
            Some(answered) if answered != number => Err(FieldError::new(name, FieldProblem::Mismatch)),
            _ => Ok(()),
        }
    }
}

/// Asks what became of an order. Right after a create whose answer was lost, "no such order" means "not yet".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderQuery {
    /// For whom.
    pub identity: Identity,
    /// Which order.
    pub order: OrderNumber,
}

impl OrderQuery {
    /// Path below WeChat's host.
    pub const PATH: &str = "/pay/orderquery";

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey, sign_type: SignType) -> Fields {
        let (name, number) = self.order.pair();
        Request::new(&self.identity, nonce).with(name, number).signed(key, sign_type)
    }
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderStatus {
    /// WeChat's state.
    pub trade_state: TradeState,
    /// WeChat's words for people.
    pub trade_state_desc: Option<String>,
    /// The payment; there exactly when [`TradeState::is_paid`].
    pub payment: Option<Payment>,
    /// The order's amount, which WeChat may leave out of unpaid orders.
    pub total_fee: Option<Fen>,
}

impl OrderStatus {
    /// Reads the fields of a successful answer to a query for `order`.
    ///
    /// # Errors
    /// [`FieldError`] when the answer is about another order, has no state, or says "paid" without a whole payment.
    pub fn parse(fields: &Fields, order: &OrderNumber) -> Result<OrderStatus, FieldError> {
        order.check(fields)?;
        let trade_state = TradeState::parse(fields.required("trade_state")?);
        let payment = trade_state.is_paid().then(|| Payment::parse(fields)).transpose()?;
        Ok(OrderStatus {
            trade_state_desc: fields.text("trade_state_desc").map(str::to_owned),
            total_fee: fields.fen("total_fee")?,
            payment,
            trade_state,
        })
    }
}

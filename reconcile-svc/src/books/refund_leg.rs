use jiff::Timestamp;
use jiff::civil::Date;
use money::Fen;
use proto::event::{OrderRefunded, RefundAccepted, RefundCreated, RefundFailed};
use reconciliation::books::RefundCause;
use uuid::Uuid;

use super::{BookError, amount, id, instant, text, told};

/// What an event tells about a refund of ours. Every event knows enough to write the refund down, so none has to wait for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundNote {
    /// Merchant account.
    pub merchant: String,
    /// Our number.
    pub out_refund_no: String,
    /// Which refund.
    pub refund: Uuid,
    /// Of which order.
    pub order_id: Uuid,
    /// The team whose order it is.
    pub app: String,
    /// Our number of the payment, if this event knows.
    pub out_trade_no: Option<String>,
    /// The provider's number of the payment, if this event knows.
    pub transaction_id: Option<String>,
    /// The provider's number of the account, if this event knows.
    pub mch_id: Option<String>,
    /// What goes back.
    pub amount: Fen,
    /// Who wanted it.
    pub cause: RefundCause,
    /// The provider's number, if this event knows.
    pub refund_id: Option<String>,
    /// What happened to it.
    pub happened: RefundStep,
}

/// A step in the life of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundStep {
    /// It was written, then.
    Created(Timestamp),
    /// The provider took it; heard then.
    Accepted(Timestamp),
    /// The money is back since then, by the provider's clock.
    Succeeded(Timestamp),
    /// It did not do what it should.
    Failed(Failure),
}

/// How a refund failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The provider never took it.
    Rejected,
    /// It took it and then did not do it.
    Closed,
    /// The money bounced.
    Abnormal,
}

impl Failure {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Failure::Rejected => "REJECTED",
            Failure::Closed => "CLOSED",
            Failure::Abnormal => "ABNORMAL",
        }
    }
}

impl RefundStep {
    pub(crate) const fn create_time(self) -> Option<Timestamp> {
        if let RefundStep::Created(at) = self { Some(at) } else { None }
    }

    pub(crate) const fn accept_time(self) -> Option<Timestamp> {
        if let RefundStep::Accepted(at) = self { Some(at) } else { None }
    }

    /// The bill day: civil date in Asia/Shanghai of the acceptance.
    pub(crate) fn accept_date(self) -> Option<Date> {
        self.accept_time().map(wechat_pay::time::bill_date)
    }

    pub(crate) const fn success_time(self) -> Option<Timestamp> {
        if let RefundStep::Succeeded(at) = self { Some(at) } else { None }
    }

    pub(crate) const fn failed_as(self) -> Option<Failure> {
        if let RefundStep::Failed(failure) = self { Some(failure) } else { None }
    }
}

/// The note of an event: what all of them have under the same names, and what each knows.
macro_rules! note {
    ($event:ident, $refund_id:expr, $happened:expr) => {
        Ok(Self {
            refund: id("refund", &$event.refund)?,
            order_id: id("order", &$event.order)?,
            out_trade_no: number_of_payment(&$event.payment)?,
            cause: cause(&$event.cause)?,
            refund_id: $refund_id,
            happened: $happened,
            merchant: text("merchant", $event.merchant)?,
            out_refund_no: text("out_refund_no", $event.out_refund_no)?,
            app: text("app", $event.app)?,
            transaction_id: told("transaction_id", $event.transaction_id)?,
            mch_id: told("mch_id", $event.mch_id)?,
            amount: amount("amount_fen", $event.amount_fen)?,
        })
    };
}

impl TryFrom<RefundCreated> for RefundNote {
    type Error = BookError;

    fn try_from(event: RefundCreated) -> Result<Self, BookError> {
        note!(event, None, RefundStep::Created(instant("create_time", event.create_time.as_ref())?))
    }
}

impl TryFrom<RefundAccepted> for RefundNote {
    type Error = BookError;

    fn try_from(event: RefundAccepted) -> Result<Self, BookError> {
        // The day's books are sorted by it.
        let refund_id = Some(text("refund_id", event.refund_id)?);
        note!(event, refund_id, RefundStep::Accepted(instant("accept_time", event.accept_time.as_ref())?))
    }
}

impl TryFrom<OrderRefunded> for RefundNote {
    type Error = BookError;

    fn try_from(event: OrderRefunded) -> Result<Self, BookError> {
        let refund_id = told("refund_id", event.refund_id)?;
        note!(event, refund_id, RefundStep::Succeeded(instant("success_time", event.success_time.as_ref())?))
    }
}

impl TryFrom<RefundFailed> for RefundNote {
    type Error = BookError;

    fn try_from(mut event: RefundFailed) -> Result<Self, BookError> {
        // An earlier release did not tell the number, and knew no refund whose number is not its id.
        if event.out_refund_no.is_empty() {
            event.out_refund_no = id("refund", &event.refund)?.simple().to_string();
        }
        let refund_id = told("refund_id", event.refund_id)?;
        note!(event, refund_id, RefundStep::Failed(failure(&event.state)?))
    }
}

/// Our number of a payment is its id; see order-svc's `PaymentId`.
fn number_of_payment(name: &str) -> Result<Option<String>, BookError> {
    if name.is_empty() {
        return Ok(None);
    }
    id("payment", name).map(|id| Some(id.simple().to_string()))
}

fn cause(word: &str) -> Result<RefundCause, BookError> {
    RefundCause::parse(word).ok_or(BookError::Field("cause"))
}

fn failure(word: &str) -> Result<Failure, BookError> {
    [Failure::Rejected, Failure::Closed, Failure::Abnormal]
        .into_iter()
        .find(|failure| failure.as_str() == word)
        .ok_or(BookError::Field("state"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> RefundFailed {
        RefundFailed {
            order: "orders/01980000-0000-7000-8000-000000000001".into(),
            refund: "orders/01980000-0000-7000-8000-000000000001/refunds/01980000-0000-7000-8000-000000000003".into(),
            app: "shop".into(),
            merchant: "acme-mini".into(),
            amount_fen: 100,
            state: "CLOSED".into(),
            cause: "REQUESTED".into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_failure_of_an_earlier_release_names_the_refund_by_its_id() {
        let note = RefundNote::try_from(failed()).expect("a whole event");
        assert_eq!(note.out_refund_no, "01980000000070008000000000000003");
        assert_eq!((note.out_trade_no, note.happened), (None, RefundStep::Failed(Failure::Closed)));
    }

    #[test]
    fn the_number_of_the_payment_is_read_from_its_name() {
        let payment = "orders/01980000-0000-7000-8000-000000000001/payments/01980000-0000-7000-8000-000000000002";
        let note = RefundNote::try_from(RefundFailed { payment: payment.into(), ..failed() }).expect("a whole event");
        assert_eq!(note.out_trade_no.as_deref(), Some("01980000000070008000000000000002"));
    }

    #[test]
    fn a_word_that_nobody_agreed_on_can_never_be_booked() {
        let event = RefundFailed { state: "LOST".into(), ..failed() };
        assert_eq!(RefundNote::try_from(event), Err(BookError::Field("state")));
        let event = RefundFailed { cause: "WHIM".into(), ..failed() };
        assert_eq!(RefundNote::try_from(event), Err(BookError::Field("cause")));
    }
}

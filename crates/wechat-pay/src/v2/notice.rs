//! Payment notices: WeChat tells our URL that an order was paid.
//!
//! Two steps, because two processes take them. [`read`] proves that a body is WeChat's and turns it into a
//! [`PaymentNotice`]; it needs the key alone. [`decide`] compares that with the order; it needs the order alone.

use std::time::Duration;

use money::Fen;

use super::fields::FieldProblem;
use super::payment::{CNY, identity};
use super::sign::{self, SignError};
use super::xml::{self, XmlError};
use super::{ApiKey, FieldError, Fields, Identity, Payment, SignType};

/// Largest notice that is read. Real ones are around 1 KiB; promotion details can make them some KiB.
pub const MAX_BYTES: usize = 64 * 1024;

/// Most fields one notice may have. Real ones have about 20, and four for each coupon.
pub const MAX_FIELDS: usize = 256;

/// WeChat gives up on an answer after this long and delivers again.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Pauses between deliveries until one is answered with [`SUCCESS`]: 15 of them, 24 h 4 min together.
pub const RETRY_SCHEDULE: [Duration; 15] = [
    Duration::from_secs(15),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_mins(3),
    Duration::from_mins(10),
    Duration::from_mins(20),
    Duration::from_mins(30),
    Duration::from_mins(30),
    Duration::from_mins(30),
    Duration::from_hours(1),
    Duration::from_hours(3),
    Duration::from_hours(3),
    Duration::from_hours(3),
    Duration::from_hours(6),
    Duration::from_hours(6),
];

/// The answer that ends the deliveries. Send it with HTTP 200, after the notice is safe.
pub const SUCCESS: &str =
    "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";

/// The answer that asks for another delivery. `message` is short and holds nothing of the notice.
pub fn fail(message: &str) -> String {
    xml::write("xml", &Fields::from_iter([("return_code", "FAIL"), ("return_msg", message)]))
}

/// A notice whose signature was checked: WeChat, and nobody else, said this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentNotice {
    /// Whose payment. Compare it with the merchant account that was addressed.
    pub identity: Identity,
    /// The payment.
    pub payment: Payment,
    /// The type of the signature.
    pub sign_type: SignType,
}

/// What a notice turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A payment.
    Paid(Box<PaymentNotice>),
    /// Genuine, but about a payment that failed. Answered with success, changes nothing, worth a log line.
    NotPaid,
}

/// Why a notice is refused. Answered with [`fail`], changes nothing, is counted by reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Larger than [`MAX_BYTES`].
    #[error("notice is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Not a message.
    #[error("notice cannot be read: {0}")]
    Unreadable(#[source] XmlError),
    /// Not WeChat's, or not of a type this merchant orders with.
    #[error("notice is not authentic: {error}")]
    BadSign {
        /// What is wrong with the signature.
        #[source]
        error: SignError,
        /// Set when the sign type is the only defect: the order to be queried, so that nothing is lost.
        query: Option<OrderToQuery>,
    },
    /// Genuine, but `return_code` is not `SUCCESS`.
    #[error("notice reports a failure of communication")]
    ReturnCode,
    /// Genuine, but a field that every payment has is absent or malformed.
    #[error("notice is incomplete: {0}")]
    Field(#[from] FieldError),
}

/// An order that a refused notice gives reason to query. Nothing else of that notice is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderToQuery {
    /// Our number, as the notice says it.
    pub out_trade_no: String,
}

/// Reads a notice with the key of the merchant account it was addressed to. `pinned` are the sign types that this
/// merchant's orders use; nothing in the notice can choose another.
///
/// # Errors
/// [`NoticeError`]; the caller answers [`fail`].
pub fn read(body: &[u8], key: &ApiKey, pinned: &[SignType]) -> Result<Notice, NoticeError> {
    if MAX_BYTES < body.len() {
        return Err(NoticeError::TooLarge);
    }
    let fields = xml::parse_at_most("xml", body, MAX_FIELDS).map_err(NoticeError::Unreadable)?;
    let sign_type = sign::verify_pinned(&fields, key, pinned).map_err(|error| {
        let genuine = matches!(error, SignError::NotPinned { .. });
        let number = fields.text("out_trade_no").filter(|_| genuine).map(str::to_owned);
        NoticeError::BadSign { error, query: number.map(|out_trade_no| OrderToQuery { out_trade_no }) }
    })?;
    if fields.text("return_code") != Some("SUCCESS") {
        return Err(NoticeError::ReturnCode);
    }
    match fields.required("result_code")? {
        "SUCCESS" => {}
        "FAIL" => return Ok(Notice::NotPaid),
        // Answering success would end the deliveries of what may be a payment.
        _ => return Err(FieldError::new("result_code", FieldProblem::NotResult).into()),
    }
    let (identity, payment) = (identity(&fields)?, Payment::parse(&fields)?);
    Ok(Notice::Paid(Box::new(PaymentNotice { identity, payment, sign_type })))
}

/// What our books say about the order of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedOrder {
    /// Whose order.
    pub identity: Identity,
    /// Our number.
    pub out_trade_no: String,
    /// Its amount.
    pub total_fee: Fen,
    /// Its currency, normally `CNY`.
    pub fee_type: String,
    /// The payment it already has.
    pub paid_by: Option<PaidBy>,
}

/// The payment that an order already has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidBy {
    /// WeChat's number.
    pub transaction_id: String,
}

impl ExpectedOrder {
    /// An unpaid order in CNY.
    pub fn unpaid(identity: Identity, out_trade_no: impl Into<String>, total_fee: Fen) -> ExpectedOrder {
        ExpectedOrder {
            identity,
            out_trade_no: out_trade_no.into(),
            total_fee,
            fee_type: CNY.to_owned(),
            paid_by: None,
        }
    }
}

/// What to do with a genuine notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Record the payment, also when the order was closed meanwhile. Answer success once it is durable.
    MarkPaid,
    /// Known already. Answer success.
    AlreadyPaid,
    /// Changes nothing. Answer [`fail`].
    Reject(Mismatch),
}

/// How a genuine notice differs from our books. Each of these deserves an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another app, merchant, sub-merchant or sub-merchant's app, or one is absent.
    #[error("notice names another {field}")]
    Identity {
        /// The first that differs.
        field: &'static str,
    },
    /// We never issued this number.
    #[error("notice names an unknown order")]
    UnknownOrder,
    /// Another amount.
    #[error("notice names another amount")]
    Amount,
    /// Another currency.
    #[error("notice names another currency")]
    Currency,
    /// The order already has another payment.
    #[error("order is already paid by another transaction")]
    OtherTransaction,
}

/// Compares a genuine notice with the order it names; `None` when we have no such order.
pub fn decide(notice: &PaymentNotice, order: Option<&ExpectedOrder>) -> Decision {
    let Some(order) = order.filter(|order| order.out_trade_no == notice.payment.out_trade_no) else {
        return Decision::Reject(Mismatch::UnknownOrder);
    };
    if let Some(field) = identity_mismatch(&order.identity, &notice.identity) {
        return Decision::Reject(Mismatch::Identity { field });
    }
    if notice.payment.total_fee != order.total_fee {
        return Decision::Reject(Mismatch::Amount);
    }
    if notice.payment.fee_type != order.fee_type {
        return Decision::Reject(Mismatch::Currency);
    }
    match &order.paid_by {
        None => Decision::MarkPaid,
        Some(paid_by) if paid_by.transaction_id == notice.payment.transaction_id => Decision::AlreadyPaid,
        Some(_) => Decision::Reject(Mismatch::OtherTransaction),
    }
}

/// The first identity field that an order has and a notice does not repeat. What the order does not have is free.
pub fn identity_mismatch(order: &Identity, notice: &Identity) -> Option<&'static str> {
    let absent_or_other = |ours: &Option<String>, theirs: &Option<String>| ours.is_some() && ours != theirs;
    [
        ("appid", order.appid != notice.appid),
        ("mch_id", order.mch_id != notice.mch_id),
        ("sub_appid", absent_or_other(&order.sub_appid, &notice.sub_appid)),
        ("sub_mch_id", absent_or_other(&order.sub_mch_id, &notice.sub_mch_id)),
    ]
    .into_iter()
    .find_map(|(field, differs)| differs.then_some(field))
}

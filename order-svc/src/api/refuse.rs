//! Saying no: the reasons of `tongbao.error.v1`, each built in one place.

use money::Fen;
use proto::{error::ErrorReason, gateway::v1::NotDone};
use svc_kit::{grpc::OVERLOADED, refusal::refuse};
use tonic::{Code, Status};

use crate::{
    domain::{OrderId, ProductCodeId, order::Order, refunding::MAX_REFUNDS},
    life::Unfinished,
};

/// A failure of the database. Logged here, once; the caller learns only what helps.
pub(super) fn database(error: &sqlx::Error) -> Status {
    tracing::error!(error = error as &dyn std::error::Error, "order store failed");
    store_away()
}

/// Nobody knows what the database did.
pub(super) fn store_away() -> Status {
    try_again("the order store cannot answer now; the same request_id tells, or does, what this call was for")
}

pub(super) fn try_again(words: impl Into<String>) -> Status {
    refuse(Code::Unavailable, ErrorReason::TryAgain.word(), words, [])
}

/// A mistake of ours.
pub(super) fn internal(words: &str) -> Status {
    tracing::error!("{words}");
    refuse(Code::Internal, ErrorReason::Internal.word(), words, [])
}

/// Work that panicked, was cut off by the end of the process, or waited too long for somebody.
pub(super) fn broken(unfinished: &Unfinished) -> Status {
    match unfinished {
        Unfinished::Broken(error) if error.is_panic() => internal("a call panicked"),
        Unfinished::Broken(_) => ending(),
        Unfinished::Silent => try_again("a part of ours did not answer; retry with the same request_id"),
    }
}

pub(super) fn ending() -> Status {
    try_again("this process ends; retry with the same request_id")
}

/// As the server refuses when too many calls are being answered.
pub(super) fn overloaded() -> Status {
    refuse(Code::ResourceExhausted, OVERLOADED, "too many requests at once; try again later", [])
}

pub(super) fn in_progress() -> Status {
    let words = "this request is being worked on at this moment; retry with the same request_id";
    refuse(Code::Aborted, ErrorReason::InProgress.word(), words, [])
}

pub(super) fn request_id_reused(rpc: &str) -> Status {
    let words = "this request_id was used before with other content; choose a new one for a new request";
    refuse(Code::AlreadyExists, ErrorReason::RequestIdReused.word(), words, [("rpc", rpc.to_owned())])
}

pub(super) fn order_no_reused(order: OrderId) -> Status {
    let words = "your app used this order_no before with other content";
    refuse(Code::AlreadyExists, ErrorReason::OrderNoReused.word(), words, [("order", order.to_string())])
}

pub(super) fn order_not_found(order: OrderId) -> Status {
    refuse(Code::NotFound, ErrorReason::OrderNotFound.word(), format!("your app has no order {order}"), [])
}

pub(super) fn order_not_payable(order: &Order) -> Status {
    let words = format!("{} is {} and can no longer be paid", order.id, order.state.word());
    refuse(Code::FailedPrecondition, ErrorReason::OrderNotPayable.word(), words, [state_of(order)])
}

pub(super) fn order_being_closed(order: &Order) -> Status {
    let words = format!("{} is being closed and can no longer be paid", order.id);
    refuse(Code::FailedPrecondition, ErrorReason::OrderNotPayable.word(), words, [state_of(order)])
}

pub(super) fn order_expired(order: &Order) -> Status {
    let words = format!(
        "{} expires at {}, and WeChat takes no attempt with a minute or less left",
        order.id, order.expire_time
    );
    refuse(Code::FailedPrecondition, ErrorReason::OrderExpired.word(), words, [state_of(order)])
}

pub(super) fn order_not_closable(order: &Order) -> Status {
    let words = format!("{} is {} and cannot be closed", order.id, order.state.word());
    refuse(Code::FailedPrecondition, ErrorReason::OrderNotClosable.word(), words, [state_of(order)])
}

pub(super) fn too_many_payments(order: &Order, limit: usize) -> Status {
    let words = format!("{} has {limit} open payments, which is as many as it may have", order.id);
    refuse(Code::FailedPrecondition, ErrorReason::TooManyPayments.word(), words, [state_of(order)])
}

pub(super) fn order_not_refundable(order: &Order) -> Status {
    let words = format!("{} is {} and holds no money that this refund could give back", order.id, order.state.word());
    refuse(Code::FailedPrecondition, ErrorReason::OrderNotRefundable.word(), words, [state_of(order)])
}

pub(super) fn payment_not_refundable(order: &Order, payment: &str) -> Status {
    let words = format!("{payment} does not exist or holds no money that this refund could give back");
    let metadata = [state_of(order), ("payment", payment.to_owned())];
    refuse(Code::FailedPrecondition, ErrorReason::OrderNotRefundable.word(), words, metadata)
}

pub(super) fn refund_exceeds_payment(left: Fen) -> Status {
    let left = left.get();
    let words = format!("{left} fen are left of the payment: what is refunded and what is being refunded count");
    refuse(Code::FailedPrecondition, ErrorReason::RefundExceedsPayment.word(), words, [("left_fen", left.to_string())])
}

pub(super) fn too_many_refunds() -> Status {
    let words = format!("the payment has {MAX_REFUNDS} refunds, which is as many as WeChat takes");
    refuse(Code::FailedPrecondition, ErrorReason::TooManyRefunds.word(), words, [])
}

pub(super) fn refund_too_late() -> Status {
    let words =
        "the payment is more than a year old, and WeChat gives no money back after that; pay it back another way";
    refuse(Code::FailedPrecondition, ErrorReason::RefundTooLate.word(), words, [])
}

pub(super) fn refund_not_available(merchant: &str) -> Status {
    let words = format!(
        "merchant {merchant} cannot refund: its account has changed, or its file names no client certificate (client_cert_file)"
    );
    refuse(Code::FailedPrecondition, ErrorReason::RefundNotAvailable.word(), words, [("merchant", merchant.to_owned())])
}

pub(super) fn refund_not_found(name: &str) -> Status {
    refuse(Code::NotFound, ErrorReason::RefundNotFound.word(), format!("your app has no refund {name}"), [])
}

pub(super) fn product_code_not_found(id: ProductCodeId) -> Status {
    refuse(Code::NotFound, ErrorReason::ProductCodeNotFound.word(), format!("your app has no product code {id}"), [])
}

pub(super) fn product_no_reused(id: ProductCodeId) -> Status {
    let words = "your app used this product_no before with other content";
    refuse(Code::AlreadyExists, ErrorReason::ProductNoReused.word(), words, [("name", id.to_string())])
}

pub(super) fn method_not_available(words: impl Into<String>) -> Status {
    refuse(Code::FailedPrecondition, ErrorReason::MethodNotAvailable.word(), words, [])
}

pub(super) fn login_code_invalid() -> Status {
    let words = "WeChat does not know this login code; it works once and for five minutes: call wx.login again";
    refuse(Code::FailedPrecondition, ErrorReason::LoginCodeInvalid.word(), words, [])
}

pub(super) fn provider_refused(no: &NotDone) -> Status {
    let words = format!("the provider refused: {} {}", no.provider_code, no.provider_message);
    let metadata = [("provider_code", no.provider_code.clone())];
    refuse(Code::FailedPrecondition, ErrorReason::ProviderRefused.word(), words.trim_end(), metadata)
}

pub(super) fn payment_under_way(order: &Order) -> Status {
    let words = format!(
        "a pay code or face payment of {} is not decided yet; it ends within about a minute, wait for that with WatchOrder",
        order.id
    );
    refuse(Code::FailedPrecondition, ErrorReason::PaymentUnderWay.word(), words, [state_of(order)])
}

pub(super) fn pay_code_invalid() -> Status {
    let words = "the code is wrong, used or too old; scan a fresh one and pay with a new request_id";
    refuse(Code::FailedPrecondition, ErrorReason::PayCodeInvalid.word(), words, [])
}

pub(super) fn payer_cannot_pay(no: &NotDone) -> Status {
    let words = format!("the payer cannot pay this way: {} {}", no.provider_code, no.provider_message);
    let metadata = [("provider_code", no.provider_code.clone())];
    refuse(Code::FailedPrecondition, ErrorReason::PayerCannotPay.word(), words.trim_end(), metadata)
}

/// The attempt of this request has ended without paying; the order may still be paid.
pub(super) fn attempt_ended(order: &Order, word: &str) -> Status {
    let words = format!("this attempt of {} is {word}; pay with a new request_id", order.id);
    refuse(Code::FailedPrecondition, ErrorReason::ProviderRefused.word(), words, [state_of(order)])
}

pub(super) fn order_disputed(order: &Order) -> Status {
    let words = format!("{} was paid with other content than asked for; a person is looking at it", order.id);
    refuse(Code::FailedPrecondition, ErrorReason::OrderNotPayable.word(), words, [state_of(order)])
}

/// The gateway will not send this: merchant gone, account or app changed since.
pub(super) fn not_sendable(why: &str) -> Status {
    let words = format!("this attempt can no longer be sent ({why}); pay with a new request_id");
    refuse(Code::FailedPrecondition, ErrorReason::MethodNotAvailable.word(), words, [])
}

pub(super) fn provider_unknown() -> Status {
    let words = "the provider's answer is unknown; retry with the same request_id";
    refuse(Code::Unavailable, ErrorReason::ProviderUnknown.word(), words, [])
}

fn state_of(order: &Order) -> (&'static str, String) {
    ("state", order.state.word().to_owned())
}

/// A gRPC code as a metric label.
pub(super) fn code_word(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::InvalidArgument => "invalid_argument",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::FailedPrecondition => "failed_precondition",
        Code::Unauthenticated => "unauthenticated",
        Code::Unavailable => "unavailable",
        Code::Aborted => "aborted",
        Code::ResourceExhausted => "resource_exhausted",
        Code::DeadlineExceeded => "deadline_exceeded",
        _ => "other",
    }
}

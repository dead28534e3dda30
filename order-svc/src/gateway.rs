//! pay-gateway as order-svc sees it: every call ends in done, not done, unknown or not sent, and nothing else.

mod merchants;

pub use merchants::{App, Merchant, Merchants, Surplus};

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use proto::gateway::v1::{
    ChargeRequest, ClosePaymentRequest, CreateRefundRequest, NotDone, PaymentMethod, PaymentStatus, Prepaid,
    PrepayRequest, QueryPaymentRequest, QueryRefundRequest, RefundAccepted, RefundStatus, ResolveOpenidRequest,
    ReversePaymentRequest, SignProductCodeRequest, charge_response, close_payment_response, create_refund_response,
    payment_gateway_client::PaymentGatewayClient, prepay_response, query_payment_response, query_refund_response,
    resolve_openid_response, reverse_payment_response,
};
use proto::time::to_wire;
use svc_kit::{clock::Clock, refusal, trace};
use tonic::{Code, Request, Status, transport::Channel};

use crate::domain::{
    payment::{Method, Payment},
    product_code::ProductCode,
    refund::Refund,
};

/// Longest wait for one call, with everything before it leaves. Longer than the gateway's own wait for a provider (8 s), so its
/// word arrives; a query, a close and a query fit into a claim, two calls into a request's lease.
pub const CALL_TIME: Duration = Duration::from_secs(9);

/// A call that moves money has left for the provider this long after its writing, or never does: it is given to the gateway within
/// 12 s, waited for as long as [`CALL_TIME`], and the gateway goes on for 8 s at most. The gateway is told, because it may stand
/// still as well.
pub const LEFT_WITHIN: Duration = Duration::from_secs(30);

/// Longest wait for a signature: nothing is sent for it.
const SIGN_TIME: Duration = Duration::from_secs(3);

/// How a call to a provider ended.
#[derive(Debug)]
pub enum Asked<T> {
    /// The provider did it, or answered the question.
    Done(T),
    /// A definite, verified no.
    NotDone(NotDone),
    /// It may or may not have happened.
    Unknown {
        /// Why, in a word.
        why: String,
        /// Whether the gateway itself says so: then the call is over, and nothing of it is still on its way.
        over: bool,
    },
    /// The gateway did not send it; nothing happened.
    NotSent {
        /// Why.
        why: String,
        /// Whether it would be sent later; false when it never will, with this content and these merchant files.
        ever: bool,
    },
}

/// A client of pay-gateway. Clones share one connection.
#[derive(Clone, Debug)]
pub struct Gateway {
    client: PaymentGatewayClient<Channel>,
}

impl Gateway {
    /// Calls over `channel`.
    pub fn new(channel: Channel) -> Self {
        Self { client: PaymentGatewayClient::new(channel) }
    }

    /// Asks the provider to accept an attempt, and waits for its answer for at most `time`.
    pub async fn prepay(&self, request: PrepayRequest, time: Duration) -> Asked<Prepaid> {
        let answer = in_time(time, self.client.clone().prepay(outgoing(time, request))).await;
        finish(answer, |response| {
            Some(match response.outcome? {
                prepay_response::Outcome::Done(done) => Asked::Done(done),
                prepay_response::Outcome::NotDone(not_done) => Asked::NotDone(not_done),
                prepay_response::Outcome::Unknown(unknown) => Asked::Unknown { why: unknown.why, over: true },
            })
        })
    }

    /// Charges a code. It must not be sent a second time.
    pub async fn charge(&self, request: ChargeRequest) -> Asked<PaymentStatus> {
        let answer = in_time(CALL_TIME, self.client.clone().charge(outgoing(CALL_TIME, request))).await;
        finish(answer, |response| {
            Some(match response.outcome? {
                charge_response::Outcome::Done(done) => Asked::Done(done),
                charge_response::Outcome::NotDone(not_done) => Asked::NotDone(not_done),
                charge_response::Outcome::Unknown(unknown) => Asked::Unknown { why: unknown.why, over: true },
            })
        })
    }

    /// Takes a charge back; that was written at `written_at`.
    pub async fn reverse(&self, payment: &Payment, written_at: Instant) -> Asked<()> {
        let request = ReversePaymentRequest {
            merchant: payment.merchant.clone(),
            mch_id: payment.mch_id.clone(),
            sub_mch_id: payment.sub_mch_id.clone(),
            app_id: payment.app_id.clone(),
            out_trade_no: payment.id.out_trade_no(),
            method: method(payment.method).into(),
            leave_before: leave_before(written_at, LEFT_WITHIN),
        };
        let answer = in_time(CALL_TIME, self.client.clone().reverse_payment(outgoing(CALL_TIME, request))).await;
        finish(answer, |response| {
            Some(match response.outcome? {
                reverse_payment_response::Outcome::Done(_) => Asked::Done(()),
                reverse_payment_response::Outcome::NotDone(not_done) => Asked::NotDone(not_done),
                reverse_payment_response::Outcome::Unknown(unknown) => Asked::Unknown { why: unknown.why, over: true },
            })
        })
    }

    /// Asks what has become of an attempt.
    pub async fn query(&self, payment: &Payment) -> Asked<PaymentStatus> {
        let request = QueryPaymentRequest {
            merchant: payment.merchant.clone(),
            mch_id: payment.mch_id.clone(),
            app_id: payment.app_id.clone(),
            out_trade_no: payment.id.out_trade_no(),
            sub_mch_id: payment.sub_mch_id.clone(),
            method: method(payment.method).into(),
        };
        let answer = in_time(CALL_TIME, self.client.clone().query_payment(outgoing(CALL_TIME, request))).await;
        finish(answer, |response| {
            Some(match response.outcome? {
                query_payment_response::Outcome::Done(done) => Asked::Done(done),
                query_payment_response::Outcome::NotDone(not_done) => Asked::NotDone(not_done),
                query_payment_response::Outcome::Unknown(unknown) => Asked::Unknown { why: unknown.why, over: true },
            })
        })
    }

    /// Asks that nobody can pay an attempt any more.
    pub async fn close(&self, payment: &Payment) -> Asked<()> {
        let request = ClosePaymentRequest {
            merchant: payment.merchant.clone(),
            mch_id: payment.mch_id.clone(),
            app_id: payment.app_id.clone(),
            out_trade_no: payment.id.out_trade_no(),
            sub_mch_id: payment.sub_mch_id.clone(),
        };
        let answer = in_time(CALL_TIME, self.client.clone().close_payment(outgoing(CALL_TIME, request))).await;
        finish(answer, |response| {
            Some(match response.outcome? {
                close_payment_response::Outcome::Done(_) => Asked::Done(()),
                close_payment_response::Outcome::NotDone(not_done) => Asked::NotDone(not_done),
                close_payment_response::Outcome::Unknown(unknown) => Asked::Unknown { why: unknown.why, over: true },
            })
        })
    }

    /// Asks for money to go back; that was written at `written_at`.
    pub async fn create_refund(&self, refund: &Refund, written_at: Instant) -> Asked<RefundAccepted> {
        let request = CreateRefundRequest {
            merchant: refund.merchant.clone(),
            mch_id: refund.mch_id.clone(),
            app_id: refund.app_id.clone(),
            transaction_id: refund.transaction_id.clone(),
            out_refund_no: refund.out_refund_no(),
            total_fen: refund.total.get(),
            amount_fen: refund.amount.get(),
            reason: refund.reason.clone(),
            sub_mch_id: refund.sub_mch_id.clone(),
            goods: refund.goods.clone(),
            leave_before: leave_before(written_at, LEFT_WITHIN),
        };
        let answer = in_time(CALL_TIME, self.client.clone().create_refund(outgoing(CALL_TIME, request))).await;
        finish(answer, |response| {
            Some(match response.outcome? {
                create_refund_response::Outcome::Done(done) => Asked::Done(done),
                create_refund_response::Outcome::NotDone(not_done) => Asked::NotDone(not_done),
                create_refund_response::Outcome::Unknown(unknown) => Asked::Unknown { why: unknown.why, over: true },
            })
        })
    }

    /// Asks what has become of a refund.
    pub async fn query_refund(&self, refund: &Refund) -> Asked<RefundStatus> {
        let request = QueryRefundRequest {
            merchant: refund.merchant.clone(),
            mch_id: refund.mch_id.clone(),
            app_id: refund.app_id.clone(),
            out_refund_no: refund.out_refund_no(),
            sub_mch_id: refund.sub_mch_id.clone(),
            with_goods: !refund.goods.is_empty(),
            refund_id: String::new(),
        };
        self.ask_about_refund(request).await
    }

    /// Asks about a refund of `payment` that may have been made elsewhere, by its number, or by the provider's when that is empty.
    pub async fn query_refund_of(
        &self,
        payment: &Payment,
        out_refund_no: &str,
        refund_id: &str,
    ) -> Asked<RefundStatus> {
        let by_id = out_refund_no.is_empty();
        let request = QueryRefundRequest {
            merchant: payment.merchant.clone(),
            mch_id: payment.mch_id.clone(),
            app_id: payment.app_id.clone(),
            out_refund_no: out_refund_no.to_owned(),
            sub_mch_id: payment.sub_mch_id.clone(),
            with_goods: false,
            refund_id: if by_id { refund_id.to_owned() } else { String::new() },
        };
        self.ask_about_refund(request).await
    }

    async fn ask_about_refund(&self, request: QueryRefundRequest) -> Asked<RefundStatus> {
        let answer = in_time(CALL_TIME, self.client.clone().query_refund(outgoing(CALL_TIME, request))).await;
        finish(answer, |response| {
            Some(match response.outcome? {
                query_refund_response::Outcome::Done(done) => Asked::Done(done),
                query_refund_response::Outcome::NotDone(not_done) => Asked::NotDone(not_done),
                query_refund_response::Outcome::Unknown(unknown) => Asked::Unknown { why: unknown.why, over: true },
            })
        })
    }

    /// Signs the QR code of a product. Nothing is sent to a provider, so there is nothing that could be unknown.
    ///
    /// # Errors
    /// The gateway's status.
    pub async fn sign_product_code(&self, product: &ProductCode) -> Result<String, Status> {
        let request = SignProductCodeRequest {
            merchant: product.merchant.clone(),
            app_id: product.app_id.clone(),
            product_id: product.id.product_id(),
        };
        let answer = in_time(SIGN_TIME, self.client.clone().sign_product_code(outgoing(SIGN_TIME, request))).await?;
        Ok(answer.into_inner().code_url)
    }

    /// Turns a login code into the payer's openid.
    pub async fn resolve_openid(&self, merchant: &str, app_id: &str, login_code: &str) -> Asked<String> {
        let request = ResolveOpenidRequest {
            merchant: merchant.to_owned(),
            app_id: app_id.to_owned(),
            login_code: login_code.to_owned(),
        };
        let answer = in_time(CALL_TIME, self.client.clone().resolve_openid(outgoing(CALL_TIME, request))).await;
        finish(answer, |response| {
            Some(match response.outcome? {
                resolve_openid_response::Outcome::Done(done) => Asked::Done(done.openid),
                resolve_openid_response::Outcome::NotDone(not_done) => Asked::NotDone(not_done),
                resolve_openid_response::Outcome::Unknown(unknown) => Asked::Unknown { why: unknown.why, over: true },
            })
        })
    }
}

/// The instant before which the gateway sends what was written at `written_at`, or never. It is one of the real time, which the
/// gateway reads too, and never of the development clock.
pub fn leave_before(written_at: Instant, within: Duration) -> Option<pbjson_types::Timestamp> {
    // A time that is over stays so: the gateway then sends nothing.
    let left = SignedDuration::try_from(within.saturating_sub(written_at.elapsed())).unwrap_or_default();
    Clock::system().now().checked_add(left).ok().map(to_wire)
}

/// The deadline in the request begins to count when it leaves; one that waits for a connection has none. So the whole call has
/// one here. A call that is given up while it waits is never sent.
async fn in_time<R>(
    time: Duration,
    call: impl Future<Output = Result<tonic::Response<R>, Status>>,
) -> Result<tonic::Response<R>, Status> {
    let answer = tokio::time::timeout(time, call).await;
    answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time")))
}

fn outgoing<T>(time: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(time);
    trace::inject_metadata(request.metadata_mut());
    request
}

/// A method in the words of the gateway.
pub fn method(method: Method) -> PaymentMethod {
    match method {
        Method::MiniProgram => PaymentMethod::MiniProgram,
        Method::Jsapi => PaymentMethod::Jsapi,
        Method::Native => PaymentMethod::Native,
        Method::App => PaymentMethod::App,
        Method::H5 => PaymentMethod::H5,
        Method::PayCode => PaymentMethod::PayCode,
        Method::Face => PaymentMethod::Face,
        Method::Facepay => PaymentMethod::Facepay,
    }
}

fn finish<R, T>(answer: Result<tonic::Response<R>, Status>, outcome: impl FnOnce(R) -> Option<Asked<T>>) -> Asked<T> {
    match answer {
        Ok(response) => outcome(response.into_inner())
            .unwrap_or_else(|| Asked::Unknown { why: "an outcome of a later release".to_owned(), over: true }),
        Err(status) => failed(&status),
    }
}

/// What a gRPC error says about the call. Only a refusal that the gateway itself wrote proves that nothing was sent: the
/// transport says UNAVAILABLE of a connection that broke in the middle, too.
fn failed<T>(status: &Status) -> Asked<T> {
    let why = format!("{:?}: {}", status.code(), status.message());
    if refusal::reason_of(status).is_none() {
        return Asked::Unknown { why, over: false };
    }
    match status.code() {
        Code::InvalidArgument | Code::NotFound | Code::FailedPrecondition => Asked::NotSent { why, ever: false },
        Code::ResourceExhausted | Code::Unavailable => Asked::NotSent { why, ever: true },
        _ => Asked::Unknown { why, over: false },
    }
}

#[cfg(test)]
mod tests {
    use svc_kit::refusal::refuse;
    use tonic::{Code, Status};

    use std::time::{Duration, Instant};

    use svc_kit::clock::Clock;

    use super::{Asked, failed, leave_before};

    #[test]
    fn a_call_that_was_held_up_is_left_less_time_and_none_when_that_is_over() {
        let read = || leave_before(Instant::now(), Duration::from_secs(30)).as_ref().and_then(proto::time::from_wire);
        let (before, limit, after) = (Clock::system().now(), read().expect("an instant"), Clock::system().now());
        let seconds = |from: jiff::Timestamp| limit.duration_since(from).as_secs_f64();
        assert!(seconds(before) <= 31.0 && 29.0 < seconds(after) + 0.5, "{before} {limit} {after}");
        // Written longer ago than it may take: the instant is over as soon as it is read.
        let over = leave_before(Instant::now(), Duration::ZERO).as_ref().and_then(proto::time::from_wire);
        assert!(over.expect("an instant") <= Clock::system().now());
    }

    #[test]
    fn only_the_gateways_own_refusal_proves_that_nothing_was_sent() {
        let own = refuse(Code::Unavailable, "TRY_AGAIN", "later", []);
        assert!(matches!(failed::<()>(&own), Asked::NotSent { ever: true, .. }));
        let never = refuse(Code::NotFound, "MERCHANT_NOT_FOUND", "no such merchant", []);
        assert!(matches!(failed::<()>(&never), Asked::NotSent { ever: false, .. }));
        for code in [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled, Code::Internal, Code::Unknown] {
            assert!(matches!(failed::<()>(&Status::new(code, "broken pipe")), Asked::Unknown { .. }), "{code:?}");
        }
    }
}

//! pay-gateway as order-svc sees it: every call ends in done, not done, unknown or not sent, and nothing else.

mod merchants;

pub use merchants::{App, Merchant, Merchants};

use std::time::Duration;

use proto::gateway::v1::{
    ClosePaymentRequest, NotDone, PaymentStatus, Prepaid, PrepayRequest, QueryPaymentRequest, ResolveOpenidRequest,
    close_payment_response, payment_gateway_client::PaymentGatewayClient, prepay_response, query_payment_response,
    resolve_openid_response,
};
use svc_kit::{refusal, trace};
use tonic::{Code, Request, Status, transport::Channel};

use crate::domain::payment::Payment;

/// Longest wait for one call. Longer than the gateway's own wait for a provider, so its word arrives.
pub const CALL_TIME: Duration = Duration::from_secs(12);

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
    },
    /// The gateway refused to send it; nothing happened.
    NotSent {
        /// Why.
        why: String,
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

    /// Asks the provider to accept an attempt.
    pub async fn prepay(&self, request: PrepayRequest) -> Asked<Prepaid> {
        let answer = self.client.clone().prepay(outgoing(request)).await;
        finish(answer, |response| {
            Some(match response.outcome? {
                prepay_response::Outcome::Done(done) => Asked::Done(done),
                prepay_response::Outcome::NotDone(not_done) => Asked::NotDone(not_done),
                prepay_response::Outcome::Unknown(unknown) => Asked::Unknown { why: unknown.why },
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
        };
        let answer = self.client.clone().query_payment(outgoing(request)).await;
        finish(answer, |response| {
            Some(match response.outcome? {
                query_payment_response::Outcome::Done(done) => Asked::Done(done),
                query_payment_response::Outcome::NotDone(not_done) => Asked::NotDone(not_done),
                query_payment_response::Outcome::Unknown(unknown) => Asked::Unknown { why: unknown.why },
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
        };
        let answer = self.client.clone().close_payment(outgoing(request)).await;
        finish(answer, |response| {
            Some(match response.outcome? {
                close_payment_response::Outcome::Done(_) => Asked::Done(()),
                close_payment_response::Outcome::NotDone(not_done) => Asked::NotDone(not_done),
                close_payment_response::Outcome::Unknown(unknown) => Asked::Unknown { why: unknown.why },
            })
        })
    }

    /// Turns a login code into the payer's openid.
    pub async fn resolve_openid(&self, merchant: &str, app_id: &str, login_code: &str) -> Asked<String> {
        let request = ResolveOpenidRequest {
            merchant: merchant.to_owned(),
            app_id: app_id.to_owned(),
            login_code: login_code.to_owned(),
        };
        let answer = self.client.clone().resolve_openid(outgoing(request)).await;
        finish(answer, |response| {
            Some(match response.outcome? {
                resolve_openid_response::Outcome::Done(done) => Asked::Done(done.openid),
                resolve_openid_response::Outcome::NotDone(not_done) => Asked::NotDone(not_done),
                resolve_openid_response::Outcome::Unknown(unknown) => Asked::Unknown { why: unknown.why },
            })
        })
    }
}

fn outgoing<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_TIME);
    trace::inject_metadata(request.metadata_mut());
    request
}

fn finish<R, T>(answer: Result<tonic::Response<R>, Status>, outcome: impl FnOnce(R) -> Option<Asked<T>>) -> Asked<T> {
    match answer {
        Ok(response) => outcome(response.into_inner())
            .unwrap_or_else(|| Asked::Unknown { why: "an outcome of a later release".to_owned() }),
        Err(status) => failed(&status),
    }
}

/// What a gRPC error says about the call. Only a refusal that the gateway itself wrote proves that nothing was sent: the
/// transport says UNAVAILABLE of a connection that broke in the middle, too.
fn failed<T>(status: &Status) -> Asked<T> {
    let why = format!("{:?}: {}", status.code(), status.message());
    let refused_by_gateway = refusal::reason_of(status).is_some();
    match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::FailedPrecondition
        | Code::ResourceExhausted
        | Code::Unavailable
            if refused_by_gateway =>
        {
            Asked::NotSent { why }
        }
        _ => Asked::Unknown { why },
    }
}

#[cfg(test)]
mod tests {
    use svc_kit::refusal::refuse;
    use tonic::{Code, Status};

    use super::{Asked, failed};

    #[test]
    fn only_the_gateways_own_refusal_proves_that_nothing_was_sent() {
        let own = refuse(Code::Unavailable, "TRY_AGAIN", "later", []);
        assert!(matches!(failed::<()>(&own), Asked::NotSent { .. }));
        for code in [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled, Code::Internal, Code::Unknown] {
            assert!(matches!(failed::<()>(&Status::new(code, "broken pipe")), Asked::Unknown { .. }), "{code:?}");
        }
    }
}

//! The calls beside the life of an ordinary order: charges by pay code and face, single-item refunds, tools, red packets.

use std::sync::Arc;

use axum::{Router, extract::State, response::Response, routing::any};
use wechat_pay::v2::{Fields, SignType};

use super::{
    Refusal, Request, auth_code_to_openid, carry_out, comments, download_fund_flow, face_auth_info, face_pay, micropay,
    red_packet, refund, refund_v2, report,
    request::{Reading, Signing},
    reverse, short_url, unsigned,
};
use crate::{control::FaultPoint, platform::Platform, tls::ClientCertificate};

/// What a call does.
type Execute = fn(&Platform, &Request) -> Result<Fields, Refusal>;

/// A call whose answers are signed.
#[derive(Clone, Copy)]
struct Call {
    path: &'static str,
    on: FaultPoint,
    reading: Reading,
    /// Whether the merchant's certificate must be shown.
    certified: bool,
    execute: Execute,
}

const ANY: Reading = Reading { signing: Signing::Declared, decoded: None };
const HMAC: Reading = Reading { signing: Signing::Always(SignType::HmacSha256), decoded: None };

const CALLS: [Call; 10] = [
    Call::plain("/pay/micropay", FaultPoint::Micropay, ANY, micropay::execute),
    Call::certified("/secapi/pay/reverse", FaultPoint::Reverse, reverse::execute),
    Call::plain("/pay/facepay", FaultPoint::Facepay, HMAC, face_pay::execute),
    Call::plain("/pay/facepayquery", FaultPoint::FacepayQuery, ANY, face_pay::query),
    Call::certified("/secapi/pay/facepayreverse", FaultPoint::FacepayReverse, reverse::execute_face),
    Call::plain("/face/get_wxpayface_authinfo", FaultPoint::FaceAuthInfo, ANY, face_auth_info::execute),
    Call::plain(
        "/tools/authcodetoopenid",
        FaultPoint::AuthCodeToOpenid,
        Reading { signing: Signing::Md5BySchema, decoded: None },
        auth_code_to_openid::execute,
    ),
    Call::plain(
        "/tools/shorturl",
        FaultPoint::ShortUrl,
        Reading { signing: Signing::Declared, decoded: Some("long_url") },
        short_url::execute,
    ),
    Call::certified("/secapi/pay/refundv2", FaultPoint::RefundV2, refund_v2::execute),
    Call::plain("/pay/refundqueryv2", FaultPoint::RefundQueryV2, ANY, refund_v2::query),
];

impl Call {
    const fn plain(path: &'static str, on: FaultPoint, reading: Reading, execute: Execute) -> Call {
        Call { path, on, reading, certified: false, execute }
    }

    const fn certified(path: &'static str, on: FaultPoint, execute: Execute) -> Call {
        Call { path, on, reading: ANY, certified: true, execute }
    }

    async fn serve(self, platform: &Platform, request: axum::extract::Request) -> Response {
        let read = if self.certified {
            certified(platform, request, self.reading).await
        } else {
            Request::read_as(platform, request, self.reading).await.map_err(|unread| unsigned(unread.return_msg()))
        };
        match read {
            Ok(request) => carry_out(platform, self.on, self.path, &request, self.execute).await,
            Err(refused) => refused,
        }
    }
}

/// Reads a request of a call that needs the certificate of the merchant who signs; the error is the answer.
pub(super) async fn certified(
    platform: &Platform,
    request: axum::extract::Request,
    reading: Reading,
) -> Result<Request, Response> {
    let certificate = request.extensions().get::<ClientCertificate>().cloned().ok_or_else(refund::no_certificate)?;
    let request = Request::read_as(platform, request, reading).await.map_err(|unread| unsigned(unread.return_msg()))?;
    if certificate.is_of(request.mch_id()) { Ok(request) } else { Err(unsigned(refund::FOREIGN_CERTIFICATE)) }
}

pub(super) fn routes() -> Router<Arc<Platform>> {
    let router = Router::new()
        .route("/payitil/report", any(report::handle))
        .route("/billcommentsp/batchquerycomment", any(comments::handle))
        .route("/pay/downloadfundflow", any(download_fund_flow::handle))
        .merge(red_packet::routes());
    CALLS.into_iter().fold(router, |router, call| {
        let serve = move |State(platform): State<Arc<Platform>>, request: axum::extract::Request| async move {
            call.serve(&platform, request).await
        };
        router.route(call.path, any(serve))
    })
}

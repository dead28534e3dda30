//! WeChat's calls, one file each.

mod auth_code_to_openid;
mod close_order;
mod comments;
mod download_bill;
mod download_fund_flow;
mod exchange;
mod face_auth_info;
mod face_pay;
mod goods;
mod js_code_2_session;
mod micropay;
mod more;
mod oauth_access_token;
mod order_query;
mod plain;
mod red_packet;
mod refund;
mod refund_query;
mod refund_v2;
mod refusal;
mod report;
mod request;
mod reverse;
mod short_url;
mod unified_order;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{any, get},
};
use wechat_pay::v2::{CloseOrder, DownloadBill, Fields, OrderQuery, Refund, RefundQuery, UnifiedOrder, login};

use crate::{control::FaultPoint, platform::Platform, tls::ClientCertificate};
use exchange::with_fault;
use refusal::{Refusal, unsigned};
use request::Request;
pub(crate) use unified_order::{H5_PATH, host, wap_host};

/// The paths of WeChat's two hosts. They do not overlap, so one port serves both.
pub(crate) fn routes() -> Router<Arc<Platform>> {
    // Any method reaches the calls, because the wrong one has an error code of its own.
    Router::new()
        .route(UnifiedOrder::PATH, any(unified_order))
        .route(OrderQuery::PATH, any(order_query))
        .route(CloseOrder::PATH, any(close_order))
        .route(Refund::PATH, any(refund))
        .route(RefundQuery::PATH, any(refund_query))
        .route(DownloadBill::PATH, any(download_bill::handle))
        .route(login::PATH, get(js_code_2_session::handle))
        .route(oauth_access_token::PATH, get(oauth_access_token::handle))
        .merge(more::routes())
}

async fn unified_order(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    serve(&platform, FaultPoint::UnifiedOrder, request, unified_order::execute).await
}

async fn order_query(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    serve(&platform, FaultPoint::OrderQuery, request, order_query::execute).await
}

async fn close_order(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    serve(&platform, FaultPoint::CloseOrder, request, close_order::execute).await
}

async fn refund_query(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    serve(&platform, FaultPoint::RefundQuery, request, refund_query::execute).await
}

/// A call that needs more than a signature: the certificate of the merchant who signs.
async fn refund(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    let Some(certificate) = request.extensions().get::<ClientCertificate>().cloned() else {
        return refund::no_certificate();
    };
    match Request::read(&platform, request).await {
        Ok(request) if certificate.is_of(request.mch_id()) => {
            carry_out(&platform, FaultPoint::Refund, Refund::PATH, &request, refund::execute).await
        }
        Ok(_) => unsigned(refund::FOREIGN_CERTIFICATE),
        Err(unread) => unsigned(unread.return_msg()),
    }
}

/// Serves a call whose answers are signed.
async fn serve(
    platform: &Platform,
    on: FaultPoint,
    request: axum::extract::Request,
    execute: fn(&Platform, &Request) -> Result<Fields, Refusal>,
) -> Response {
    let path = request.uri().path().to_owned();
    match Request::read(platform, request).await {
        Ok(request) => carry_out(platform, on, &path, &request, execute).await,
        Err(unread) => unsigned(unread.return_msg()),
    }
}

/// Carries out a request that the merchant signed, as the fault that strikes it wants.
async fn carry_out(
    platform: &Platform,
    on: FaultPoint,
    path: &str,
    request: &Request,
    execute: fn(&Platform, &Request) -> Result<Fields, Refusal>,
) -> Response {
    let out_trade_no = order_meant(platform, request);
    let fault = platform.rules().strike(on, Some(request.merchant.name.as_str()), out_trade_no.as_deref());
    with_fault(
        platform,
        fault,
        path,
        |fault| {
            let execute = || request.check_identity(platform).and_then(|()| execute(platform, request));
            request.answer(reverse::recalled(fault, execute), fault)
        },
        |code| request.answer(Err(Refusal::named(code)), None),
    )
    .await
}

/// The number of the order that a request is about; one that names its payment or a refund of it is about it, too.
fn order_meant(platform: &Platform, request: &Request) -> Option<String> {
    let (fields, mch_id) = (&request.fields, request.mch_id());
    if let Some(out_trade_no) = fields.text("out_trade_no") {
        return Some(out_trade_no.to_owned());
    }
    let ledger = platform.ledger();
    let by_payment = fields.text("transaction_id").and_then(|number| ledger.find_paid(mch_id, number));
    let by_refund = || {
        let by_id = fields.text("refund_id").and_then(|number| ledger.find_refund_id(mch_id, number));
        let by_number = || fields.text("out_refund_no").and_then(|number| ledger.find_refund(mch_id, number));
        by_id.or_else(by_number).map(|id| ledger.refund(id).order)
    };
    by_payment.or_else(by_refund).map(|id| ledger.order(id).out_trade_no.clone())
}

//! WeChat's calls, one file each.

mod close_order;
mod download_bill;
mod exchange;
mod js_code_2_session;
mod order_query;
mod refusal;
mod request;
mod unified_order;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{any, get},
};
use wechat_pay::v2::{CloseOrder, DownloadBill, Fields, OrderQuery, UnifiedOrder, login};

use crate::{control::FaultPoint, platform::Platform};
use exchange::with_fault;
use refusal::{Refusal, unsigned};
use request::Request;

/// The paths of WeChat's two hosts. They do not overlap, so one port serves both.
pub(crate) fn routes() -> Router<Arc<Platform>> {
    // Any method reaches the calls, because the wrong one has an error code of its own.
    Router::new()
        .route(UnifiedOrder::PATH, any(unified_order))
        .route(OrderQuery::PATH, any(order_query))
        .route(CloseOrder::PATH, any(close_order))
        .route(DownloadBill::PATH, any(download_bill::handle))
        .route(login::PATH, get(js_code_2_session::handle))
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

/// Serves a call whose answers are signed.
async fn serve(
    platform: &Platform,
    on: FaultPoint,
    request: axum::extract::Request,
    execute: fn(&Platform, &Request) -> Result<Fields, Refusal>,
) -> Response {
    let path = request.uri().path().to_owned();
    let request = match Request::read(platform, request).await {
        Ok(request) => request,
        Err(unread) => return unsigned(unread.return_msg()),
    };
    // A query by transaction id is about an order too.
    let out_trade_no = request.fields.text("out_trade_no").map(str::to_owned).or_else(|| {
        let ledger = platform.ledger();
        let id = ledger.find_paid(request.mch_id(), request.fields.text("transaction_id")?)?;
        Some(ledger.order(id).out_trade_no.clone())
    });
    let fault = platform.rules().strike(on, Some(request.merchant.name.as_str()), out_trade_no.as_deref());
    with_fault(
        platform,
        fault,
        &path,
        |fault| request.answer(request.check_identity(platform).and_then(|()| execute(platform, &request)), fault),
        |code| request.answer(Err(Refusal::named(code)), None),
    )
    .await
}

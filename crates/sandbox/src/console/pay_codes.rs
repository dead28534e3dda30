//! Commands about pay codes and face codes.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::post,
};
use bytes::Bytes;
use http::StatusCode;
use jiff::SignedDuration;
use wechat_pay::v2::limits;

use super::{Refused, bad, found, optional_command};
use crate::{
    control::{Cancel, FaceCode, NewPayCode, Order, PayCode},
    ledger::{CodeKind, PayCodes},
    platform::Platform,
};

/// Longest time that a user takes to pay, in seconds: a day.
const MAX_AFTER_S: u32 = 24 * 3600;

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/_sandbox/pay-codes", post(make_pay_code))
        .route("/_sandbox/face-codes", post(make_face_code))
        .route("/_sandbox/payments/{out_trade_no}/cancel", post(cancel))
}

async fn make_pay_code(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Json<PayCode>, Refused> {
    show_pay_code(&platform, optional_command(&body)?).map(Json)
}

/// Shows a pay code on a phone; the phone's page comes here too.
pub(crate) fn show_pay_code(platform: &Platform, wanted: NewPayCode) -> Result<PayCode, Refused> {
    let (auth_code, openid) = make(platform, CodeKind::Phone, wanted)?;
    Ok(PayCode { auth_code, openid, expires_at: PayCodes::expiry(platform.clock.now()) })
}

async fn make_face_code(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Json<FaceCode>, Refused> {
    let (face_code, openid) = make(&platform, CodeKind::Face, optional_command(&body)?)?;
    Ok(Json(FaceCode { face_code, openid, expires_at: PayCodes::expiry(platform.clock.now()) }))
}

fn make(platform: &Platform, kind: CodeKind, wanted: NewPayCode) -> Result<(String, String), Refused> {
    if wanted.openid.as_ref().is_some_and(|openid| limits::check_openid(openid).is_err()) {
        return Err(bad("an openid has 1 to 128 letters, digits, hyphens and underscores"));
    }
    if MAX_AFTER_S < wanted.after_s {
        return Err(bad("after_s is at most 86400"));
    }
    let after = SignedDuration::from_secs(i64::from(wanted.after_s));
    let now = platform.clock.now();
    Ok(platform.ledger().codes.make(kind, wanted.openid, wanted.behaviour, after, now))
}

async fn cancel(
    State(platform): State<Arc<Platform>>,
    Path(out_trade_no): Path<String>,
    body: Bytes,
) -> Result<Json<Order>, Refused> {
    let Cancel { merchant } = optional_command(&body)?;
    let mut ledger = platform.ledger();
    let id = found(ledger.look_up(&out_trade_no, merchant.as_deref()), "no order has this number")?;
    let not_asked = |_| Refused::new(StatusCode::CONFLICT, "nobody is asked for a password");
    ledger.cancel(id).map_err(not_asked)?;
    Ok(Json(ledger.order_view(ledger.order(id))))
}

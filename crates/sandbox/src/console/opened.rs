//! Commands of whoever holds the phone: scan, pay what was opened, agree to a page's OAuth.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::post};
use bytes::Bytes;
use http::StatusCode;
use wechat_pay::v2::limits;

use super::{Refused, bad, command, pay_found};
use crate::{
    control::{LoginCode, NewOAuthCode, Paid, Pay, PayOpened, Scan, Scanned},
    login::{CodeKind, Scope},
    platform::Platform,
    scan::{self, MAX_DUPLICATES},
};

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/_sandbox/oauth_codes", post(make_oauth_code))
        .route("/_sandbox/scans", post(scan))
        .route("/_sandbox/pay", post(pay))
}

async fn make_oauth_code(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Json<LoginCode>, Refused> {
    let NewOAuthCode { app_id, openid, scope } = command(&body)?;
    if platform.app(&app_id).is_none() {
        return Err(Refused::new(StatusCode::NOT_FOUND, "no merchant is paired with this app id"));
    }
    check_openid(openid.as_deref())?;
    let scope = scope.map_or(Some(Scope::default()), |word| Scope::parse(&word));
    let scope = scope.ok_or_else(|| bad("scope is snsapi_base or snsapi_userinfo"))?;
    let (code, openid) = platform.logins().make(CodeKind::OAuth(scope), &app_id, openid, platform.clock.now());
    Ok(Json(LoginCode { code, openid }))
}

async fn scan(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Json<Scanned>, Refused> {
    let wanted: Scan = command(&body)?;
    check_openid(wanted.openid.as_deref())?;
    if MAX_DUPLICATES < wanted.duplicate {
        return Err(bad("duplicate is at most 20"));
    }
    let known = ["appid", "openid", "mch_id", "is_subscribe", "nonce_str", "product_id", "sub_appid", "sub_mch_id"];
    if wanted
        .corrupt
        .as_deref()
        .is_some_and(|field| !known.contains(&field) && !["sub_openid", "sign"].contains(&field))
    {
        return Err(bad("corrupt is a field of the question, such as sign or product_id"));
    }
    Ok(Json(scan::scan(&platform, &wanted).await))
}

async fn pay(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Json<Paid>, Refused> {
    let PayOpened { code_url, prepay_id, openid, in_cashier } = command(&body)?;
    check_openid(openid.as_deref())?;
    let prepay_id = match (code_url, prepay_id) {
        (None, Some(prepay_id)) => prepay_id,
        (Some(code_url), None) => {
            let known = platform.ledger().prepay_of_code(&code_url).map(|prepay| prepay.prepay_id.clone());
            known.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "no order has this code_url"))?
        }
        (None, None) | (Some(_), Some(_)) => return Err(bad("name code_url or prepay_id")),
    };
    pay_opened(&platform, &prepay_id, openid, in_cashier).map(Json)
}

/// Lets the user pay what a prepay id opens: whom the order names, otherwise `payer` or a new user.
pub(crate) fn pay_opened(
    platform: &Platform,
    prepay_id: &str,
    payer: Option<String>,
    in_cashier: bool,
) -> Result<Paid, Refused> {
    let ledger = platform.ledger();
    let unknown = || Refused::new(StatusCode::NOT_FOUND, "no order has this prepay id");
    let prepay = ledger.prepay(prepay_id).ok_or_else(unknown)?;
    match ledger.openable(prepay, platform.clock.now()) {
        Err(refused) if !in_cashier => return Err(Refused::new(StatusCode::CONFLICT, refused.to_string())),
        // What a cashier that is open already may do is said by the payment itself.
        _ => {}
    }
    let id = prepay.order;
    pay_found(platform, ledger, id, Pay { in_cashier, ..Pay::default() }, payer)
}

fn check_openid(openid: Option<&str>) -> Result<(), Refused> {
    if openid.is_some_and(|openid| limits::check_openid(openid).is_err()) {
        return Err(bad("an openid has 1 to 128 letters, digits, hyphens and underscores"));
    }
    Ok(())
}

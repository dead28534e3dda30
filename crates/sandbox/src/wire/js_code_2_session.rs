use std::sync::Arc;

use axum::{
    extract::{Query, State},
    response::Response,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::exchange::{text, with_fault};
use crate::{control::FaultPoint, ids, login::CodeRefused, platform::Platform};

/// The query of jscode2session.
#[derive(serde::Deserialize)]
pub(super) struct Login {
    appid: Option<String>,
    secret: Option<String>,
    js_code: Option<String>,
    grant_type: Option<String>,
}

/// Why a login is refused: WeChat's number and words.
pub(super) type LoginRefused = (i64, &'static str);

/// `GET /sns/jscode2session`: a login code becomes a user. Answers are JSON under `text/plain`, and never signed.
pub(super) async fn handle(State(platform): State<Arc<Platform>>, Query(login): Query<Login>) -> Response {
    let owner = login.appid.as_deref().and_then(|app_id| platform.app(app_id));
    let merchant = owner.map(|(merchant, _)| merchant.name.to_string());
    let fault = platform.rules().strike(FaultPoint::JsCode2Session, merchant.as_deref(), None);
    with_fault(
        &platform,
        fault,
        wechat_pay::v2::login::PATH,
        |_| answer(exchange(&platform, &login)),
        // The rule was checked to hold a number.
        |code| answer(Err((code.parse().unwrap_or(-1), "system error"))),
    )
    .await
}

fn exchange(platform: &Platform, login: &Login) -> Result<Value, LoginRefused> {
    let (app_id, code) = check(platform, [&login.appid, &login.secret, &login.js_code], login.grant_type.as_deref())?;
    let openid = platform.logins().exchange(app_id, code, platform.clock.now()).map_err(spent)?;
    Ok(json!({ "session_key": ids::session_key(), "openid": openid }))
}

/// What both logins check before they look at the code: the app, its secret, that there is a code, and the grant.
pub(super) fn check<'a>(
    platform: &Platform,
    given: [&'a Option<String>; 3],
    grant_type: Option<&str>,
) -> Result<(&'a str, &'a str), LoginRefused> {
    let [app_id, secret, code] = given.map(|field| field.as_deref().filter(|value| !value.is_empty()));
    let app_id = app_id.ok_or((41002, "appid missing"))?;
    let secret = secret.ok_or((41004, "appsecret missing"))?;
    let code = code.ok_or((41008, "missing code"))?;
    if grant_type != Some("authorization_code") {
        return Err((40002, "invalid grant_type"));
    }
    let (_, app) = platform.app(app_id).ok_or((40013, "invalid appid"))?;
    if app.app_secret.is_none_or(|known| known.expose_secret() != secret) {
        return Err((40125, "invalid appsecret"));
    }
    Ok((app_id, code))
}

/// Why a code names nobody, in WeChat's words.
pub(super) fn spent(refused: CodeRefused) -> LoginRefused {
    match refused {
        CodeRefused::Invalid => (40029, "invalid code"),
        CodeRefused::Used => (40163, "code been used"),
        CodeRefused::TooOften => (45011, "api minute-quota reach limit"),
    }
}

/// The JSON of both logins.
pub(super) fn answer(outcome: Result<Value, LoginRefused>) -> Response {
    let body = outcome.unwrap_or_else(|(errcode, errmsg)| json!({ "errcode": errcode, "errmsg": errmsg }));
    text(body.to_string())
}

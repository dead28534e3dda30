use std::sync::Arc;

use axum::{
    extract::{Query, State},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    exchange::with_fault,
    js_code_2_session::{LoginRefused, answer, check, spent},
};
use crate::{control::FaultPoint, ids, platform::Platform};

/// Path below the login host.
pub(super) const PATH: &str = "/sns/oauth2/access_token";

/// How long a token of the user is good, in seconds. Nothing here takes one.
const EXPIRES_IN: u32 = 7200;

/// The query of `access_token`.
#[derive(serde::Deserialize)]
pub(super) struct Authorization {
    appid: Option<String>,
    secret: Option<String>,
    code: Option<String>,
    grant_type: Option<String>,
}

/// `GET /sns/oauth2/access_token`: the code of an OAuth redirect becomes a user. Answers are JSON under `text/plain`, and
/// never signed.
pub(super) async fn handle(State(platform): State<Arc<Platform>>, Query(grant): Query<Authorization>) -> Response {
    let owner = grant.appid.as_deref().and_then(|app_id| platform.app(app_id));
    let merchant = owner.map(|(merchant, _)| merchant.name.to_string());
    let fault = platform.rules().strike(FaultPoint::OAuthAccessToken, merchant.as_deref(), None);
    with_fault(
        &platform,
        fault,
        PATH,
        |_| answer(exchange(&platform, &grant)),
        // The rule was checked to hold a number.
        |code| answer(Err((code.parse().unwrap_or(-1), "system error"))),
    )
    .await
}

fn exchange(platform: &Platform, grant: &Authorization) -> Result<Value, LoginRefused> {
    let (app_id, code) = check(platform, [&grant.appid, &grant.secret, &grant.code], grant.grant_type.as_deref())?;
    let (openid, scope) = platform.logins().authorize(app_id, code, platform.clock.now()).map_err(spent)?;
    Ok(json!({
        "access_token": ids::nonce(),
        "expires_in": EXPIRES_IN,
        "refresh_token": ids::nonce(),
        "openid": openid,
        "scope": scope.as_str(),
    }))
}

//! OAuth of a page inside WeChat: the user agrees, and the browser goes back with a code.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Query, State},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use http::StatusCode;
use merchants::AppKind;
use url::Url;

use super::{cashier::back_to_shop, view};
use crate::{
    login::{CodeKind, Scope},
    platform::Platform,
};

/// Path below `open.weixin.qq.com`.
pub(super) const PATH: &str = "/connect/oauth2/authorize";

/// Longest `state`, in bytes.
const MAX_STATE: usize = 128;

/// What the page asks for, in the query of the address or hidden in the form.
#[derive(serde::Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    appid: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    response_type: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    state: String,
}

/// A request that WeChat would let the user agree to.
struct Checked {
    merchant: String,
    scope: Scope,
    back: Url,
}

/// Shows what the page asks for. With the openid alone there is nothing to ask: the browser goes back at once.
pub(super) async fn show(State(platform): State<Arc<Platform>>, Query(wanted): Query<Wanted>) -> Response {
    match check(&platform, &wanted) {
        Ok(checked) if checked.scope == Scope::Base => redirect(&platform, &wanted, checked).into_response(),
        Ok(checked) => {
            let Wanted { appid, redirect_uri, response_type, scope, state } = &wanted;
            let fields = [
                ("appid", &**appid),
                ("redirect_uri", redirect_uri),
                ("response_type", response_type),
                ("scope", scope),
                ("state", state),
            ];
            Html(view::consent(PATH, &checked.merchant, appid, &fields)).into_response()
        }
        Err(why) => refused(why),
    }
}

pub(super) async fn agree(State(platform): State<Arc<Platform>>, Form(wanted): Form<Wanted>) -> Response {
    match check(&platform, &wanted) {
        Ok(checked) => redirect(&platform, &wanted, checked).into_response(),
        Err(why) => refused(why),
    }
}

fn check(platform: &Platform, wanted: &Wanted) -> Result<Checked, &'static str> {
    let (merchant, app) = platform.app(&wanted.appid).ok_or("AppID参数错误")?;
    let back = back_to_shop(&wanted.redirect_uri).ok_or("redirect_uri参数错误")?;
    if wanted.response_type != "code" {
        return Err("response_type参数错误");
    }
    let scope = Scope::parse(&wanted.scope).filter(|_| app.kind == AppKind::OfficialAccount);
    let scope = scope.ok_or("Scope参数错误或没有Scope权限")?;
    if MAX_STATE < wanted.state.len() {
        return Err("state参数错误");
    }
    Ok(Checked { merchant: merchant.name.to_string(), scope, back })
}

/// Back to the page, with a code for the owner of the phone.
fn redirect(platform: &Platform, wanted: &Wanted, Checked { scope, mut back, .. }: Checked) -> Redirect {
    let owner = platform.phone_openid(&wanted.appid);
    let kind = CodeKind::OAuth(scope);
    let (code, _) = platform.logins().make(kind, &wanted.appid, Some(owner), platform.clock.now());
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", &wanted.state);
    Redirect::to(back.as_str())
}

fn refused(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Html(view::sentence("WeChat", why))).into_response()
}

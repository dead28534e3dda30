//! Where the browser of an H5 payer arrives, and what WeChat checks there. The sentences are WeChat's.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    response::Html,
};
use http::{HeaderMap, header};

use super::{
    cashier::{self, back_to_shop},
    view,
};
use crate::{
    platform::Platform,
    wire::{host, wap_host},
};

/// No page led here.
const NO_REFERER: &str = "商家参数格式有误，请联系商家解决";

/// Another site than the order's led here, or is to be returned to.
const OTHER_SITE: &str = "商家存在未配置的参数，请联系商家解决";

/// The link is older than five minutes, or was never made.
const STALE: &str = "支付请求已失效，请重新发起支付";

/// H5 payments are for browsers outside WeChat.
const INSIDE_WECHAT: &str = "请在微信外打开订单，进行支付";

#[derive(serde::Deserialize)]
pub(super) struct Link {
    prepay_id: Option<String>,
    package: Option<String>,
    redirect_url: Option<String>,
}

pub(super) async fn show(
    State(platform): State<Arc<Platform>>,
    headers: HeaderMap,
    Query(link): Query<Link>,
) -> Html<String> {
    let page = match check(&platform, &headers, &link) {
        Ok(prepay_id) => cashier::page(&platform, &prepay_id, link.redirect_url.as_deref()),
        Err(why) => view::sentence("H5", why),
    };
    Html(page)
}

/// The prepay id of a link that opens the cashier.
fn check(platform: &Platform, headers: &HeaderMap, link: &Link) -> Result<String, &'static str> {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    if text(header::USER_AGENT).is_some_and(|agent| agent.contains("MicroMessenger")) {
        return Err(INSIDE_WECHAT);
    }
    let from = text(header::REFERER).and_then(host).ok_or(NO_REFERER)?;
    let now = platform.clock.now();
    let ledger = platform.ledger();
    let prepay = link.prepay_id.as_deref().and_then(|id| ledger.prepay(id)).ok_or(STALE)?;
    let order = ledger.order(prepay.order);
    let is_genuine = order.trade_type == "MWEB" && link.package.as_deref() == Some(&*prepay.package.to_string());
    if !is_genuine || !prepay.is_fresh_link(now) {
        return Err(STALE);
    }
    let back = link.redirect_url.as_deref().map(|url| back_to_shop(url).ok_or(NO_REFERER)).transpose()?;
    // A merchant registers its domains with WeChat; what the order says of its page stands in for that.
    if let Some(site) = order.ordered("scene_info").and_then(wap_host)
        && (from != site || back.is_some_and(|back| back.host_str() != Some(&*site)))
    {
        return Err(OTHER_SITE);
    }
    Ok(prepay.prepay_id.clone())
}

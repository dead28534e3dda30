//! How an order is paid, with what only that way needs and may not have.

use merchants::AppKind;

use super::{
    Refusal, Request, malformed, required,
    scene::{check_h5, check_store},
};
use crate::platform::Platform;

/// The ways to pay that unifiedorder knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TradeType {
    Jsapi,
    Native,
    App,
    H5,
}

impl TradeType {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            TradeType::Jsapi => "JSAPI",
            TradeType::Native => "NATIVE",
            TradeType::App => "APP",
            TradeType::H5 => "MWEB",
        }
    }

    /// Reads the way to pay and checks what it needs.
    pub(super) fn read(platform: &Platform, request: &Request) -> Result<TradeType, Refusal> {
        let fields = &request.fields;
        let word = required(fields, "trade_type")?;
        let known = [TradeType::Jsapi, TradeType::Native, TradeType::App, TradeType::H5];
        let trade_type =
            known.into_iter().find(|known| known.as_str() == word).ok_or_else(|| malformed("trade_type"))?;
        let served = match trade_type {
            TradeType::Jsapi => {
                if fields.text("openid").is_none() && fields.text("sub_openid").is_none() {
                    let instead = if request.sub_mch_id().is_some() { "openid或sub_openid" } else { "openid" };
                    return Err(Refusal::lacks(instead));
                }
                let inside_wechat = |kind| matches!(kind, AppKind::MiniProgram | AppKind::OfficialAccount);
                opens_in(request, inside_wechat)
            }
            TradeType::App => opens_in(request, |kind| kind == AppKind::App),
            TradeType::Native => required(fields, "product_id").map(|_| true)?,
            TradeType::H5 => check_h5(fields).map(|()| true)?,
        };
        if trade_type != TradeType::H5 {
            check_store(fields)?;
        }
        check_payer(platform, request)?;
        if served { Ok(trade_type) } else { Err(Refusal::named("NOAUTH")) }
    }
}

/// Whether the app that opens the cashier is of such a kind. A service provider's own app is its own affair unless the
/// merchant's file lists it.
fn opens_in(request: &Request, is_right: impl Fn(AppKind) -> bool) -> bool {
    let sub_app = request.fields.text("sub_appid");
    let app = request.merchant.app(sub_app.unwrap_or_else(|| request.app_id()));
    app.map_or_else(|| sub_app.is_none() && is_right(AppKind::OfficialAccount), |app| is_right(app.kind))
}

/// Every user that an order names must be the app's.
fn check_payer(platform: &Platform, request: &Request) -> Result<(), Refusal> {
    let (fields, logins) = (&request.fields, platform.logins());
    let is_strange = |openid: &str, app_id: &str| {
        let openid = fields.text(openid);
        openid.is_some_and(|openid| logins.is_of_another_app(openid, app_id))
    };
    if is_strange("openid", request.app_id()) {
        return Err(Refusal::new("PARAM_ERROR", "appid和openid不匹配"));
    }
    if is_strange("sub_openid", fields.text("sub_appid").unwrap_or_default()) {
        return Err(Refusal::new("PARAM_ERROR", "sub_appid和sub_openid不匹配"));
    }
    Ok(())
}

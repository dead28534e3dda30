use merchants::{AppKind, FaceApi, Merchant, Merchants, Surplus};
use proto::gateway::v1;

use super::resolve_openid::login_of;

/// What is configured now, ordered by name; no keys.
pub(super) fn answer(merchants: &Merchants) -> v1::ListMerchantsResponse {
    v1::ListMerchantsResponse { merchants: merchants.list().iter().map(|merchant| told(merchant)).collect() }
}

fn told(merchant: &Merchant) -> v1::Merchant {
    v1::Merchant {
        name: merchant.name.to_string(),
        provider: merchant.provider().as_str().to_owned(),
        mch_id: merchant.mch_id().to_owned(),
        apps: merchant
            .apps()
            .iter()
            .map(|app| v1::App {
                app_id: app.app_id.clone(),
                kind: kind(app.kind).into(),
                can_resolve_openid: login_of(app.kind).is_some() && app.app_secret.is_some(),
            })
            .collect(),
        methods: methods(merchant).into_iter().map(str::to_owned).collect(),
        can_refund: has_certificate(merchant),
        surplus: surplus(merchant.surplus).into(),
        sub_mch_id: merchant.sub_mch_id().unwrap_or_default().to_owned(),
    }
}

/// The methods, in the order of `PaymentMethod`. A QR code and a browser need no app of their own; what cannot be reversed without
/// a certificate must not be started without one.
fn methods(merchant: &Merchant) -> Vec<&'static str> {
    let has = |kind| merchant.app_of_kind(kind).is_some();
    let certificate = has_certificate(merchant);
    let facepay = merchant.wechat_v2().is_some_and(|account| account.face_api == FaceApi::Facepay);
    [
        ("mini_program", has(AppKind::MiniProgram)),
        ("jsapi", has(AppKind::OfficialAccount)),
        ("native", true),
        ("app", has(AppKind::App)),
        ("h5", true),
        ("pay_code", certificate),
        ("face", certificate && !facepay),
        ("facepay", certificate && facepay),
    ]
    .into_iter()
    .filter_map(|(method, can)| can.then_some(method))
    .collect()
}

fn has_certificate(merchant: &Merchant) -> bool {
    merchant.wechat_v2().is_some_and(|account| account.client_identity.is_some())
}

fn surplus(surplus: Surplus) -> v1::SurplusPolicy {
    match surplus {
        Surplus::Refund => v1::SurplusPolicy::Refund,
        Surplus::Hold => v1::SurplusPolicy::Hold,
    }
}

fn kind(kind: AppKind) -> v1::AppKind {
    match kind {
        AppKind::MiniProgram => v1::AppKind::MiniProgram,
        AppKind::OfficialAccount => v1::AppKind::OfficialAccount,
        AppKind::App => v1::AppKind::App,
        AppKind::Web => v1::AppKind::Web,
    }
}

use merchants::{AppKind, Merchant, Merchants, Surplus};
use proto::gateway::v1;

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
                can_resolve_openid: app.kind == AppKind::MiniProgram && app.app_secret.is_some(),
            })
            .collect(),
        methods: [(AppKind::MiniProgram, "mini_program"), (AppKind::OfficialAccount, "jsapi")]
            .into_iter()
            .filter(|(kind, _)| merchant.app_of_kind(*kind).is_some())
            .map(|(_, method)| method.to_owned())
            .collect(),
        can_refund: merchant.wechat_v2().is_some_and(|account| account.client_identity.is_some()),
        surplus: surplus(merchant.surplus).into(),
        sub_mch_id: merchant.sub_mch_id().unwrap_or_default().to_owned(),
    }
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

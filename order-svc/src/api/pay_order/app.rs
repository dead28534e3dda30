//! Which of a merchant's apps opens the cashier.

use proto::gateway::v1::AppKind;

use crate::{
    domain::payment::Method,
    gateway::{App, Merchant},
};

/// The app for `method`: the one that was named, or the only one that fits. Says what is missing otherwise.
pub(in crate::api) fn choose<'a>(merchant: &'a Merchant, method: Method, named: &str) -> Result<&'a App, String> {
    let name = &merchant.name;
    let (kind, words) = match method {
        Method::MiniProgram => (Some(AppKind::MiniProgram), "mini program"),
        Method::Jsapi => (Some(AppKind::OfficialAccount), "official account"),
        Method::App => (Some(AppKind::App), "native app"),
        // The app only says on whose behalf: nothing of it opens the cashier.
        Method::Native | Method::H5 | Method::PayCode | Method::Face | Method::Facepay => (None, "app"),
    };
    let fitting: Vec<&App> = merchant.apps.iter().filter(|app| kind.is_none_or(|kind| app.kind == kind)).collect();
    if !named.is_empty() {
        return fitting.into_iter().find(|app| app.app_id == named).ok_or_else(|| {
            let other = merchant.apps.iter().any(|app| app.app_id == named);
            let why = if other { ": that app is of another kind" } else { "" };
            format!("merchant {name} has no {words} {named}{why}")
        });
    }
    if method == Method::H5 {
        let webs: Vec<&App> = fitting.iter().copied().filter(|app| app.kind == AppKind::Web).collect();
        if let [only] = webs.as_slice() {
            return Ok(only);
        }
        if !webs.is_empty() {
            return Err(format!("merchant {name} has several web sites: name one in app_id"));
        }
    }
    match fitting.as_slice() {
        [only] => Ok(only),
        [] => Err(format!("merchant {name} has no {words}: its file must name one in [[apps]]")),
        _ => Err(format!("merchant {name} has several {words}s: name one in app_id")),
    }
}

#[cfg(test)]
mod tests {
    use proto::gateway::v1::AppKind;

    use super::choose;
    use crate::{
        domain::payment::Method,
        gateway::{App, Merchant, Surplus},
    };

    fn merchant(apps: &[(&str, AppKind)]) -> Merchant {
        let app = |(app_id, kind): &(&str, AppKind)| App {
            app_id: (*app_id).to_owned(),
            kind: *kind,
            can_resolve_openid: false,
        };
        Merchant {
            name: "acme".into(),
            provider: "wechat-v2".into(),
            mch_id: "1900000001".into(),
            sub_mch_id: String::new(),
            apps: apps.iter().map(app).collect(),
            methods: Vec::new(),
            can_refund: true,
            surplus: Surplus::Refund,
        }
    }

    fn chosen(apps: &[(&str, AppKind)], method: Method, named: &str) -> Result<String, String> {
        choose(&merchant(apps), method, named).map(|app| app.app_id.clone())
    }

    const MIXED: [(&str, AppKind); 4] = [
        ("wxmini", AppKind::MiniProgram),
        ("wxaccount", AppKind::OfficialAccount),
        ("wxapp", AppKind::App),
        ("wxweb", AppKind::Web),
    ];

    #[test]
    fn an_app_is_found_by_its_kind() {
        for (method, app_id) in [
            (Method::MiniProgram, "wxmini"),
            (Method::Jsapi, "wxaccount"),
            (Method::App, "wxapp"),
            (Method::H5, "wxweb"),
        ] {
            assert_eq!(chosen(&MIXED, method, ""), Ok(app_id.into()), "{method:?}");
            assert_eq!(chosen(&MIXED, method, app_id), Ok(app_id.into()), "{method:?}");
        }
    }

    #[test]
    fn an_app_of_another_kind_or_of_nobody_is_refused_with_what_is_missing() {
        let wrong = chosen(&MIXED, Method::App, "wxmini");
        assert_eq!(wrong, Err("merchant acme has no native app wxmini: that app is of another kind".into()));
        assert_eq!(chosen(&MIXED, Method::Native, "wxother"), Err("merchant acme has no app wxother".into()));
        let none = chosen(&MIXED[..1], Method::App, "").expect_err("no native app");
        assert!(none.contains("has no native app"), "{none}");
    }

    #[test]
    fn native_takes_the_only_app_or_the_one_that_is_named() {
        assert_eq!(chosen(&MIXED[..1], Method::Native, ""), Ok("wxmini".into()));
        assert_eq!(chosen(&MIXED, Method::Native, "wxaccount"), Ok("wxaccount".into()));
        let several = chosen(&MIXED, Method::Native, "").expect_err("which one?");
        assert_eq!(several, "merchant acme has several apps: name one in app_id");
    }

    #[test]
    fn h5_takes_the_web_site_then_the_only_app_then_the_one_that_is_named() {
        assert_eq!(chosen(&MIXED[..1], Method::H5, ""), Ok("wxmini".into()));
        assert!(chosen(&MIXED[..2], Method::H5, "").is_err());
        assert_eq!(chosen(&MIXED[..2], Method::H5, "wxaccount"), Ok("wxaccount".into()));
        let two = [("wxone", AppKind::Web), ("wxtwo", AppKind::Web)];
        let several = chosen(&two, Method::H5, "").expect_err("which one?");
        assert_eq!(several, "merchant acme has several web sites: name one in app_id");
    }
}

use proto::gateway::v1::{self, not_done::Kind, resolve_openid_response::Outcome};

use crate::{
    fake::{Fake, Reply},
    harness::{APP_ID, Gateway, MERCHANT, OFFICIAL, SECRET, logs},
};

const CODE: &str = "0a3bX1Ga1c0de5ecret00";

fn request() -> v1::ResolveOpenidRequest {
    v1::ResolveOpenidRequest { merchant: MERCHANT.into(), app_id: APP_ID.into(), login_code: CODE.into() }
}

async fn resolve(reply: Reply) -> (Outcome, Fake) {
    let fake = Fake::always(reply).await;
    let gateway = Gateway::before(&fake).await;
    let response = gateway.client.clone().resolve_openid(request()).await.expect("an outcome").into_inner();
    (response.outcome.expect("an outcome is set"), fake)
}

#[tokio::test]
async fn a_login_code_becomes_an_openid_and_the_session_key_stays() {
    let body = r#"{"session_key":"tiihtNczf5v6AKRyjwEUhQ==","openid":"oABCDEFG","unionid":"o1"}"#;
    let (outcome, fake) = resolve(Reply::ok(body)).await;
    assert_eq!(outcome, Outcome::Done(v1::Resolved { openid: "oABCDEFG".into() }));
    assert_eq!(
        fake.only().line(),
        format!(
            "GET /sns/jscode2session?appid={APP_ID}&secret={SECRET}&js_code={CODE}&grant_type=authorization_code HTTP/1.1"
        )
    );
}

/// The usual merchant, whose official account has a secret.
fn with_secret() -> tempfile::TempDir {
    let dir = crate::harness::merchants();
    let file = dir.path().join("acme-mini.toml");
    let text = std::fs::read_to_string(&file).expect("the file is there");
    let account = format!("app_id = \"{OFFICIAL}\"\n");
    let named = text.replace(&account, &format!("{account}app_secret_file = \"acme-mini.secret\"\n"));
    assert_ne!(named, text);
    std::fs::write(&file, named).expect("the file can be written");
    dir
}

#[tokio::test]
async fn a_code_of_an_official_accounts_redirect_becomes_an_openid_and_the_tokens_stay() {
    let body = r#"{"access_token":"tttttt","expires_in":7200,"refresh_token":"rrrrrr","openid":"oABCDEFG","scope":"snsapi_base"}"#;
    let fake = Fake::always(Reply::ok(body)).await;
    let gateway = Gateway::of(with_secret(), &fake.url, &[]).await;
    gateway
        .lists(|merchants| merchants[0].apps.iter().any(|app| app.app_id == OFFICIAL && app.can_resolve_openid))
        .await;
    let request = v1::ResolveOpenidRequest { app_id: OFFICIAL.into(), ..request() };
    let response = gateway.client.clone().resolve_openid(request).await.expect("an outcome").into_inner();
    assert_eq!(response.outcome, Some(Outcome::Done(v1::Resolved { openid: "oABCDEFG".into() })));
    assert_eq!(
        fake.only().line(),
        format!(
            "GET /sns/oauth2/access_token?appid={OFFICIAL}&secret={SECRET}&code={CODE}&grant_type=authorization_code HTTP/1.1"
        )
    );
    let logged = logs().text();
    assert!(!logged.contains("tttttt") && !logged.contains("rrrrrr"), "tokens are in the log");
}

#[tokio::test]
async fn a_spent_code_of_a_redirect_is_a_no_like_any_other() {
    for errcode in ["40029", "40163", "42003"] {
        let fake = Fake::always(Reply::ok(format!(r#"{{"errcode":{errcode},"errmsg":"invalid code"}}"#))).await;
        let gateway = Gateway::of(with_secret(), &fake.url, &[]).await;
        let request = v1::ResolveOpenidRequest { app_id: OFFICIAL.into(), ..request() };
        let response = gateway.client.clone().resolve_openid(request).await.expect("an outcome").into_inner();
        let Some(Outcome::NotDone(no)) = response.outcome else { panic!("{errcode} is a no") };
        assert_eq!((no.kind(), no.provider_code.as_str()), (Kind::LoginCodeInvalid, errcode));
    }
}

#[tokio::test]
async fn every_code_of_the_login_host_has_its_outcome() {
    for (errcode, kind) in [
        ("40029", Kind::LoginCodeInvalid),
        ("40163", Kind::LoginCodeInvalid),
        ("45011", Kind::RateLimited),
        ("40226", Kind::Refused),
        ("40013", Kind::Configuration),
        ("40125", Kind::Configuration),
    ] {
        let body = format!(r#"{{"errcode":{errcode},"errmsg":"no, rid: 0"}}"#);
        let Outcome::NotDone(no) = resolve(Reply::ok(body)).await.0 else { panic!("{errcode} is a no") };
        assert_eq!((no.kind(), no.provider_code.as_str()), (kind, errcode));
    }
    for (errcode, why) in [("-1", "system_error"), ("49999", "unlisted_code")] {
        let body = format!(r#"{{"errcode":{errcode},"errmsg":"system error"}}"#);
        let Outcome::Unknown(unknown) = resolve(Reply::ok(body)).await.0 else { panic!("{errcode} is unknown") };
        assert_eq!((unknown.why.as_str(), unknown.provider_code.as_str()), (why, errcode));
    }
}

#[tokio::test]
async fn what_is_no_login_answer_is_unknown() {
    for (reply, why) in [
        (Reply::ok("<html></html>"), "not_json"),
        (Reply::ok(r#"{"session_key":"x"}"#), "not_json"),
        (Reply::ok(format!("{{\"openid\":\"{}\"}}", "x".repeat(20_000))), "too_large"),
        (Reply::status("500 Internal Server Error", "", "{}"), "http_status"),
        (Reply::status("302 Found", "location: https://elsewhere.example/\r\n", ""), "redirect"),
        (Reply::ok(r#"{"openid":"o1"}"#).cut_after(5), "cut_off"),
        (Reply::HangUp, "transport"),
    ] {
        let Outcome::Unknown(unknown) = resolve(reply).await.0 else { panic!("{why} is unknown") };
        assert_eq!(unknown.why, why);
    }
}

#[tokio::test]
async fn neither_secret_nor_code_nor_openid_reaches_a_log_or_an_error() {
    for reply in [
        Reply::ok(r#"{"openid":"oVERYpersonal"}"#),
        Reply::ok(format!(r#"{{"errcode":40029,"errmsg":"invalid code {CODE}"}}"#)),
        Reply::HangUp,
        Reply::ok(r#"{"openid":"oVERYpersonal"}"#).cut_after(9),
    ] {
        let (outcome, _fake) = resolve(reply).await;
        let told = format!("{outcome:?}");
        assert!(!told.contains(SECRET) && !told.contains(CODE), "{told}");
    }
    let logged = logs().text();
    assert!(logged.contains("resolve_openid for acme-mini"), "the calls are logged");
    for hidden in [SECRET, CODE, "oVERYpersonal"] {
        assert!(!logged.contains(hidden), "{hidden} was logged");
    }
}

use std::time::Duration;

use serde_json::Value;
use wechat_pay::v2::login::{self, Login, LoginReason};

use crate::harness::{ACME, ACME_NATIVE_APP, Bench, TEA};

async fn exchange(bench: &Bench, query: &[(&str, &str)]) -> Login {
    let response = bench.http.get(format!("{}{}", bench.url, login::PATH)).query(query).send().await.unwrap();
    assert_eq!(response.status(), 200);
    login::parse(&response.bytes().await.unwrap())
}

async fn errcode(bench: &Bench, query: &[(&str, &str)]) -> i64 {
    let response = bench.http.get(format!("{}{}", bench.url, login::PATH)).query(query).send().await.unwrap();
    response.json::<Value>().await.unwrap()["errcode"].as_i64().unwrap_or_default()
}

fn query<'a>(app_id: &'a str, secret: &'a str, code: &'a str) -> [(&'static str, &'a str); 4] {
    [("appid", app_id), ("secret", secret), ("js_code", code), ("grant_type", "authorization_code")]
}

#[tokio::test]
async fn a_code_names_its_user_once() {
    let bench = Bench::start().await;
    let made = bench.login_code(ACME.app_id, Some("oUser1")).await;
    let query = query(ACME.app_id, ACME.app_secret, &made.code);
    let Login::Session(session) = exchange(&bench, &query).await else { panic!("the code is good") };
    assert_eq!(session.openid.as_str(), "oUser1");
    assert!(session.session_key.is_some());
    let Login::Refused(refusal) = exchange(&bench, &query).await else { panic!("the code was used") };
    assert_eq!(refusal.errcode, 40163);
}

#[tokio::test]
async fn a_code_is_good_for_five_minutes_of_the_sandboxs_clock() {
    let bench = Bench::start().await;
    let made = bench.login_code(ACME.app_id, None).await;
    bench.advance(Duration::from_mins(5)).await;
    assert_eq!(errcode(&bench, &query(ACME.app_id, ACME.app_secret, &made.code)).await, 40029);
}

#[tokio::test]
async fn each_wrong_part_of_a_login_has_its_number() {
    let bench = Bench::start().await;
    let code = bench.login_code(ACME.app_id, None).await.code;
    for (query, number) in [
        (query("wx0000000000000xxx", ACME.app_secret, &code), 40013),
        (query(ACME.app_id, TEA.app_secret, &code), 40125),
        (query(ACME_NATIVE_APP, ACME.app_secret, &code), 40125),
        (query(TEA.app_id, TEA.app_secret, &code), 40029),
        (query(ACME.app_id, ACME.app_secret, "never-made"), 40029),
        (query("", ACME.app_secret, &code), 41002),
        (query(ACME.app_id, "", &code), 41004),
        (query(ACME.app_id, ACME.app_secret, ""), 41008),
    ] {
        assert_eq!(errcode(&bench, &query).await, number);
    }
    let without_grant = &query(ACME.app_id, ACME.app_secret, &code)[..3];
    assert_eq!(errcode(&bench, without_grant).await, 40002);
    // None of these used the code up.
    assert_eq!(errcode(&bench, &query(ACME.app_id, ACME.app_secret, &code)).await, 0);
}

#[tokio::test]
async fn a_fault_answers_with_its_number_and_spares_the_code() {
    let bench = Bench::start().await;
    let code = bench.login_code(ACME.app_id, None).await.code;
    let rule =
        serde_json::json!({ "on": "jscode2session", "merchant": ACME.name, "do": "error_code", "code": "45011" });
    let fault = bench.fault(rule).await;
    let query = query(ACME.app_id, ACME.app_secret, &code);
    let Login::Refused(refusal) = exchange(&bench, &query).await else { panic!("the fault refuses") };
    assert_eq!(refusal.errcode, 45011);
    assert_eq!(refusal.reason, LoginReason::TooOften);
    assert!(matches!(exchange(&bench, &query).await, Login::Session(_)));
    assert_eq!(bench.hits(&fault).await, 1);
}

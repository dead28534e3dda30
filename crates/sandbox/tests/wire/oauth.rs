use std::time::Duration;

use sandbox::control::{LoginCode, NewOAuthCode};
use serde_json::{Value, json};
use url::Url;

use crate::harness::{ACME, Bench, PROVIDER_ACCOUNT as PROVIDER, PROVIDER_APP, TEA};

const AUTHORIZE: &str = "/connect/oauth2/authorize";
const TOKEN: &str = "/sns/oauth2/access_token";

async fn code(bench: &Bench, wanted: Value) -> LoginCode {
    let wanted: NewOAuthCode = serde_json::from_value(wanted).unwrap();
    let url = format!("{}/_sandbox/oauth_codes", bench.url);
    bench.http.post(url).json(&wanted).send().await.unwrap().json().await.unwrap()
}

async fn token(bench: &Bench, app_id: &str, secret: &str, code: &str) -> Value {
    let query = [("appid", app_id), ("secret", secret), ("code", code), ("grant_type", "authorization_code")];
    ask(bench, TOKEN, &query).await
}

async fn ask(bench: &Bench, path: &str, query: &[(&str, &str)]) -> Value {
    let response = bench.http.get(format!("{}{path}", bench.url)).query(query).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

fn wanted<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("appid", PROVIDER_APP),
        ("redirect_uri", "https://shop.example.com/pay?cart=7"),
        ("response_type", "code"),
        ("scope", "snsapi_base"),
        ("state", "x&y"),
    ];
    let other = |name| changes.iter().find(|(changed, _)| *changed == name);
    usual.into_iter().map(|(name, value)| other(name).copied().unwrap_or((name, value))).collect()
}

#[tokio::test]
async fn an_oauth_code_names_its_user_once() {
    let bench = Bench::start().await;
    let made = code(&bench, json!({ "app_id": PROVIDER_APP, "openid": "oUser1", "scope": "snsapi_userinfo" })).await;
    let answer = token(&bench, PROVIDER_APP, PROVIDER.app_secret, &made.code).await;
    assert_eq!((&answer["openid"], &answer["scope"]), (&json!("oUser1"), &json!("snsapi_userinfo")));
    assert_eq!(answer["expires_in"], 7200);
    assert!(answer["access_token"].is_string() && answer["refresh_token"].is_string());
    assert_eq!(token(&bench, PROVIDER_APP, PROVIDER.app_secret, &made.code).await["errcode"], 40163);
}

#[tokio::test]
async fn an_oauth_code_is_good_for_five_minutes() {
    let bench = Bench::start().await;
    let made = code(&bench, json!({ "app_id": PROVIDER_APP })).await;
    bench.advance(Duration::from_mins(5)).await;
    assert_eq!(token(&bench, PROVIDER_APP, PROVIDER.app_secret, &made.code).await["errcode"], 40029);
}

#[tokio::test]
async fn each_wrong_part_has_the_number_that_it_has_in_the_other_login() {
    let bench = Bench::start().await;
    let code = code(&bench, json!({ "app_id": PROVIDER_APP })).await.code;
    for (app_id, secret, code, number) in [
        ("wx0000000000000xxx", PROVIDER.app_secret, &*code, 40013),
        (PROVIDER_APP, ACME.app_secret, &code, 40125),
        (TEA.app_id, TEA.app_secret, &code, 40029),
        (PROVIDER_APP, PROVIDER.app_secret, "never-made", 40029),
        ("", PROVIDER.app_secret, &code, 41002),
        (PROVIDER_APP, "", &code, 41004),
        (PROVIDER_APP, PROVIDER.app_secret, "", 41008),
    ] {
        assert_eq!(token(&bench, app_id, secret, code).await["errcode"], number);
    }
    let query = [("appid", PROVIDER_APP), ("secret", PROVIDER.app_secret), ("code", &*code)];
    assert_eq!(ask(&bench, TOKEN, &query).await["errcode"], 40002);
    // None of these used the code up.
    assert!(token(&bench, PROVIDER_APP, PROVIDER.app_secret, &code).await["openid"].is_string());
}

#[tokio::test]
async fn a_login_code_is_no_oauth_code_nor_the_other_way_round() {
    let bench = Bench::start().await;
    let login = bench.login_code(PROVIDER_APP, None).await;
    assert_eq!(token(&bench, PROVIDER_APP, PROVIDER.app_secret, &login.code).await["errcode"], 40029);
    let oauth = code(&bench, json!({ "app_id": PROVIDER_APP })).await;
    let query = [
        ("appid", PROVIDER_APP),
        ("secret", PROVIDER.app_secret),
        ("js_code", &*oauth.code),
        ("grant_type", "authorization_code"),
    ];
    assert_eq!(ask(&bench, "/sns/jscode2session", &query).await["errcode"], 40029);
}

#[tokio::test]
async fn with_the_openid_alone_the_browser_goes_back_at_once() {
    let bench = Bench::start().await;
    let url = format!("{}{AUTHORIZE}", bench.url);
    let response = bench.http.get(&url).query(&wanted(&[])).send().await.unwrap();
    assert_eq!(response.status(), 303);
    let back = Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    let query: Vec<(String, String)> = back.query_pairs().into_owned().collect();
    assert_eq!((back.host_str(), back.path()), (Some("shop.example.com"), "/pay"));
    assert_eq!((&*query[0].1, &*query[2].1, &*query[2].0), ("7", "x&y", "state"));
    let first = token(&bench, PROVIDER_APP, PROVIDER.app_secret, &query[1].1).await;
    // The owner of the phone is the same person the next time.
    let again = bench.http.get(&url).query(&wanted(&[])).send().await.unwrap();
    let again = Url::parse(again.headers()["location"].to_str().unwrap()).unwrap();
    let code = again.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let second = token(&bench, PROVIDER_APP, PROVIDER.app_secret, &code).await;
    assert!(first["openid"].is_string() && first["openid"] == second["openid"]);
}

#[tokio::test]
async fn for_name_and_picture_the_user_is_asked_first() {
    let bench = Bench::start().await;
    let url = format!("{}{AUTHORIZE}", bench.url);
    let wanted = wanted(&[("scope", "snsapi_userinfo"), ("state", "\"><script>")]);
    let page = bench.http.get(&url).query(&wanted).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("Allow") && page.contains(PROVIDER_APP) && !page.contains("<script>"));
    let agreed = bench.http.post(&url).form(&wanted).send().await.unwrap();
    assert_eq!(agreed.status(), 303);
    let back = Url::parse(agreed.headers()["location"].to_str().unwrap()).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert_eq!(token(&bench, PROVIDER_APP, PROVIDER.app_secret, &code).await["scope"], "snsapi_userinfo");
}

#[tokio::test]
async fn a_page_that_asks_wrongly_gets_a_sentence_and_no_code() {
    let bench = Bench::start().await;
    let long = "x".repeat(129);
    for (change, sentence) in [
        (("appid", "wx0000000000000xxx"), "AppID"),
        // A mini program has no pages that could ask.
        (("appid", ACME.app_id), "Scope"),
        (("redirect_uri", "javascript:alert(1)"), "redirect_uri"),
        (("response_type", "token"), "response_type"),
        (("scope", "snsapi_everything"), "Scope"),
        (("state", &*long), "state"),
    ] {
        for request in [
            bench.http.get(format!("{}{AUTHORIZE}", bench.url)).query(&wanted(&[change])),
            bench.http.post(format!("{}{AUTHORIZE}", bench.url)).form(&wanted(&[change])),
        ] {
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 400, "{change:?}");
            assert!(response.text().await.unwrap().contains(sentence), "{change:?}");
        }
    }
}

#[tokio::test]
async fn an_oauth_code_is_made_for_known_apps_and_scopes_only() {
    let bench = Bench::start().await;
    let url = format!("{}/_sandbox/oauth_codes", bench.url);
    for (command, status) in [
        (json!({ "app_id": "wx0000000000000xxx" }), 404),
        (json!({ "app_id": PROVIDER_APP, "scope": "everything" }), 400),
        (json!({ "app_id": PROVIDER_APP, "openid": "" }), 400),
    ] {
        assert_eq!(bench.http.post(&url).json(&command).send().await.unwrap().status(), status, "{command}");
    }
}

#[tokio::test]
async fn a_fault_strikes_the_token_and_spares_the_code() {
    let bench = Bench::start().await;
    let made = code(&bench, json!({ "app_id": PROVIDER_APP })).await;
    let fault = bench.fault(json!({ "on": "oauthaccesstoken", "do": "error_code", "code": "-1" })).await;
    assert_eq!(token(&bench, PROVIDER_APP, PROVIDER.app_secret, &made.code).await["errcode"], -1);
    assert!(token(&bench, PROVIDER_APP, PROVIDER.app_secret, &made.code).await["openid"].is_string());
    assert_eq!(bench.hits(&fault).await, 1);
}

#[tokio::test]
async fn a_user_logs_into_a_mini_program_a_hundred_times_a_minute() {
    let bench = Bench::start().await;
    let login = async || {
        let code = bench.login_code(ACME.app_id, Some("oUser1")).await.code;
        let query = [
            ("appid", ACME.app_id),
            ("secret", ACME.app_secret),
            ("js_code", &*code),
            ("grant_type", "authorization_code"),
        ];
        ask(&bench, "/sns/jscode2session", &query).await["errcode"].as_i64()
    };
    // Ends early on a machine that needs more than a minute for this, because then nobody is refused.
    let begun = bench.clock().await.now;
    let mut served = 0;
    while served < 101 && login().await.is_none() {
        served += 1;
    }
    let took = bench.clock().await.now.duration_since(begun);
    assert!(served == 100 || 60 < took.as_secs(), "{served}");
    bench.advance(Duration::from_mins(1)).await;
    assert_eq!(login().await, None);
}

use std::time::Duration;

use sandbox::control::{LoginCode, NewOAuthCode};
use serde_json::{Value, json};

use crate::harness::{ACME, Bench, PROVIDER_ACCOUNT as PROVIDER, PROVIDER_APP, TEA};

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

use proptest::prelude::*;
use secrecy::SecretString;
use wechat_pay::v2::login::{Login, LoginReason, OAUTH_PATH, oauth_query, parse, query};

fn refused(body: &str) -> (i64, LoginReason) {
    match parse(body.as_bytes()) {
        Login::Refused(refusal) => (refusal.errcode, refusal.reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_needs_an_openid() {
    match parse(br#"{"session_key":"k","openid":"oABC","unionid":"","errcode":0}"#) {
        Login::Session(session) => {
            assert_eq!(session.openid.as_str(), "oABC");
            assert!(session.unionid.is_none());
        }
        other => panic!("{other:?}"),
    }
    for body in ["{}", r#"{"errcode":0}"#, r#"{"openid":""}"#, "", "<html>", "[]", r#"{"openid":7}"#] {
        assert!(matches!(parse(body.as_bytes()), Login::Unreadable), "{body}");
    }
}

#[test]
fn refusals_say_what_they_mean() {
    for (errcode, reason, retry) in [
        (-1, LoginReason::Busy, true),
        (45011, LoginReason::TooOften, true),
        (40029, LoginReason::CodeSpent, false),
        (40163, LoginReason::CodeSpent, false),
        (42003, LoginReason::CodeSpent, false),
        (40226, LoginReason::UserBlocked, false),
        (40013, LoginReason::Misconfigured, false),
        (40125, LoginReason::Misconfigured, false),
        (1, LoginReason::Other, false),
    ] {
        assert_eq!(refused(&format!(r#"{{"errcode":{errcode},"errmsg":"m"}}"#)), (errcode, reason));
        assert_eq!(reason.may_retry(), retry);
    }
    // A code beside an openid is still a refusal.
    assert_eq!(refused(r#"{"errcode":40029,"openid":"oABC"}"#).0, 40029);
}

#[test]
fn the_query_names_the_grant_and_sessions_hide_their_secrets() {
    let secret = SecretString::from("app-secret");
    assert_eq!(
        query("wx1", &secret, "code"),
        [("appid", "wx1"), ("secret", "app-secret"), ("js_code", "code"), ("grant_type", "authorization_code")]
    );
    let shown = format!("{:?}", parse(br#"{"session_key":"kkk","openid":"oABC","unionid":"uuu"}"#));
    assert!(!shown.contains("kkk") && !shown.contains("oABC") && !shown.contains("uuu"), "{shown}");
}

#[test]
fn an_official_account_asks_with_a_code_of_its_redirect_and_reads_the_same_openid() {
    let secret = SecretString::from("app-secret");
    assert_eq!(OAUTH_PATH, "/sns/oauth2/access_token");
    assert_eq!(
        oauth_query("wx1", &secret, "c0de"),
        [("appid", "wx1"), ("secret", "app-secret"), ("code", "c0de"), ("grant_type", "authorization_code")]
    );
    let answer =
        br#"{"access_token":"ttt","expires_in":7200,"refresh_token":"rrr","openid":"oABC","scope":"snsapi_base"}"#;
    let login = parse(answer);
    let Login::Session(session) = &login else { panic!("{login:?}") };
    assert_eq!(session.openid.as_str(), "oABC");
    assert!(session.session_key.is_none());
    let shown = format!("{login:?}");
    assert!(!shown.contains("ttt") && !shown.contains("rrr"), "{shown}");
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(!matches!(parse(&bytes), Login::Session(_)));
    }
}

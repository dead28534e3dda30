//! What can be seen without an order-svc; its answers have stories of their own.

use crate::harness::{kept, payctl, payctl_reading};

#[test]
fn without_a_token_nobody_is_asked() {
    let ended = payctl(&["order", "get", "S-1"]).with(2);
    assert!(ended.stderr.contains("no token: set --token-file"), "{}", ended.stderr);
}

#[test]
fn a_token_that_is_none_is_refused_and_not_shown() {
    let token = kept("team.token", "tok\u{e9}n\n".as_bytes());
    let ended = payctl(&["order", "get", "S-1", "--token-file", token.path()]).with(2);
    assert!(ended.stderr.contains("the token has characters that no token has"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("tok\u{e9}n"), "{}", ended.stderr);
}

#[test]
fn when_nobody_answers_the_outcome_is_unknown_and_the_request_id_is_told() {
    // A port of our own that nobody listens at any more.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    let create = [
        "order",
        "create",
        "--order-no",
        "S-1",
        "--merchant",
        "acme-mini",
        "--amount-fen",
        "990",
        "--description",
        "tea",
    ];
    let ended = payctl(&[&create[..], &["--order-url", &url, "--token", "t"]].concat()).with(2);
    assert!(ended.stderr.starts_with("request id "), "{}", ended.stderr);
    assert!(ended.stderr.contains("repeat with the same --request-id"), "{}", ended.stderr);
    let ended = payctl(&[&create[..], &["--order-url", &url, "--token", "t", "--json"]].concat()).with(2);
    assert_eq!(ended.json()["error"]["code"], "Unavailable");
}

#[test]
fn a_pay_code_comes_from_stdin_or_a_file_and_is_never_told() {
    // A port of our own that nobody listens at any more.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    let order = "orders/01981b6e-6f3c-7a01-b2c3-d4e5f6a7b8c9";
    let pay = |more: &[&str], stdin: &str| {
        let arguments = ["order", "pay", order, "--order-url", &url, "--token", "t", "pay-code"];
        payctl_reading(&[&arguments[..], more].concat(), stdin.as_bytes()).with(2).stderr
    };
    let file = kept("code", b" 134567890123456789\n");
    for told in [pay(&["--auth-code", "-"], "134567890123456789\n"), pay(&["--auth-code-file", file.path()], "")] {
        assert!(told.contains("repeat with the same --request-id"), "it was sent: {told}");
        assert!(!told.contains("134567890123456789"), "{told}");
    }
    for wrong in ["", "\n", "13456789012345678x", "134567890123456789 134567890123456789"] {
        let told = pay(&["--auth-code", "-"], wrong);
        assert!(told.contains("stdin holds no pay code: write its 18 digits and nothing else"), "{told}");
        assert!(!told.contains("1345"), "{told}");
    }
    assert!(pay(&["--auth-code-file", "/nowhere"], "").contains("/nowhere cannot be read"));
    assert!(pay(&["--auth-code", "-"], &"1".repeat(65)).contains("more than 64 bytes"));
    assert!(pay(&["--auth-code", "1", "--auth-code-file", file.path()], "").contains("cannot be used with"));
}

#[test]
fn flags_that_a_method_needs_are_asked_for() {
    let pay =
        |arguments: &[&str]| payctl(&[&["order", "pay", "S-1", "--token", "t"], arguments].concat()).with(2).stderr;
    assert!(pay(&["mini-program"]).contains("--openid"));
    assert!(pay(&["pay-code"]).contains("--auth-code"));
    assert!(pay(&["h5", "--name", "shop"]).contains("--page-url"));
    assert!(pay(&["h5", "--name", "shop", "--page-url", "https://shop"]).contains("--payer-ip is missing"));
    assert!(
        pay(&["h5", "--name", "shop", "--page-url", "https://shop", "--ios-bundle-id", "x"])
            .contains("cannot be used with")
    );
}

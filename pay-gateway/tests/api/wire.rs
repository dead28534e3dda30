use std::sync::Arc;

use crate::{
    fake::{Fake, Reply},
    harness::{Gateway, KEY, SIGN_TYPE, answered, not_paid},
};

/// Why a query with this reply says nothing.
async fn why(reply: Reply) -> (String, String) {
    let gateway = Gateway::before(&Fake::always(reply).await).await;
    let unknown = gateway.unknown().await;
    (unknown.why, unknown.provider_code)
}

#[tokio::test]
async fn an_http_error_is_unknown_whatever_its_body_says() {
    let Reply::Bytes(genuine) = not_paid() else { panic!("an answer") };
    let body = genuine.windows(4).position(|four| four == b"\r\n\r\n").map(|end| &genuine[end + 4..]).expect("a body");
    for status in ["500 Internal Server Error", "502 Bad Gateway", "404 Not Found", "403 Forbidden", "204 No Content"] {
        let reply = Reply::status(status, "", if status.starts_with("204") { b"" } else { body });
        assert_eq!(why(reply).await, ("http_status".into(), status[..3].into()));
    }
}

#[tokio::test]
async fn nobody_is_led_elsewhere_by_a_redirect() {
    let elsewhere = Arc::new(Fake::always(not_paid()).await);
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let headers = format!("location: {}pay/orderquery\r\n", elsewhere.url);
        assert_eq!(why(Reply::status(status, &headers, "")).await.0, "redirect");
    }
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unknown() {
    assert_eq!(why(Reply::HangUp).await.0, "transport");
    assert_eq!(why(not_paid().cut_after(0)).await.0, "cut_off");
    assert_eq!(why(not_paid().cut_after(100)).await.0, "cut_off");
    assert_eq!(why(Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec())).await.0, "transport");
    assert_eq!(why(Reply::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())).await.0, "transport");
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n<xml>\r\n".to_vec();
    assert_eq!(why(Reply::Bytes(chunked)).await.0, "cut_off");
}

#[tokio::test]
async fn a_huge_answer_is_not_read() {
    // Announced large, and large without an announcement.
    assert_eq!(why(Reply::status("200 OK", "", vec![b' '; 1024 * 1024 + 1])).await.0, "too_large");
    let mut endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    endless.resize(2 * 1024 * 1024, b' ');
    assert_eq!(why(Reply::Bytes(endless)).await.0, "too_large");
}

#[tokio::test]
async fn what_is_not_a_message_is_unknown() {
    for body in [
        "",
        "<html><head><title>502</title></head><body>nginx</body></html>",
        "not xml at all",
        "<xml><return_code>SUCCESS</return_code>",
        "<!DOCTYPE xml [<!ENTITY a \"b\">]><xml><return_code>SUCCESS</return_code></xml>",
        "<xml><a>1</a><a>2</a></xml>",
        "<xml><a><b>1</b></a></xml>",
        "\u{1f}\u{8b}",
    ] {
        assert_eq!(why(Reply::ok(body)).await.0, "not_xml", "{body}");
    }
}

#[tokio::test]
async fn no_answer_in_time_is_unknown() {
    let (gate, _) = tokio::sync::watch::channel(false);
    let fake = Fake::always(not_paid().held(&gate)).await;
    let gateway = Gateway::at(&fake.url, &["--provider-timeout-ms", "200"]).await;
    assert_eq!(gateway.unknown().await.why, "timeout");
}

#[tokio::test]
async fn an_answer_that_stops_halfway_is_late_too() {
    let Reply::Bytes(mut bytes) = not_paid() else { panic!("an answer") };
    bytes.truncate(bytes.len() - 20);
    // The gate never opens, so the rest never comes and the connection stays.
    let fake = Fake::always(Reply::Stall(bytes)).await;
    let gateway = Gateway::at(&fake.url, &["--provider-timeout-ms", "500"]).await;
    assert_eq!(gateway.unknown().await.why, "timeout");
}

#[tokio::test]
async fn without_a_connection_nothing_is_known() {
    // Port 1 is reserved and nobody listens there.
    let url = "http://127.0.0.1:1".parse().expect("a URL");
    let gateway = Gateway::at(&url, &[]).await;
    assert_eq!(gateway.unknown().await.why, "connect");
}

#[tokio::test]
async fn an_unsigned_failure_is_unknown_unless_it_says_that_our_request_was_wrong() {
    use proto::gateway::v1::{not_done::Kind, query_payment_response::Outcome};
    let failure =
        |words: &str| Reply::ok(format!("<xml><return_code>FAIL</return_code><return_msg>{words}</return_msg></xml>"));
    for words in ["系统繁忙", "", "OK", "ORDERPAID"] {
        assert_eq!(why(failure(words)).await.0, "unsigned_failure", "{words}");
    }
    for (words, kind) in [
        ("签名错误", Kind::Configuration),
        ("mch_id参数格式错误", Kind::Configuration),
        ("FREQUENCY_LIMITED", Kind::RateLimited),
    ] {
        let gateway = Gateway::before(&Fake::always(failure(words)).await).await;
        let Outcome::NotDone(no) = gateway.query().await else { panic!("{words} is a no") };
        assert_eq!((no.kind(), no.provider_message.as_str()), (kind, words));
    }
}

#[tokio::test]
async fn a_verified_answer_without_a_result_is_unknown() {
    for result in ["", "MAYBE"] {
        let fields = answered(&[("result_code", result)]);
        let reply = Reply::ok(crate::fake::text(&crate::fake::signed(&fields, KEY, SIGN_TYPE)));
        assert_eq!(why(reply).await.0, "bad_answer", "{result}");
    }
}

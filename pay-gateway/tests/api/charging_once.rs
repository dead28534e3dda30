//! A charge is sent once, whatever becomes of it.

use proto::gateway::v1::charge_response::Outcome;
use tokio::sync::watch;
use wechat_pay::v2::SignType;

use crate::{
    counter::{TAKEN, certified, unsigned},
    fake::{Fake, Reply, signed, text},
    harness::{Gateway, KEY, SIGN_TYPE, answered, refunding, success},
};

/// Why nothing is known after this reply to either call.
async fn why(reply: Reply) -> String {
    let fake = Fake::always(reply).await;
    let gateway = certified(&fake).await;
    let mut told = Vec::new();
    for (sent, request) in [gateway.charge_request(), gateway.facepay_request()].into_iter().enumerate() {
        match gateway.charge(request).await {
            Outcome::Unknown(unknown) => told.push(unknown.why),
            other => panic!("unknown was expected: {other:?}"),
        }
        assert_eq!(fake.received().len(), sent + 1, "it is sent once");
    }
    assert_eq!(told[0], told[1]);
    told.remove(0)
}

#[tokio::test]
async fn an_answer_that_is_lost_broken_or_not_wechats_is_unknown() {
    let fields = answered(&[&[("result_code", "SUCCESS")][..], &TAKEN].concat());
    let sent_with = |key, sign_type| Reply::ok(text(&signed(&fields, key, sign_type)));
    let mut changed = signed(&fields, KEY, SIGN_TYPE);
    changed.insert("total_fee", "1");
    for (reply, expected) in [
        (Reply::HangUp, "transport"),
        (success(&TAKEN).cut_after(100), "cut_off"),
        (Reply::status("500 Internal Server Error", "", ""), "http_status"),
        (Reply::status("502 Bad Gateway", "", "<html>nginx</html>"), "http_status"),
        (Reply::status("503 Service Unavailable", "retry-after: 0\r\n", ""), "http_status"),
        (Reply::status("408 Request Timeout", "", ""), "http_status"),
        (Reply::status("307 Temporary Redirect", "location: /pay/micropay\r\n", ""), "redirect"),
        (Reply::ok("<html>200</html>"), "not_xml"),
        (Reply::ok(text(&fields.iter().copied().collect())), "bad_signature"),
        (sent_with(&"x".repeat(32), SIGN_TYPE), "bad_signature"),
        (sent_with(KEY, SignType::Md5), "bad_signature"),
        (Reply::ok(text(&changed)), "bad_signature"),
        (success(&[("mch_id", "1900000999")]), "wrong_identity"),
        (success(&[("appid", "wx0000000000000999")]), "wrong_identity"),
    ] {
        assert_eq!(why(reply).await, expected);
    }
}

#[tokio::test]
async fn an_unsigned_failure_decides_nothing_whatever_it_says() {
    for words in [
        "签名错误",
        "mch_id参数格式错误",
        "缺少参数",
        "FREQUENCY_LIMITED",
        "NOTENOUGH",
        "AUTHCODEEXPIRE",
        "SIGNERROR",
        "系统繁忙",
        "",
    ] {
        assert_eq!(why(unsigned(words)).await, "unsigned_failure", "{words}");
    }
    let with_code = "<xml><return_code>FAIL</return_code><err_code>AUTHCODEEXPIRE</err_code></xml>";
    assert_eq!(why(Reply::ok(with_code)).await, "unsigned_failure");
}

#[tokio::test]
async fn no_answer_in_time_is_unknown_and_sent_once() {
    let (gate, _) = watch::channel(false);
    let fake = Fake::always(success(&TAKEN).held(&gate)).await;
    let gateway = Gateway::of(refunding(), &fake.url, &["--provider-timeout-ms", "200"]).await;
    let Outcome::Unknown(unknown) = gateway.charge(gateway.charge_request()).await else { panic!("nobody answered") };
    assert_eq!(unknown.why, "timeout");
    gate.send_replace(true);
    gateway.measures("provider_calls_total{operation=\"charge\",outcome=\"unknown\",detail=\"timeout\"} 1").await;
    assert_eq!(fake.received().len(), 1);
}

#[tokio::test]
async fn a_charge_whose_caller_has_left_is_finished_and_sent_once() {
    let (gate, _) = watch::channel(false);
    let fake = Fake::always(success(&TAKEN).held(&gate)).await;
    let gateway = certified(&fake).await;
    let (mut client, request) = (gateway.client.clone(), gateway.charge_request());
    let caller = tokio::spawn(async move { client.charge(request).await });
    fake.has_received(1).await;
    caller.abort();
    assert!(caller.await.expect_err("it has left").is_cancelled());
    gate.send_replace(true);
    gateway.measures("provider_calls_total{operation=\"charge\",outcome=\"done\",detail=\"done\"} 1").await;
    assert_eq!(fake.received().len(), 1);
}

#[tokio::test]
async fn a_charge_goes_to_the_backup_host_only_when_nothing_could_be_sent() {
    let backup = Fake::always(success(&TAKEN)).await;
    let settings = ["--wechat-v2-backup-url", backup.url.as_str()];
    // Nobody listens on port 1.
    let nobody = "http://127.0.0.1:1".parse().expect("a URL");
    let gateway = Gateway::of(refunding(), &nobody, &settings).await;
    assert!(matches!(gateway.charge(gateway.charge_request()).await, Outcome::Done(_)));
    assert_eq!(backup.received().len(), 1);

    for reply in [Reply::HangUp, Reply::status("503 Service Unavailable", "", ""), Reply::ok("<html>")] {
        let (main, backup) = (Fake::always(reply).await, Fake::always(success(&TAKEN)).await);
        let settings = ["--wechat-v2-backup-url", backup.url.as_str()];
        let gateway = Gateway::of(refunding(), &main.url, &settings).await;
        assert!(matches!(gateway.charge(gateway.charge_request()).await, Outcome::Unknown(_)));
        assert_eq!((main.received().len(), backup.received().len()), (1, 0));
    }
}

#[tokio::test]
async fn without_a_connection_nothing_is_known() {
    let nobody = "http://127.0.0.1:1".parse().expect("a URL");
    let gateway = Gateway::of(refunding(), &nobody, &[]).await;
    let Outcome::Unknown(unknown) = gateway.charge(gateway.charge_request()).await else { panic!("nobody is there") };
    assert_eq!(unknown.why, "connect");
}

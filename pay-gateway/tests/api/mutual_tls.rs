//! Real handshakes: whom we believe, and what we show.

use std::path::PathBuf;

use pay_gateway::App;
use proto::gateway::v1::{self, create_refund_response::Outcome, not_done::Kind, query_payment_response};
use svc_kit::process::Tasks;
use tempfile::TempDir;

use crate::{
    certificates::{Authority, Issued},
    fake::Fake,
    harness::{ACCEPTED, Gateway, add_certificate, config, logs, merchants, not_paid, success},
};

/// WeChat's side: an authority for its server, one for its merchants, and the server.
struct WeChat {
    of_server: Authority,
    of_merchants: Authority,
    fake: Fake,
}

impl WeChat {
    async fn start() -> WeChat {
        let (of_server, of_merchants) = (Authority::new(), Authority::new());
        let fake = Fake::behind(of_server.server("127.0.0.1", &of_merchants), success(&ACCEPTED)).await;
        WeChat { of_server, of_merchants, fake }
    }

    /// The gateway of a merchant that shows `shown`, believes `believed`, and sends refunds here and everything else to a
    /// plain fake.
    async fn gateway(&self, shown: Option<&Issued>, believed: &Authority) -> (Gateway, Fake) {
        let dir = merchants();
        if let Some(Issued { certificate, key }) = shown {
            add_certificate(dir.path(), &certificate.pem(), &key.serialize_pem());
        }
        let file = ca_file(&dir, &believed.pem());
        let plain = Fake::always(not_paid()).await;
        let settings =
            ["--wechat-v2-cert-url", self.fake.url.as_str(), "--wechat-v2-ca-file", file.to_str().expect("UTF-8")];
        (Gateway::of(dir, &plain.url, &settings).await, plain)
    }
}

/// A file beside the merchants' that is none of theirs.
fn ca_file(dir: &TempDir, text: &str) -> PathBuf {
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, text).expect("the directory takes a file");
    file
}

fn unknown(outcome: Outcome) -> v1::Unknown {
    match outcome {
        Outcome::Unknown(unknown) => unknown,
        other => panic!("unknown was expected: {other:?}"),
    }
}

#[tokio::test]
async fn a_refund_shows_the_merchants_certificate_at_the_address_for_it() {
    let wechat = WeChat::start().await;
    let ours = wechat.of_merchants.issue("merchant");
    let (gateway, plain) = wechat.gateway(Some(&ours), &wechat.of_server).await;
    let Outcome::Done(accepted) = gateway.refund().await else { panic!("it is accepted") };
    assert_eq!(accepted.refund_id, "50300002026112100000000000001");
    let received = wechat.fake.only();
    assert!(received.line().starts_with("POST /secapi/pay/refund HTTP/1.1"));
    assert_eq!(received.certificate.as_deref(), Some(ours.certificate.der().as_ref()));
    // Everything else goes where it went before.
    assert!(matches!(gateway.query().await, query_payment_response::Outcome::Done(_)));
    assert_eq!((wechat.fake.received().len(), plain.received().len()), (1, 1));
}

#[tokio::test]
async fn a_certificate_of_a_stranger_is_turned_away_and_the_refund_is_unknown() {
    let wechat = WeChat::start().await;
    let (gateway, _plain) = wechat.gateway(Some(&Authority::new().issue("merchant")), &wechat.of_server).await;
    let why = unknown(gateway.refund().await).why;
    // In TLS 1.3 the client has finished its handshake before it hears of the refusal.
    assert!(["connect", "transport"].contains(&why.as_str()), "{why}");
    assert!(wechat.fake.received().is_empty());
}

#[tokio::test]
async fn without_a_certificate_no_refund_is_sent_and_nothing_else_gets_through() {
    let wechat = WeChat::start().await;
    let (gateway, _plain) = wechat.gateway(None, &wechat.of_server).await;
    let Outcome::NotDone(no) = gateway.refund().await else { panic!("it cannot be sent") };
    assert_eq!((no.kind(), no.provider_code.as_str()), (Kind::Configuration, ""));
    assert!(no.provider_message.contains("nothing was sent"), "{}", no.provider_message);
    gateway
        .measures("provider_calls_total{operation=\"refund\",outcome=\"not_done\",detail=\"configuration\"} 1")
        .await;

    // That the server really asks for one is seen with a call that would be sent without.
    let dir = merchants();
    let file = ca_file(&dir, &wechat.of_server.pem());
    let settings = ["--wechat-v2-ca-file", file.to_str().expect("UTF-8")];
    let gateway = Gateway::of(dir, &wechat.fake.url, &settings).await;
    let why = gateway.unknown().await.why;
    assert!(["connect", "transport"].contains(&why.as_str()), "{why}");
    assert!(wechat.fake.received().is_empty());
}

#[tokio::test]
async fn a_server_of_another_authority_or_for_another_name_is_not_believed() {
    let wechat = WeChat::start().await;
    let ours = wechat.of_merchants.issue("merchant");
    let (gateway, _plain) = wechat.gateway(Some(&ours), &Authority::new()).await;
    assert_eq!(unknown(gateway.refund().await).why, "connect");
    assert!(wechat.fake.received().is_empty());

    let elsewhere = wechat.of_server.server("pay.example.com", &wechat.of_merchants);
    let wechat = WeChat { fake: Fake::behind(elsewhere, success(&ACCEPTED)).await, ..wechat };
    let (gateway, _plain) = wechat.gateway(Some(&ours), &wechat.of_server).await;
    assert_eq!(unknown(gateway.refund().await).why, "connect");
    assert!(wechat.fake.received().is_empty());
}

#[tokio::test]
async fn without_the_file_the_systems_authorities_decide() {
    let wechat = WeChat::start().await;
    let gateway = Gateway::at(&wechat.fake.url, &[]).await;
    assert_eq!(gateway.unknown().await.why, "connect");
    assert!(wechat.fake.received().is_empty());
}

#[tokio::test]
async fn a_file_of_authorities_that_cannot_be_used_is_one_clear_error() {
    logs();
    let (dir, tasks) = (merchants(), Tasks::new());
    let url = "http://127.0.0.1:1".parse().expect("a URL");
    let broken = "-----BEGIN CERTIFICATE-----\nTWFkZSB1cA==\n-----END CERTIFICATE-----\n";
    for (text, problem) in [
        (None, "cannot be read"),
        (Some(""), "holds no certificate in PEM form"),
        (Some("not a certificate"), "holds no certificate in PEM form"),
        (Some("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"), "holds something that is no certificate"),
        (Some(broken), "cannot make an HTTP client; put only certificates of authorities into WECHAT_V2_CA_FILE"),
    ] {
        let file = text.map_or_else(|| dir.path().join("absent.pem"), |text| ca_file(&dir, text));
        let settings = ["--wechat-v2-ca-file", file.to_str().expect("UTF-8")];
        let error = App::start(&config(dir.path(), &url, &settings), &tasks).await.expect_err("it is refused");
        let told = format!("{error:#}");
        assert!(told.contains("WECHAT_V2_CA_FILE") && told.contains(problem), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

//! A host that fails, and the one that stands in for it.

use std::time::Duration;

use proto::gateway::v1::{self, create_refund_response, prepay_response, query_payment_response::Outcome};
use url::Url;

use crate::{
    fake::{Fake, Reply},
    harness::{ACCEPTED, Gateway, MERCHANT, NUMBER, not_paid, prepaid, refunding, refusal, success},
};

/// Nobody listens on port 1.
fn closed() -> Url {
    "http://127.0.0.1:1".parse().expect("a URL")
}

async fn gateway(main: &Url, backup: &Fake) -> Gateway {
    Gateway::of(refunding(), main, &["--wechat-v2-backup-url", backup.url.as_str()]).await
}

fn broken() -> Reply {
    Reply::status("503 Service Unavailable", "", "<html></html>")
}

#[tokio::test]
async fn a_call_that_found_nobody_is_made_at_the_other_host_at_once() {
    let backup = Fake::always(not_paid()).await;
    let gateway = gateway(&closed(), &backup).await;
    assert!(matches!(gateway.query().await, Outcome::Done(_)));
    assert_eq!(backup.only().fields.get("out_trade_no"), Some(NUMBER));
    gateway.measures("provider_backup_in_use{calls=\"plain\"} 1").await;
    gateway.measures("provider_host_switches_total{calls=\"plain\",to=\"backup\"} 1").await;
    gateway.measures("provider_calls_total{operation=\"query\",outcome=\"done\",detail=\"done\"} 1").await;
}

#[tokio::test]
async fn prepay_refund_and_bill_find_the_other_host_too() {
    let backup = Fake::start(|received| match received.line() {
        line if line.contains("/unifiedorder") => prepaid(),
        line if line.contains("/refund") => success(&ACCEPTED),
        _ => Reply::ok("交易时间\r\n总交易单数\r\n`0\r\n"),
    })
    .await;
    let gateway = gateway(&closed(), &backup).await;
    let mut client = gateway.client.clone();
    let prepay = client.prepay(gateway.prepay()).await.expect("an outcome").into_inner();
    assert!(matches!(prepay.outcome, Some(prepay_response::Outcome::Done(_))));
    assert!(matches!(gateway.refund().await, create_refund_response::Outcome::Done(_)));
    let day = wechat_pay::time::bill_date(gateway.clock.now()).yesterday().expect("inside the calendar");
    let request =
        v1::DownloadBillRequest { merchant: MERCHANT.into(), bill_date: day.to_string(), ..Default::default() };
    let mut parts = client.download_bill(request).await.expect("a bill").into_inner();
    assert!(parts.message().await.expect("a part").is_some());
    assert_eq!(backup.received().len(), 3);
}

#[tokio::test]
async fn calls_with_a_certificate_have_a_backup_of_their_own_when_they_have_a_host_of_their_own() {
    let (plain, backup) = (Fake::always(not_paid()).await, Fake::always(success(&ACCEPTED)).await);
    let closed = closed();
    let settings = ["--wechat-v2-cert-url", closed.as_str(), "--wechat-v2-backup-cert-url", backup.url.as_str()];
    let gateway = Gateway::of(refunding(), &plain.url, &settings).await;
    assert!(matches!(gateway.refund().await, create_refund_response::Outcome::Done(_)));
    assert!(matches!(gateway.query().await, Outcome::Done(_)));
    assert_eq!((plain.received().len(), backup.received().len()), (1, 1));
    gateway.measures("provider_backup_in_use{calls=\"with_certificate\"} 1").await;
    gateway.measures("provider_backup_in_use{calls=\"plain\"} 0").await;
}

#[tokio::test]
async fn a_host_that_answers_5xx_rests_and_its_call_is_unknown() {
    let (main, backup) = (Fake::always(broken()).await, Fake::always(not_paid()).await);
    let gateway = gateway(&main.url, &backup).await;
    let unknown = gateway.unknown().await;
    assert_eq!((unknown.why.as_str(), unknown.provider_code.as_str()), ("http_status", "503"));
    assert!(backup.received().is_empty(), "what may have arrived is sent once");
    for _ in 0..2 {
        assert!(matches!(gateway.query().await, Outcome::Done(_)));
    }
    assert_eq!((main.received().len(), backup.received().len()), (1, 2));
    // After its rest the main host is asked again.
    gateway.hand.advance(Duration::from_secs(31));
    assert_eq!(gateway.unknown().await.why, "http_status");
    assert_eq!((main.received().len(), backup.received().len()), (2, 2));
    gateway.measures("provider_host_switches_total{calls=\"plain\",to=\"main\"} 1").await;
}

#[tokio::test]
async fn a_host_that_is_silent_rests_and_its_call_is_unknown() {
    let (gate, _) = tokio::sync::watch::channel(false);
    let (main, backup) = (Fake::always(not_paid().held(&gate)).await, Fake::always(not_paid()).await);
    let settings = ["--wechat-v2-backup-url", backup.url.as_str(), "--provider-timeout-ms", "300"];
    let gateway = Gateway::of(refunding(), &main.url, &settings).await;
    assert_eq!(gateway.unknown().await.why, "timeout");
    assert!(backup.received().is_empty(), "what may have arrived is sent once");
    assert!(matches!(gateway.query().await, Outcome::Done(_)));
    assert_eq!((main.received().len(), backup.received().len()), (1, 1));
}

#[tokio::test]
async fn what_wechat_says_never_changes_the_host() {
    for reply in [
        refusal("SYSTEMERROR", "系统错误"),
        refusal("ORDERNOTEXIST", ""),
        Reply::ok("<xml><return_code>FAIL</return_code><return_msg>签名错误</return_msg></xml>"),
        Reply::status("404 Not Found", "", ""),
        Reply::HangUp,
    ] {
        let (main, backup) = (Fake::always(reply).await, Fake::always(not_paid()).await);
        let gateway = gateway(&main.url, &backup).await;
        gateway.query().await;
        gateway.query().await;
        assert_eq!((main.received().len(), backup.received().len()), (2, 0));
    }
}

#[tokio::test]
async fn when_neither_host_can_be_found_nothing_is_known() {
    let closed = closed();
    let gateway = Gateway::of(refunding(), &closed, &["--wechat-v2-backup-url", "http://localhost:1"]).await;
    assert_eq!(gateway.unknown().await.why, "connect");
}

#[tokio::test]
async fn a_host_without_a_backup_is_asked_again_after_it_failed() {
    let main = Fake::always(broken()).await;
    let gateway = Gateway::before(&main).await;
    gateway.unknown().await;
    gateway.unknown().await;
    assert_eq!(main.received().len(), 2);
}

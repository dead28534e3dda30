use jiff::ToSpan as _;
use pay_gateway::App;
use proto::gateway::v1::{self, not_done::Kind, query_payment_response::Outcome};
use svc_kit::process::Tasks;
use tokio::sync::watch;
use tonic::Code;

use crate::{
    fake::{Fake, Reply},
    harness::{Gateway, MERCHANT, add_certificate, config, merchants, not_paid, query},
};

#[tokio::test]
async fn the_admin_port_tells_life_readiness_and_each_calls_outcome() {
    let gateway = Gateway::before(&Fake::always(Reply::HangUp).await).await;
    assert_eq!(gateway.page("/livez").await.0, 200);
    assert_eq!(gateway.page("/readyz").await, (200, r#"{"ready":true,"not_ready":[]}"#.to_owned()));
    gateway.unknown().await;
    gateway.measures("provider_calls_total{operation=\"query\",outcome=\"unknown\",detail=\"transport\"} 1").await;
    gateway.measures("provider_call_seconds_count{operation=\"query\"} 1").await;
}

#[tokio::test]
async fn a_client_certificate_that_cannot_be_used_is_a_configuration_to_mend_and_nothing_is_sent() {
    let dir = merchants();
    add_certificate(dir.path(), "-----BEGIN CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\n");
    let fake = Fake::always(not_paid()).await;
    let gateway = Gateway::of(dir, &fake.url, &[]).await;
    let Outcome::NotDone(no) = gateway.query().await else { panic!("nothing was asked") };
    assert_eq!(no.kind(), Kind::Configuration);
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn a_merchant_with_a_client_certificate_is_served() {
    let dir = merchants();
    let made = rcgen::generate_simple_self_signed(vec!["1900000109".to_owned()]).expect("a certificate");
    add_certificate(dir.path(), &made.cert.pem(), &made.signing_key.serialize_pem());
    let fake = Fake::always(not_paid()).await;
    let gateway = Gateway::of(dir, &fake.url, &[]).await;
    assert!(matches!(gateway.query().await, Outcome::Done(_)));
    assert!(matches!(gateway.query().await, Outcome::Done(_)));
}

#[tokio::test]
async fn a_stop_lets_the_call_under_way_finish() {
    let (gate, _) = watch::channel(false);
    let fake = Fake::always(not_paid().held(&gate)).await;
    let gateway = Gateway::before(&fake).await;
    let mut client = gateway.client.clone();
    let call = tokio::spawn(async move { client.query_payment(query()).await });
    fake.has_received(1).await;
    gateway.tasks.stop().cancel();
    gate.send_replace(true);
    let response = call.await.expect("no panic").expect("an outcome").into_inner();
    assert!(matches!(response.outcome, Some(Outcome::Done(_))));
    gateway.tasks.run().await.expect("a clean end");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_bill_that_has_not_begun() {
    let fake = Fake::always(Reply::Stall(Vec::new())).await;
    let gateway = Gateway::before(&fake).await;
    let date = wechat_pay::time::bill_date(gateway.clock.now()).checked_sub(3.days()).expect("inside the calendar");
    let request =
        v1::DownloadBillRequest { merchant: MERCHANT.into(), bill_date: date.to_string(), ..Default::default() };
    let mut client = gateway.client.clone();
    let call = tokio::spawn(async move { client.download_bill(request).await.map(drop) });
    fake.has_received(1).await;
    gateway.tasks.stop().cancel();
    let status = call.await.expect("no panic").expect_err("there is no bill");
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("stopping"), "{}", status.message());
    gateway.tasks.run().await.expect("a clean end");
}

#[tokio::test]
async fn a_wrong_directory_or_url_is_one_clear_error() {
    let (dir, tasks) = (merchants(), Tasks::new());
    let url = "http://127.0.0.1:1".parse().expect("a URL");
    std::fs::write(dir.path().join("acme-mini.key"), "too short").expect("the file can be written");
    let error = App::start(&config(dir.path(), &url, &[]), &tasks).await.expect_err("no key");
    let told = format!("{error:#}");
    assert!(told.starts_with("cannot use MERCHANTS_DIR") && told.contains("api_key_file"), "{told}");
    assert!(!told.contains("too short"), "{told}");

    let url = "ftp://127.0.0.1/".parse().expect("a URL");
    let error = App::start(&config(merchants().path(), &url, &[]), &tasks).await.expect_err("no http");
    assert!(error.to_string().starts_with("WECHAT_V2_URL must be"), "{error:#}");
}

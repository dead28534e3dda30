use jiff::ToSpan as _;
use proto::gateway::v1::{self, query_payment_response::Outcome};
use svc_kit::refusal::reason_of;
use tokio::{sync::watch, task::JoinSet};
use tonic::Code;

use crate::{
    fake::{Fake, Reply},
    harness::{Gateway, MERCHANT, not_paid, query},
};

#[tokio::test]
async fn the_65th_call_of_a_merchant_is_refused_and_its_place_comes_back() {
    let (gate, _) = watch::channel(false);
    let fake = Fake::always(not_paid().held(&gate)).await;
    let gateway = Gateway::before(&fake).await;
    let mut calls = JoinSet::new();
    for _ in 0..64 {
        let mut client = gateway.client.clone();
        calls.spawn(async move { client.query_payment(query()).await });
    }
    fake.has_received(64).await;
    let status = gateway.client.clone().query_payment(query()).await.expect_err("there is no place");
    assert_eq!((status.code(), reason_of(&status).as_deref()), (Code::ResourceExhausted, Some("OVERLOADED")));
    assert_eq!(fake.received().len(), 64, "nothing was sent for it");
    gateway.measures("calls_refused_total{operation=\"query\",reason=\"OVERLOADED\"} 1").await;
    gateway.measures("provider_calls_in_flight 64").await;

    gate.send_replace(true);
    while let Some(ended) = calls.join_next().await {
        let response = ended.expect("no panic").expect("an outcome").into_inner();
        assert!(matches!(response.outcome, Some(Outcome::Done(_))));
    }
    assert!(matches!(gateway.query().await, Outcome::Done(_)));
}

#[tokio::test]
async fn the_fifth_download_is_refused_and_its_place_comes_back() {
    let (gate, _) = watch::channel(false);
    let fake = Fake::always(Reply::ok("交易时间\r\n").held(&gate)).await;
    let gateway = Gateway::before(&fake).await;
    let date = wechat_pay::time::bill_date(gateway.clock.now()).checked_sub(3.days()).expect("inside the calendar");
    let request =
        || v1::DownloadBillRequest { merchant: MERCHANT.into(), bill_date: date.to_string(), ..Default::default() };
    let mut downloads = JoinSet::new();
    for _ in 0..4 {
        let mut client = gateway.client.clone();
        let request = request();
        downloads.spawn(async move {
            let mut parts = client.download_bill(request).await?.into_inner();
            while parts.message().await?.is_some() {}
            Ok::<(), tonic::Status>(())
        });
    }
    fake.has_received(4).await;
    let status = gateway.client.clone().download_bill(request()).await.expect_err("there is no place");
    assert_eq!((status.code(), reason_of(&status).as_deref()), (Code::ResourceExhausted, Some("OVERLOADED")));

    gate.send_replace(true);
    while let Some(ended) = downloads.join_next().await {
        ended.expect("no panic").expect("a bill");
    }
    gateway.measures("provider_calls_total{operation=\"download_bill\",outcome=\"done\",detail=\"done\"} 4").await;
    gateway.measures("provider_calls_in_flight 0").await;
    assert!(gateway.client.clone().download_bill(request()).await.is_ok());
}

#[tokio::test]
async fn a_call_whose_caller_has_left_is_finished_and_counted() {
    let (gate, _) = watch::channel(false);
    let fake = Fake::always(not_paid().held(&gate)).await;
    let gateway = Gateway::before(&fake).await;
    let mut client = gateway.client.clone();
    let caller = tokio::spawn(async move { client.query_payment(query()).await });
    fake.has_received(1).await;
    caller.abort();
    assert!(caller.await.expect_err("it has left").is_cancelled());
    gate.send_replace(true);
    gateway.measures("provider_calls_total{operation=\"query\",outcome=\"done\",detail=\"done\"} 1").await;
    gateway.measures("provider_calls_in_flight 0").await;
}

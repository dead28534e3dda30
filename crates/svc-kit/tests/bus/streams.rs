use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_nats::jetstream::stream::{Config, RetentionPolicy};
use axum::routing::get;
use svc_kit::bus::streams::{self, StreamsError};
use svc_kit::bus::{self, BusArgs};
use svc_kit::metrics::Metrics;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::nats::Nats;
use crate::{durable, until};

#[tokio::test]
async fn creating_what_exists_changes_nothing() {
    let nats = Nats::start().await;
    let (bus, _) = nats.bus().await;
    let configs = async || {
        let pay = bus.jetstream().get_stream("PAY").await.expect("it is there");
        let durable = pay.consumer_info(durable().name).await.expect("it is there");
        (pay.cached_info().config.clone(), durable.config)
    };
    let before = configs().await;
    assert!(before.0.deny_delete && before.0.deny_purge && before.0.allow_atomic_publish);
    streams::ensure(&bus, "order-svc").await.expect("nothing to do");
    assert_eq!(configs().await, before);
}

#[tokio::test]
async fn a_stream_that_loses_messages_is_refused_by_name() {
    let nats = Nats::start().await;
    let bus = bus::connect(&nats.args(), "order-svc", &Metrics::new()).await.expect("the server is there");
    let config = Config {
        name: "PAY".to_owned(),
        subjects: vec!["pay.v1.>".to_owned()],
        retention: RetentionPolicy::WorkQueue,
        ..Config::default()
    };
    bus.jetstream().create_stream(config).await.expect("somebody created it");
    let error = streams::ensure(&bus, "order-svc").await.expect_err("it is refused");
    assert!(matches!(&error, StreamsError::Different { name, .. } if name == "PAY"), "{error}");
    assert!(error.to_string().contains("retention is not `limits`"), "{error}");
}

#[tokio::test]
async fn a_server_that_acks_before_its_disk_has_the_message_is_refused() {
    let nats = Nats::start_with("sync_interval: 2m").await;
    let error = bus::connect(&nats.args(), "order-svc", &Metrics::new()).await.expect_err("it is refused");
    assert!(error.to_string().contains("sync_interval: always"), "{error}");
    let unchecked = BusArgs { nats_monitor_url: None, ..nats.args() };
    bus::connect(&unchecked, "order-svc", &Metrics::new()).await.expect("without the monitor it cannot be known");
}

/// Waits until the metrics have a line that begins like this.
async fn until_told(metrics: &Metrics, line: &str) {
    until(line, || async { metrics.encode().lines().any(|found| found.starts_with(line)).then_some(()) }).await;
}

#[tokio::test]
async fn what_is_missing_is_created_at_once_and_after_a_reconnect() {
    let nats = Nats::start().await;
    let metrics = Metrics::new();
    let bus = bus::connect(&nats.args(), "order-svc", &metrics).await.expect("the server is there");
    let stop = CancellationToken::new();
    let task = tokio::spawn(streams::keep(bus.clone(), "order-svc", stop.clone()));
    until_told(&metrics, "bus_stream_checks_total{outcome=\"ok\"}").await;
    bus.jetstream().delete_stream("PAY").await.expect("somebody deletes it");
    bus.client().force_reconnect().await.expect("it was connected");
    until("it is created again", || async { bus.jetstream().get_stream("PAY").await.ok() }).await;
    stop.cancel();
    task.await.expect("it does not panic").expect("it ends well");
}

#[tokio::test]
async fn a_check_that_failed_is_repeated_without_a_reconnect() {
    let nats = Nats::start().await;
    let metrics = Metrics::new();
    let bus = bus::connect(&nats.args(), "order-svc", &metrics).await.expect("the server is there");
    let in_the_way = Config { name: "PAY".to_owned(), retention: RetentionPolicy::WorkQueue, ..Config::default() };
    bus.jetstream().create_stream(in_the_way).await.expect("somebody created it");
    let stop = CancellationToken::new();
    let task = tokio::spawn(streams::keep(bus.clone(), "order-svc", stop.clone()));
    until_told(&metrics, "bus_stream_checks_total{outcome=\"failed\"}").await;
    bus.jetstream().delete_stream("PAY").await.expect("a person deletes it");
    until_told(&metrics, "bus_stream_checks_total{outcome=\"ok\"}").await;
    stop.cancel();
    task.await.expect("it does not panic").expect("it ends well");
}

#[tokio::test]
async fn a_server_that_came_back_without_its_sync_settings_is_told() {
    let nats = Nats::start().await;
    // The server's monitor, whose answer the test chooses.
    let always = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&always);
    let jsz =
        get(move || async move { format!("{{\"config\":{{\"sync_always\":{}}}}}", asked.load(Ordering::SeqCst)) });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let monitor = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/jsz", jsz)).await });

    let metrics = Metrics::new();
    let args = BusArgs { nats_monitor_url: Some(monitor.parse().expect("a URL")), ..nats.args() };
    let bus = bus::connect(&args, "order-svc", &metrics).await.expect("the server is there");
    let stop = CancellationToken::new();
    let task = tokio::spawn(streams::keep(bus.clone(), "order-svc", stop.clone()));
    until_told(&metrics, "bus_stream_checks_total{outcome=\"ok\"}").await;
    until_told(&metrics, "bus_sync_always 1").await;
    always.store(false, Ordering::SeqCst);
    bus.client().force_reconnect().await.expect("it was connected");
    until_told(&metrics, "bus_sync_always 0").await;
    stop.cancel();
    task.await.expect("it does not panic").expect("it ends well");
}

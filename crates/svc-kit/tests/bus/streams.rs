use async_nats::jetstream::stream::{Config, RetentionPolicy};
use svc_kit::bus::streams::{self, StreamsError};
use svc_kit::bus::{self, BusArgs};
use svc_kit::metrics::Metrics;

use crate::durable;
use crate::nats::Nats;

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

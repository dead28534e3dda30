//! JetStream: a publish counts from its ack on.

use async_nats::jetstream::{self, stream};
use e2e::{
    disk::Disk,
    nats::{Flush, Nats},
    ports::Port,
};
use tokio::task::JoinSet;

use super::{Acknowledged, Loss, WRITERS, loses_something, nothing_is_lost};

const STREAM: &str = "PAY";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_acked_is_lost_when_the_server_flushes_before_the_ack() {
    nothing_is_lost(cut(Flush::BeforeTheAck).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn acked_messages_are_lost_when_the_server_flushes_now_and_then() {
    if let Err(why) = loses_something(async || cut(Flush::NowAndThen).await).await {
        e2e::disk::skipped(&why);
    }
}

async fn cut(flush: Flush) -> Result<Loss, String> {
    let disk = Disk::try_new()?;
    let (port, monitor) = (Port::reserve(), Port::reserve());
    let mut server = Nats::start_flushing(flush, disk.folder(), &port, &monitor).await;
    let jetstream = connect(&server).await;
    let config = stream::Config {
        name: STREAM.to_owned(),
        subjects: vec!["pay.v1.>".to_owned()],
        storage: stream::StorageType::File,
        ..stream::Config::default()
    };
    jetstream.create_stream(config).await.expect("a new server takes a stream");
    // The stream is old; only the messages are new.
    disk.settle();

    let acked = Acknowledged::none();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(publish(jetstream.clone(), writer, acked.clone()));
    }
    let before = acked.enough().await;
    let frozen = server.freeze();
    let image = disk.copy(&frozen);
    drop(frozen);
    server.kill();
    writers.shutdown().await;
    drop(disk);

    let disk = Disk::of(image)?;
    let server = Nats::start_flushing(flush, disk.folder(), &port, &monitor).await;
    let stream = connect(&server).await.get_stream(STREAM).await;
    let mut lost = 0;
    for (sequence, text) in &before {
        let found = match &stream {
            Ok(stream) => stream.get_raw_message(*sequence).await.ok(),
            Err(_) => None,
        };
        lost += usize::from(found.is_none_or(|message| message.payload != text.as_bytes()));
    }
    drop(server);
    Ok(Loss { acknowledged: before.len(), lost })
}

/// Publishes until it is ended, one message after the other, and notes the place in the stream that each ack tells.
async fn publish(jetstream: jetstream::Context, writer: usize, acked: Acknowledged<(u64, String)>) {
    for n in 0.. {
        let text = format!("message {n} of writer {writer}");
        let Ok(sent) = jetstream.publish("pay.v1.payment.paid.acme", text.clone().into()).await else { return };
        let Ok(ack) = sent.await else { return };
        acked.add((ack.sequence, text));
    }
}

async fn connect(server: &Nats) -> jetstream::Context {
    jetstream::new(async_nats::connect(server.url()).await.expect("a healthy server takes connections"))
}

//! The bus, outbox and inbox against a real nats-server and a real Postgres.

mod batches;
mod consume;
mod inbox;
mod kept;
mod nats;
mod outbox;
mod pool;
mod postgres;
mod publish;
mod streams;

use std::time::Duration;

use proto::bus::{DurableSpec, ORDER_SVC_PAY};
use proto::event::PaymentPaid;
use svc_kit::bus::{Bus, Message, Publisher};

/// Far beyond anything that works, on a machine ten times slower than ours.
const DEADLINE: Duration = Duration::from_mins(2);

/// Waits until `found` finds something.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut find: impl FnMut() -> F) -> T {
    let found = async {
        loop {
            if let Some(found) = find().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, found).await.unwrap_or_else(|_| panic!("waited {DEADLINE:?} until {what}"))
}

/// The durable that all tests read.
fn durable() -> &'static DurableSpec {
    proto::bus::durable(ORDER_SVC_PAY).expect("it is in the table")
}

fn paid(transaction_id: &str) -> PaymentPaid {
    PaymentPaid {
        merchant: "acme".to_owned(),
        provider: "wechat-v2".to_owned(),
        out_trade_no: "0198c5".to_owned(),
        mch_id: "1900000109".to_owned(),
        transaction_id: transaction_id.to_owned(),
        amount_fen: 8_800,
        ..PaymentPaid::default()
    }
}

fn message(transaction_id: &str) -> Message {
    Message::from_event(&paid(transaction_id), "test").expect("it can be sent")
}

/// With a deadline that no slow disk exceeds.
fn publisher(bus: &Bus) -> Publisher {
    Publisher::new(bus).with_deadline(DEADLINE)
}

/// Messages in a stream.
async fn stored(bus: &Bus, stream: &str) -> u64 {
    until("the stream answers", || async {
        let stream = bus.jetstream().get_stream(stream).await.ok()?;
        Some(stream.cached_info().state.messages)
    })
    .await
}

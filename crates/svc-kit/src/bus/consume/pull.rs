//! One fetch: wait for the first message, then take what waits with it.
//!
//! The request has `no_wait` and `expires`: the server holds it until there is a message, then sends everything that is
//! there up to the limits, and ends it. So a batch is small when idle and large under load.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::BatchConfig;
use async_nats::{Message, StatusCode, Subscriber};
use futures::StreamExt as _;
use proto::bus::DurableSpec;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Options;
use crate::bus::Bus;
use crate::bus::connect::API_TIME;

/// How long the server holds a request when nothing waits.
const EXPIRES: Duration = Duration::from_secs(30);

/// How often the server says that it still holds the request.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// After this silence the server has forgotten the request.
const SILENCE: Duration = Duration::from_secs(12);

/// How long ending a fetch may take at a stop. The server forgets it anyway when the connection ends.
pub(super) const CLOSE_TIME: Duration = Duration::from_secs(1);

/// What came of a fetch.
#[derive(Debug)]
pub(super) enum Pulled {
    /// At least one message.
    Messages(Vec<Message>),
    /// Nothing waited for as long as the server holds a request.
    Nothing,
    /// The request was lost or refused for the moment; ask again.
    Again,
    /// There is no such durable.
    Gone,
    /// Something else went wrong.
    Failed(String),
}

/// What one message of the server means for the fetch.
enum Step {
    Message,
    Continue,
    End(Pulled),
}

pub(super) async fn pull(bus: &Bus, spec: &DurableSpec, options: &Options, stop: &CancellationToken) -> Pulled {
    let mut generation = bus.generation();
    let mut subscriber = match timeout(API_TIME, ask(bus, spec, options)).await {
        Ok(Ok(subscriber)) => subscriber,
        Ok(Err(reason)) => return Pulled::Failed(reason),
        Err(_elapsed) => return Pulled::Failed(format!("the request did not leave in {API_TIME:?}")),
    };
    let mut messages = Vec::new();
    let mut open = true;
    loop {
        let next = tokio::select! {
            biased;
            next = timeout(SILENCE, subscriber.next()) => next,
            // The server has forgotten the request.
            () = generation.renewed() => return ended(messages, Pulled::Again),
            () = stop.cancelled(), if open => {
                // What has arrived is still read below; closing ends the stream after it.
                open = false;
                let closed = timeout(CLOSE_TIME, subscriber.unsubscribe()).await;
                if !matches!(closed, Ok(Ok(()))) {
                    return ended(messages, Pulled::Again);
                }
                continue;
            }
        };
        let Ok(Some(message)) = next else { return ended(messages, Pulled::Again) };
        match step(&message) {
            Step::Message => messages.push(message),
            Step::Continue => {}
            Step::End(otherwise) => return ended(messages, otherwise),
        }
        if options.max_messages <= messages.len() {
            return Pulled::Messages(messages);
        }
    }
}

async fn ask(bus: &Bus, spec: &DurableSpec, options: &Options) -> Result<Subscriber, String> {
    let request = BatchConfig {
        batch: options.max_messages,
        max_bytes: options.max_bytes,
        expires: Some(EXPIRES),
        no_wait: true,
        idle_heartbeat: HEARTBEAT,
        ..BatchConfig::default()
    };
    let request = serde_json::to_vec(&request).map_err(|error| error.to_string())?;
    let inbox = bus.client.new_inbox();
    let subscriber = bus.client.subscribe(inbox.clone()).await.map_err(|error| error.to_string())?;
    let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", spec.stream, spec.name);
    bus.client.publish_with_reply(subject, inbox, request.into()).await.map_err(|error| error.to_string())?;
    Ok(subscriber)
}

fn step(message: &Message) -> Step {
    let Some(status) = message.status else { return Step::Message };
    let description = message.description.as_deref().unwrap_or_default();
    match status {
        StatusCode::OK => Step::Message,
        StatusCode::IDLE_HEARTBEAT => Step::Continue,
        // Other replicas wait for more messages than there are.
        StatusCode::TIMEOUT if description.contains("Requests Pending") => Step::End(Pulled::Again),
        // 404: there is nothing; 408: the request ended, because it had everything or ran out of time.
        StatusCode::NOT_FOUND | StatusCode::TIMEOUT => Step::End(Pulled::Nothing),
        StatusCode::NO_RESPONDERS => Step::End(Pulled::Gone),
        StatusCode::REQUEST_TERMINATED if description.contains("Deleted") => Step::End(Pulled::Gone),
        // Another server leads now, or too much is unacked: both pass.
        StatusCode::REQUEST_TERMINATED
            if description.contains("Leadership") || description.contains("Exceeded MaxAckPending") =>
        {
            Step::End(Pulled::Again)
        }
        status => Step::End(Pulled::Failed(format!("{status} {description}"))),
    }
}

/// Messages that came are handed over whatever ended the fetch; the next fetch meets the same end again.
fn ended(messages: Vec<Message>, otherwise: Pulled) -> Pulled {
    if messages.is_empty() { otherwise } else { Pulled::Messages(messages) }
}

//! The event bus: NATS JetStream, spoken the way our promises need it.
//!
//! In reading order:
//! - [`connect`] opens the one connection of a process and refuses a server that could lose what it has acked;
//! - [`streams`] creates what the table in `proto::bus` declares, and refuses to change what would lose messages;
//! - [`Message`] is one event in CloudEvents binary mode, [`Publisher`] sends it and waits for the stream's ack;
//! - [`Consumer`] hands batches to a [`Handler`] and acks after its commit; what can never be applied becomes a dead letter;
//! - [`Delivery`] is one received message, and decodes itself into its event.
//!
//! ```no_run
//! use svc_kit::bus::{self, BusArgs, Message, Publisher};
//!
//! # async fn example(args: &BusArgs, tasks: &svc_kit::process::Tasks, metrics: &svc_kit::metrics::Metrics,
//! #     event: &proto::event::PaymentPaid) -> anyhow::Result<()> {
//! let bus = bus::connect(args, "notify-svc", metrics).await?;
//! bus::streams::ensure(&bus, "notify-svc").await?;
//! tasks.spawn("keep streams", bus::streams::keep(bus.clone(), "notify-svc", tasks.stop()));
//! let publisher = Publisher::new(&bus);
//! let ack = publisher.publish(&Message::from_event(event, "notify-svc")?).await?;
//! println!("{} {} duplicate: {}", ack.stream, ack.sequence, ack.duplicate);
//! # Ok(())
//! # }
//! ```

mod batch;
mod connect;
mod consume;
mod event;
mod message;
mod metrics;
mod publish;
mod server;
pub mod streams;

pub(crate) use batch::BATCH_DEADLINES;
pub use batch::MAX_BATCH_MESSAGES;
pub use connect::{Bus, BusArgs, connect};
pub use consume::{Consumer, Delivery, Failure, Handler, Options, Verdict, Verdicts};
pub use event::DecodeError;
pub use message::{Message, MessageError};
pub use publish::{Ack, PublishError, Publisher};

pub(crate) use message::Envelope;

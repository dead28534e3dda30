//! The world that stories happen in: a private Postgres and nats-server, the sandbox, and our services as real processes on
//! free ports. It ends with its test, also after a panic, and every process ends by its own id.
//!
//! ```no_run
//! use e2e::{Options, selling::State, story};
//!
//! story(Options::default(), async |world| {
//!     let cashier = world.open_cashier(100).await; // CreateOrder, PayOrder
//!     cashier.pay().await; // the user pays; WeChat tells us
//!     cashier.order().becomes(State::Paid).await;
//!     assert_eq!(world.facts("order.v1.order.paid.>").await.len(), 1);
//! }); // the checker looks at everything, then the world ends
//! ```
//!
//! In reading order: [`world`] puts it together, [`selling`], [`reconciling`], [`repairing`] and [`tools`] are what people do in it, [`streams`],
//! [`sandbox_client`] and [`proxy`] are what can be seen and what can go wrong, [`checker`] proves at the end of every story that no fen is
//! missing. Stories never sleep: [`World::pass`] moves everybody's time, and [`eventually()`] waits for a condition.

pub mod chaos;
pub mod checker;
pub mod deciding;
pub mod disk;
pub mod eventually;
pub mod frozen;
pub mod load;
pub mod nats;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod programs;
pub mod proxy;
pub mod reconciling;
pub mod repairing;
pub mod sandbox_client;
pub mod selling;
pub mod streams;
pub mod tools;
pub mod usage;
pub mod watchdog;
pub mod world;

pub use eventually::eventually;
pub use world::{Link, Options, Part, World, story};

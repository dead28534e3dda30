//! Gathering, in the direction in which things happen, so that whatever one witness says had time to reach the next.

use proto::bus::{ORDER_SVC_PAY, RECONCILE_SVC_ORDER, RECONCILE_SVC_PAY};
use sandbox::control::{CallbackState, Ledger};
use sqlx::PgPool;

use super::{
    books::{self, Books},
    rows::{self, OrderRow, PaymentRow},
};
use crate::{
    sandbox_client::SandboxClient,
    streams::{Backlog, Fact, Streams},
};

/// Everything that the three witnesses say about a quiet world.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What really happened at WeChat.
    pub ledger: Ledger,
    /// Our orders.
    pub orders: Vec<OrderRow>,
    /// Our attempts.
    pub payments: Vec<PaymentRow>,
    /// The stream PAY.
    pub pay: Vec<Fact>,
    /// The stream ORDER.
    pub order: Vec<Fact>,
    /// The stream DEAD.
    pub dead: Vec<Fact>,
    /// The books, when reconcile-svc is there to keep them.
    pub books: Option<Books>,
    /// Whether order-svc was there to apply everything.
    pub applied: bool,
}

/// The evidence, or what is still on its way. `quiet` tells whether order-svc and reconcile-svc run: what they have not done
/// is only waited for when somebody does it.
///
/// The order matters. WeChat's attempts come first: whatever they published is then seen as a backlog; when that is gone, it
/// is in the database; when the outbox is empty, it is on the stream; and so on to the books. Nothing is read before its cause.
pub(super) async fn gather(
    sandbox: &SandboxClient,
    streams: &Streams,
    orders: &PgPool,
    reconcile: &PgPool,
    quiet: [bool; 2],
) -> Result<Evidence, String> {
    let [order_svc, reconcile_svc] = quiet;
    let ledger = sandbox.ledger().await;
    nothing_under_way(&ledger)?;
    if order_svc {
        nothing_behind(streams, ORDER_SVC_PAY).await?;
    }
    let mut conn = orders.acquire().await.map_err(|error| error.to_string())?;
    let (orders, payments, waiting) = rows::read(&mut conn).await.map_err(|error| error.to_string())?;
    if order_svc && waiting != 0 {
        return Err(format!("{waiting} events wait in the outbox of order-svc"));
    }
    let books = if reconcile_svc {
        for durable in [RECONCILE_SVC_PAY, RECONCILE_SVC_ORDER] {
            nothing_behind(streams, durable).await?;
        }
        let mut conn = reconcile.acquire().await.map_err(|error| error.to_string())?;
        let (books, waiting) = books::read(&mut conn).await.map_err(|error| error.to_string())?;
        if waiting != 0 {
            return Err(format!("{waiting} events wait in the outbox of reconcile-svc"));
        }
        Some(books)
    } else {
        None
    };
    let pay = streams.facts("pay.v1.>").await;
    let order = streams.facts("order.v1.>").await;
    let dead = streams.facts("dead.v1.>").await;
    Ok(Evidence { ledger, orders, payments, pay, order, dead, books, applied: order_svc })
}

/// An attempt that failed comes again much later; that is not under way.
fn nothing_under_way(ledger: &Ledger) -> Result<(), String> {
    for callback in &ledger.callbacks {
        let due = callback.next_attempt_at.is_some_and(|next| next <= ledger.clock.now);
        let under_way = match callback.state {
            CallbackState::Sending => true,
            CallbackState::Waiting => due,
            CallbackState::Delivered | CallbackState::GivenUp => false,
        };
        if under_way {
            return Err(format!("the callback of {} is under way", callback.out_trade_no));
        }
    }
    Ok(())
}

async fn nothing_behind(streams: &Streams, durable: &str) -> Result<(), String> {
    match streams.backlog(durable).await {
        Some(Backlog { pending: 0, unacked: 0 }) => Ok(()),
        backlog => Err(format!("{durable} has {backlog:?}")),
    }
}

//! What networks do between two parts: they are late, they break off, they swallow a word, or they fall silent without telling
//! anybody. Every story asserts that its fault has really struck; the checker looks at the rest.

mod acks;
mod bus;
mod callbacks;
mod commits;
mod database;
mod everywhere;
mod gateway;
mod provider;
mod reconcile_svc;

use std::time::Duration;

use e2e::World;

/// Far above every deadline of ours, and far below the minutes for which the defaults of the libraries would wait.
const BOUNDED: Duration = Duration::from_secs(40);

/// What a call without an answer holds is free when its leases are over: 32 and 30 s on the database's clock, which no command
/// moves.
async fn leases_end(world: &World) {
    let orders = world.postgres.pool("orders");
    for lease in [
        "UPDATE requests SET claimed_until = now() WHERE claimed_until IS NOT NULL",
        "UPDATE payments SET sending_until = now() WHERE sending_until IS NOT NULL",
    ] {
        sqlx::query(lease).execute(&orders).await.expect("the database answers");
    }
    orders.close().await;
}

/// A number from order-svc's database, which is not read through the faulty link.
async fn count(world: &World, question: &'static str) -> i64 {
    let orders = world.postgres.pool("orders");
    let count = sqlx::query_scalar(question).fetch_one(&orders).await.expect("the database answers");
    orders.close().await;
    count
}

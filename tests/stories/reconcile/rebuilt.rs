//! The bus and reconcile-svc's database are gone. order-svc tells everything again, and the books are what they were.

use std::process::Command;

use e2e::{
    Options, Part, World, eventually, programs,
    selling::{MERCHANT, OTHER_MERCHANT, RefundState},
    story,
};
use serde_json::Value;

use super::{noon, sell};
use crate::refund::arrives;

/// Every row of both legs, without when it was written down.
const BOOKS: &str = "SELECT row_text FROM (
    SELECT 'order ' || t::text FROM book_orders t
    UNION ALL SELECT 'payment ' || t::text FROM book_payments t
    UNION ALL SELECT 'refund ' || t::text FROM book_refunds t
    UNION ALL SELECT 'told payment ' || (to_jsonb(t) - 'note_time')::text FROM provider_payments t
    UNION ALL SELECT 'told refund ' || t::text FROM provider_refunds t) AS rows (row_text) ORDER BY row_text";

async fn books(world: &World) -> Vec<String> {
    let pool = world.postgres.pool("reconcile");
    let rows = sqlx::query_scalar(BOOKS).fetch_all(&pool).await.expect("the books can be read");
    pool.close().await;
    rows
}

/// Runs `payctl events rebuild`: whether it is content, and what it says.
fn rebuild(world: &World, arguments: &[&str]) -> (bool, Value) {
    let orders = world.postgres.url("orders");
    let ended = Command::new(programs::ours("payctl"))
        .args(["events", "rebuild", "--json", "--order-database-url", &orders, "--nats-url", world.nats.url()])
        .args(arguments)
        .env_clear()
        .output()
        .expect("payctl was built");
    let told = serde_json::from_slice(&ended.stdout);
    let told = told.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ended.stderr)));
    (ended.status.success(), told)
}

/// As if the disks of NATS and of reconcile-svc were lost while nobody runs.
async fn lose_bus_and_books(world: &mut World) {
    for part in [Part::ReconcileSvc, Part::OrderSvc, Part::NotifySvc] {
        world.stop(part);
    }
    for stream in ["PAY", "ORDER"] {
        world.streams().await.jetstream().delete_stream(stream).await.expect("it is deleted");
    }
    let database = world.postgres.pool("reconcile");
    for sql in ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"] {
        sqlx::query(sql).execute(&database).await.expect(sql);
    }
    database.close().await;
    for part in [Part::NotifySvc, Part::OrderSvc, Part::ReconcileSvc] {
        world.start(part).await;
    }
}

#[test]
fn books_whose_bus_and_database_are_lost_are_rebuilt_from_what_order_svc_keeps() {
    story(Options::default().with_reconcile(), async |world| {
        noon(world).await;
        world.sandbox.set_settle_delay(None).await;
        let sold = sell(world, MERCHANT, &[100, 250]).await;
        sell(world, OTHER_MERCHANT, &[777]).await;
        let (arrived, under_way) = (sold[0].order().refund(100).await, sold[1].order().refund(50).await);
        for refund in [&arrived, &under_way] {
            refund.becomes(RefundState::Processing).await;
        }
        arrives(world, &arrived).await;
        let facts = world.facts("pay.v1.payment.paid.>").await.len() + world.facts("order.v1.>").await.len();
        // Three orders with an attempt and a payment each on both legs, two refunds; one of them is told as back.
        let before = eventually("everything is booked", async || {
            let books = books(world).await;
            let has = |what: &str, count| books.iter().filter(|row| row.starts_with(what)).count() == count;
            let whole = has("order", 3) && has("payment", 3) && has("refund", 2) && has("told payment", 3);
            let arrived = books.iter().any(|row| row.starts_with("refund") && row.contains("SUCCEEDED"));
            if whole && arrived && has("told refund", 1) { Ok(books) } else { Err(format!("{books:#?}")) }
        })
        .await;
        // What is told is moved after it was told.
        eventually("everything is kept", async || {
            let (_, told) = rebuild(world, &["--dry-run"]);
            if Some(facts) <= told["read"].as_u64().and_then(|read| usize::try_from(read).ok()) {
                Ok(())
            } else {
                Err(told.to_string())
            }
        })
        .await;

        lose_bus_and_books(world).await;
        assert_eq!(books(world).await, [""; 0]);
        let (good, told) = rebuild(world, &[]);
        assert!(good, "{told:#}");
        assert_eq!(told["published"], told["read"], "{told:#}");
        eventually("the books are what they were", async || {
            let now = books(world).await;
            if now == before { Ok(()) } else { Err(format!("{now:#?}")) }
        })
        .await;

        // Once more changes nothing.
        let (good, again) = rebuild(world, &["--stream", "ORDER"]);
        assert!(good && again["published"] == 0, "{again:#}");
        assert_eq!(again["duplicates"], again["read"]);
        assert_eq!(books(world).await, before);
    });
}

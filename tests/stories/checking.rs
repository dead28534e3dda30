//! The checker itself: one that cannot fail proves nothing.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
};

use e2e::{Options, World, checker::violations, process::began, selling::State, story};

/// Keeps the true books beside the others.
const KEEP: &str = "CREATE TABLE kept AS
    SELECT p.payment_id, p.order_id, p.state, p.transaction_id, p.paid_time, p.surplus, p.amount_fen,
           o.state AS order_state, o.paid_payment_id
    FROM payments p JOIN orders o ON o.order_id = p.order_id";
const REPAIR_PAYMENTS: &str = "UPDATE payments SET
    state = k.state, transaction_id = k.transaction_id, paid_time = k.paid_time, surplus = k.surplus, surplus_held_at = NULL, amount_fen = k.amount_fen
    FROM kept k WHERE k.payment_id = payments.payment_id";
const REPAIR_ORDERS: &str = "UPDATE orders SET
    state = k.order_state, paid_payment_id = k.paid_payment_id, paid_time = k.paid_time, close_time = NULL
    FROM kept k WHERE k.order_id = orders.order_id";

/// Changes the books in a way that no trigger notices, so that only the books are wrong.
async fn behind_their_backs(world: &World, changes: &[&'static str]) {
    let orders = world.postgres.pool("orders");
    let mut conn = orders.acquire().await.expect("Postgres runs");
    for change in ["SET session_replication_role = replica"].iter().chain(changes).copied() {
        sqlx::query(change).execute(&mut *conn).await.expect(change);
    }
    drop(conn);
    orders.close().await;
}

/// What the checker says when the books are spoiled by hand in this way.
async fn complaints(world: &mut World, spoil: &'static str) -> String {
    behind_their_backs(world, &[spoil]).await;
    let found = violations(world).await.join("\n");
    behind_their_backs(world, &[REPAIR_PAYMENTS, REPAIR_ORDERS]).await;
    found
}

#[test]
fn the_checker_complains_about_every_kind_of_wrong_book() {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        cashier.order().becomes(State::Paid).await;
        let orders = world.postgres.pool("orders");
        sqlx::query(KEEP).execute(&orders).await.expect("a table more is nobody's business");
        orders.close().await;
        assert_eq!(violations(world).await, Vec::<String>::new());

        let cases: [(&str, &[&str]); 6] = [
            (
                "UPDATE payments SET transaction_id = 'x' || transaction_id",
                &["is SUCCEEDED with other content than WeChat's", "its fact is not on the bus"],
            ),
            ("UPDATE payments SET amount_fen = 1", &["is SUCCEEDED with other content than WeChat's"]),
            (
                "UPDATE payments SET paid_time = paid_time + interval '1 second'",
                &["is SUCCEEDED with other content than WeChat's"],
            ),
            (
                "UPDATE payments SET state = 'PENDING', transaction_id = NULL, paid_time = NULL",
                &["was paid at WeChat", "is PAID and keeps 0 payments"],
            ),
            (
                "UPDATE orders SET state = 'CLOSED', close_time = now(), paid_payment_id = NULL, paid_time = NULL",
                &[
                    "is CLOSED and keeps 1 payments",
                    "was told as paid, and is CLOSED",
                    "is CLOSED, and nobody was told",
                ],
            ),
            (
                // Held by a person, because order-svc would give it back.
                "UPDATE payments SET surplus = true, surplus_held_at = now()",
                &["is a surplus, and nobody was told", "is PAID and keeps 0 payments"],
            ),
        ];
        for (spoil, expected) in cases {
            let found = complaints(world, spoil).await;
            for sentence in expected {
                assert!(found.contains(sentence), "{spoil}: {found}");
            }
        }
        // The check at the end of this story finds everything repaired.
    });
}

#[test]
fn a_payment_that_nobody_learned_of_fails_the_check() {
    story(Options::default().unsettled(), async |world| {
        use e2e::sandbox_client::{Fault, FaultPoint, always};
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        cashier.attempted(1).await;
        world.options_mut().unsettled_ok = false;
        let found = violations(world).await.join("\n");
        assert!(found.contains("was paid at WeChat"), "{found}");
        world.options_mut().unsettled_ok = true;
    });
}

#[test]
fn a_story_that_fails_ends_its_world_and_keeps_its_logs() {
    let mut seen = None;
    let told = catch_unwind(AssertUnwindSafe(|| {
        // There is no dead letter, so the checker complains.
        story(Options::default().dead_letters(1), async |world| {
            let processes = world.processes().into_iter().map(|(name, pid)| (name, pid, began(pid)));
            seen = Some((world.folder().to_owned(), processes.collect::<Vec<_>>()));
        });
    }));
    let panic = told.expect_err("the checker complains");
    let said = panic.downcast_ref::<String>().expect("a panic with a text");
    assert!(said.contains("0 dead letters instead of 1"), "{said}");
    let (folder, processes) = seen.expect("the story was told");
    assert!(folder.join("order-svc.log").is_file());
    assert_eq!(processes.len(), 6);
    for (name, pid, beginning) in processes {
        assert!(beginning.is_some() && began(pid) != beginning, "{name} still runs");
    }
    fs::remove_dir_all(folder).expect("the folder is ours");
}

//! `payctl verify`, as an SRE runs it against a live system.

mod scale;

use std::process::{Command, Output};

use e2e::{Options, Part, World, eventually, programs, sandbox_client::RefundState, selling::State, story};
use proto::order::v1::CreateRefundRequest;
use serde_json::Value;
use uuid::Uuid;

/// Runs it with these arguments, and nothing from the test's environment.
fn payctl(arguments: &[&str]) -> Output {
    let mut command = Command::new(programs::ours("payctl"));
    command.arg("verify").args(arguments).env_clear().output().expect("payctl was built")
}

/// What it finds in a world: its exit code and its report.
fn verify(world: &World, arguments: &[&str]) -> (Option<i32>, Value) {
    let sandbox = world.sandbox.url().to_owned();
    let (orders, reconcile) = (world.postgres.url("orders"), world.postgres.url("reconcile"));
    let places =
        ["--order-database-url", &orders, "--reconcile-database-url", &reconcile, "--nats-url", world.nats.url()];
    let ended = payctl(&[&places, ["--sandbox-url", &sandbox, "--json"].as_slice(), arguments].concat());
    let report = serde_json::from_slice(&ended.stdout);
    (ended.status.code(), report.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ended.stderr))))
}

/// The words of the broken rules.
fn broken(report: &Value) -> Vec<&str> {
    report["counts"].as_object().expect("counts by rule").keys().map(String::as_str).collect()
}

/// The word in the subject of what becomes of a refund.
fn fact(state: RefundState) -> &'static str {
    match state {
        RefundState::Success => "succeeded",
        RefundState::Change => "abnormal",
        RefundState::RefundClose => "closed",
        RefundState::Processing => panic!("nothing is told about what is under way"),
    }
}

async fn consumers(world: &World, stream: &str) -> usize {
    let streams = world.streams().await;
    streams.jetstream().get_stream(stream).await.expect("it was made").cached_info().state.consumer_count
}

async fn change(world: &World, sql: &'static str) {
    let orders = world.postgres.pool("orders");
    let mut conn = orders.acquire().await.expect("Postgres runs");
    // No trigger notices, so that only the books are wrong.
    sqlx::query("SET session_replication_role = replica").execute(&mut *conn).await.expect("we own the database");
    sqlx::query(sql).execute(&mut *conn).await.expect(sql);
    drop(conn);
    orders.close().await;
}

#[test]
fn a_paid_order_is_clean_and_a_corrupt_row_is_named() {
    story(Options::default().with_reconcile(), async |world| {
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        cashier.order().becomes(State::Paid).await;
        let before = consumers(world, "PAY").await;

        let (code, report) = verify(world, &["--settle-s", "60"]);
        assert_eq!((code, &report["clean"]), (Some(0), &Value::Bool(true)), "{report:#}");
        for (what, count) in [("orders", 1), ("payments", 1), ("pay_facts", 1), ("order_facts", 3), ("book_entries", 2)]
        {
            assert_eq!(report["looked_at"][what], count, "{report:#}");
        }
        assert_eq!(consumers(world, "PAY").await, before, "it leaves no consumer behind");

        change(world, "UPDATE payments SET paid_time = paid_time + interval '1 second'").await;
        let (code, report) = verify(world, &["--settle-s", "1"]);
        assert_eq!((code, broken(&report)), (Some(1), vec!["paid_without_fact", "paid_without_money"]), "{report:#}");
        let number = cashier.out_trade_no();
        assert!(report["violations"][0]["sentence"].as_str().is_some_and(|text| text.contains(number)), "{report:#}");
        change(world, "UPDATE payments SET paid_time = paid_time - interval '1 second'").await;

        change(world, "UPDATE applied_events SET event_id = 'x' || event_id").await;
        let (code, report) = verify(world, &["--settle-s", "0"]);
        assert_eq!((code, broken(&report)), (Some(1), vec!["unapplied"]), "{report:#}");
        change(world, "UPDATE applied_events SET event_id = substr(event_id, 2)").await;

        let (code, report) = verify(world, &["--settle-s", "0", "--dead-letters", "1"]);
        assert_eq!((code, broken(&report)), (Some(1), vec!["dead_letters"]), "{report:#}");
    });
}

#[test]
fn refunds_are_clean_in_every_state_and_a_corrupt_one_is_named() {
    story(Options::default().with_reconcile(), async |world| {
        // Of one payment, WeChat takes a second refund only after a minute.
        let ends = [RefundState::Success, RefundState::RefundClose, RefundState::Change];
        for (amount_fen, state) in [30, 20, 10].into_iter().zip(ends) {
            let cashier = world.open_cashier(100).await;
            cashier.pay().await;
            cashier.order().becomes(State::Paid).await;
            let (request_id, order) = (Uuid::new_v4().to_string(), cashier.order().name().to_owned());
            let wish = CreateRefundRequest { request_id, order, amount_fen, ..CreateRefundRequest::default() };
            let refund = cashier.order().team().orders().create_refund(wish).await.expect("there is enough left");
            let number = refund.into_inner().out_refund_no;
            eventually("WeChat has the refund", async || world.sandbox.refund(&number).await).await;
            world.sandbox.settle(&number, state).await;
            world.tells(&format!("pay.v1.refund.{}.*", fact(state)), 1).await;
        }

        let (code, report) = verify(world, &["--settle-s", "60"]);
        assert_eq!((code, &report["looked_at"]["refunds"]), (Some(0), &Value::from(3)), "{report:#}");
        assert_eq!(report["skipped"], Value::Object(serde_json::Map::new()), "{report:#}");

        change(world, "UPDATE refunds SET amount_fen = amount_fen + 1 WHERE state = 'SUCCEEDED' AND amount_fen = 30")
            .await;
        let (code, report) = verify(world, &["--settle-s", "1"]);
        let expected = ["conservation", "refund_fact", "refund_without_money", "refunded_too_much", "told_falsely"];
        assert_eq!((code, broken(&report)), (Some(1), expected.to_vec()), "{report:#}");
        change(world, "UPDATE refunds SET amount_fen = 30 WHERE amount_fen = 31").await;

        change(world, "UPDATE orders SET state = 'REFUNDED' WHERE state = 'PARTIALLY_REFUNDED'").await;
        let (code, report) = verify(world, &["--settle-s", "1"]);
        assert_eq!((code, broken(&report)), (Some(1), vec!["refund_state", "transition"]), "{report:#}");
        change(world, "UPDATE orders SET state = 'PARTIALLY_REFUNDED' WHERE state = 'REFUNDED'").await;
    });
}

#[test]
fn what_waits_for_a_process_that_is_away_is_a_violation_only_when_it_stays() {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        world.stop(Part::OrderSvc);
        cashier.pay().await;
        cashier.attempted(1).await;
        let orders = world.postgres.url("orders");
        let places = ["--order-database-url", &orders, "--nats-url", world.nats.url()];

        // Without the ledger: only the bus knows of the payment.
        let ended = payctl(&[&places, ["--settle-s", "1"].as_slice()].concat());
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{said}");
        for sentence in
            ["order-svc-pay has messages that it has not fetched", "which is PENDING with no transaction here"]
        {
            assert!(said.contains(sentence), "{said}");
        }
        assert!(said.contains("because no provider's ledger is given (--sandbox-url)"), "{said}");

        // It waits for what arrives in time.
        let waits = Command::new(programs::ours("payctl"))
            .arg("verify")
            .args(places)
            .args(["--settle-s", "600"])
            .env_clear()
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("payctl was built");
        world.start(Part::OrderSvc).await;
        cashier.order().becomes(State::Paid).await;
        let ended = waits.wait_with_output().expect("it was started");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    });
}

#[test]
fn what_cannot_be_looked_at_is_neither_clean_nor_wrong() {
    story(Options::default(), async |world| {
        let (orders, nowhere) = (world.postgres.url("orders"), world.postgres.url("nowhere"));
        let ended = payctl(&["--order-database-url", &nowhere, "--nats-url", world.nats.url()]);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(said.starts_with("error: cannot use the Postgres database nowhere"), "{said}");

        // The monitor of NATS is no sandbox.
        let wrong = ["--sandbox-url", world.nats.monitor_url()];
        let ended =
            payctl(&[&["--order-database-url", &orders, "--nats-url", world.nats.url()], wrong.as_slice()].concat());
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(said.contains("the sandbox's ledger cannot be read"), "{said}");
        assert!(ended.stdout.is_empty(), "half a report would be taken for a whole one");
    });
}

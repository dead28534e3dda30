use proto::reconcile::v1::resolve_discrepancy_request::Step;
use proto::reconcile::v1::{ResolveDiscrepancyRequest, VerifyAuditLogRequest, VerifyAuditLogResponse};
use sqlx::{Executor as _, Row as _};

use crate::bill::{self, Payment};
use crate::gateway::Bill;
use crate::harness::World;
use crate::people::{ONE, request};

impl World {
    async fn verified(&self) -> VerifyAuditLogResponse {
        let answer = self.client.clone().verify_audit_log(VerifyAuditLogRequest {}).await;
        answer.expect("the log is read").into_inner()
    }
}

/// A world whose log has five rows: a run that opened one difference, and four notes about it.
async fn world_with_notes() -> World {
    let world = World::start().await;
    let day = world.day();
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&Payment::on(day, 100)]));
    world.run(day).await;
    let found = world.discrepancies().await.remove(0);
    for text in ["一", "two", "three", "four"] {
        let note = ResolveDiscrepancyRequest { note: text.to_owned(), ..request(&found, Step::Note) };
        world.resolve(ONE, note).await.expect("a note is always taken");
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untouched_log_is_whole_and_grows_by_what_happens() {
    let world = World::start().await;
    let empty = world.verified().await;
    assert_eq!(empty, VerifyAuditLogResponse::default());
    world.end().await;

    let world = world_with_notes().await;
    let whole = world.verified().await;
    assert_eq!((whole.rows, whole.broken_at, whole.problem.as_str()), (5, 0, ""));
    let last: Vec<u8> = sqlx::query_scalar("SELECT hash FROM audit_log WHERE sequence = 5")
        .fetch_one(&world.pool)
        .await
        .expect("the last row");
    assert_eq!(whole.head_hash, reconcile_svc::resolution::audit::hex(&last));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_refuses_to_be_changed() {
    let world = world_with_notes().await;
    for statement in [
        "UPDATE audit_log SET detail = 'x' WHERE sequence = 2",
        "UPDATE audit_log SET detail = 'x' WHERE FALSE",
        "DELETE FROM audit_log WHERE sequence = 5",
        "TRUNCATE audit_log",
        "DELETE FROM audit_head",
        "TRUNCATE audit_head",
    ] {
        let refused = world.pool.execute(statement).await.expect_err(statement);
        assert!(refused.to_string().contains("it is only appended to"), "{statement}: {refused}");
    }
    assert_eq!(world.verified().await.rows, 5);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_round_the_refusal_is_found_at_the_row() {
    let changes = [
        ("UPDATE audit_log SET detail = 'nothing happened' WHERE sequence = 3", 3, "hash: "),
        ("UPDATE audit_log SET time = time + interval '1 microsecond' WHERE sequence = 1", 1, "hash: "),
        ("UPDATE audit_log SET hash = sha256('x') WHERE sequence = 2", 2, "hash: "),
        ("UPDATE audit_log SET previous_hash = sha256('x') WHERE sequence = 4", 4, "link: "),
        ("DELETE FROM audit_log WHERE sequence = 2", 3, "gap: "),
        ("DELETE FROM audit_log WHERE sequence = 5", 5, "head: "),
        ("DELETE FROM audit_log", 1, "head: "),
        ("UPDATE audit_head SET sequence = 3, hash = (SELECT hash FROM audit_log WHERE sequence = 3)", 4, "head: "),
        ("UPDATE audit_head SET hash = sha256('x')", 5, "head: "),
    ];
    let world = world_with_notes().await;
    let whole = world.verified().await;
    for (change, row, problem) in changes {
        let mut keeper = world.pool.begin().await.expect("a transaction");
        let backup = "CREATE TEMP TABLE kept_log ON COMMIT DROP AS TABLE audit_log;
                      CREATE TEMP TABLE kept_head ON COMMIT DROP AS TABLE audit_head;";
        keeper.execute(backup).await.expect("a copy");
        world.untriggered(change).await;
        let found = world.verified().await;
        assert_eq!((found.broken_at, found.problem.starts_with(problem)), (row, true), "{change}: {found:?}");
        let back = "SET LOCAL session_replication_role = replica; DELETE FROM audit_log; DELETE FROM audit_head;
                    INSERT INTO audit_log TABLE kept_log; INSERT INTO audit_head TABLE kept_head;";
        keeper.execute(back).await.expect("as it was");
        keeper.commit().await.expect("a commit");
        assert_eq!(world.verified().await, whole, "{change}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_opens_thousands_of_differences_writes_a_row_for_each_in_one_chain() {
    let world = World::start().await;
    let day = world.day();
    let payments: Vec<_> = (1..=2500).map(|fen| Payment::on(day, fen).row()).collect();
    world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(bill::text(&payments)));
    let run = world.run(day).await;
    let whole = world.verified().await;
    assert_eq!((whole.rows, whole.broken_at), (2500, 0));
    let row = sqlx::query("SELECT count(DISTINCT discrepancy_id) AS found, min(detail) AS detail FROM audit_log")
        .fetch_one(&world.pool)
        .await
        .expect("a row");
    assert_eq!(row.get::<i64, _>("found"), 2500);
    assert_eq!(row.get::<String, _>("detail"), format!("found by {}, {day} of acme-mini", run.name));
    world.end().await;
}

impl World {
    /// Changes a table as somebody does who switches its triggers off.
    async fn untriggered(&self, statement: &str) {
        let mut tx = self.pool.begin().await.expect("a transaction");
        tx.execute("SET LOCAL session_replication_role = replica").await.expect("a superuser may");
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        sqlx::query(statement).execute(&mut *tx).await.expect("the change");
        tx.commit().await.expect("a commit");
    }
}

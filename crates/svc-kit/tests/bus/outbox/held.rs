//! Events that leave from memory.

use proto::event::Event as _;
use sqlx::PgPool;
use svc_kit::bus::{Bus, streams};
use svc_kit::metrics::Metrics;
use svc_kit::outbox::archive::ARCHIVE_MIGRATION_SQL;
use svc_kit::outbox::{Columns, HOLD_SECONDS, Held, Relay, Sealed, Waker, enqueue, enqueue_held};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{counted, ids, waiting};
use crate::nats::Nats;
use crate::postgres::Postgres;
use crate::{paid, stored, until};

/// As many events as one memory holds.
const ROOM: i64 = 4096;

/// Longer than any test takes: only its process publishes such a row.
const FOR_LONG: &str = "UPDATE outbox SET held_until = now() + interval '50 seconds' WHERE held_until IS NOT NULL";

struct World {
    nats: Nats,
    postgres: Postgres,
    bus: Bus,
    metrics: Metrics,
}

impl World {
    async fn start() -> Self {
        let (nats, postgres) = tokio::join!(Nats::start(), Postgres::start());
        sqlx::raw_sql(ARCHIVE_MIGRATION_SQL).execute(&postgres.pool).await.expect("the archive is made");
        let (bus, metrics) = nats.bus().await;
        Self { nats, postgres, bus, metrics }
    }

    fn pool(&self) -> &PgPool {
        &self.postgres.pool
    }

    fn relay(&self) -> Relay {
        Relay::new(self.pool().clone(), &self.bus, &self.metrics).with_archive()
    }

    /// Writes events held, and commits.
    async fn write(&self, ids: &[&str]) -> Held {
        let sealed: Vec<_> = ids.iter().map(|id| sealed(id)).collect();
        let mut tx = self.pool().begin().await.expect("a transaction");
        let held = enqueue_held(&mut tx, &sealed).await.expect("they are written");
        tx.commit().await.expect("they are committed");
        held
    }

    /// What a statement that wrote this event would have returned.
    async fn rows(&self, id: &str) -> Vec<(i64, String)> {
        let rows = sqlx::query_as("SELECT seq, event_id FROM outbox WHERE event_id = $1").bind(paid(id).id());
        rows.fetch_all(self.pool()).await.expect("the outbox can be read")
    }

    async fn execute(&self, sql: &'static str) {
        sqlx::query(sql).execute(self.pool()).await.expect("it is done");
    }

    async fn is_empty(&self) {
        until("the outbox is empty", || async { (waiting(self.pool()).await == 0).then_some(()) }).await;
    }
}

struct Running {
    waker: Waker,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    fn start(relay: Relay) -> Self {
        let (waker, stop) = (relay.waker(), CancellationToken::new());
        Self { waker, task: tokio::spawn(relay.run(stop.clone())), stop }
    }

    async fn ends(self) {
        self.stop.cancel();
        self.task.await.expect("it does not panic").expect("it ends well");
    }
}

fn sealed(id: &str) -> Sealed {
    Sealed::of(&paid(id), "test").expect("it can be sent")
}

#[tokio::test]
async fn a_held_event_is_published_and_archived_without_having_been_read() {
    let world = World::start().await;
    let relay = Running::start(world.relay());
    let held = world.write(&["1", "2", "1"]).await;
    // No relay reads it, so whatever happens to it comes from memory.
    world.execute(FOR_LONG).await;
    relay.waker.leave(held);
    world.is_empty().await;
    relay.ends().await;
    assert_eq!(counted(&world.metrics, "published"), 2);
    assert_eq!(stored(&world.bus, "PAY").await, 2);
    assert_eq!(ids(world.pool(), "outbox_archive").await, [paid("1").id(), paid("2").id()]);
}

#[tokio::test]
async fn many_held_events_leave_in_batches() {
    let world = World::start().await;
    let relay = Running::start(world.relay());
    let names: Vec<String> = (0..1500).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let held = world.write(&names).await;
    world.execute(FOR_LONG).await;
    relay.waker.leave(held);
    world.is_empty().await;
    relay.ends().await;
    assert_eq!((stored(&world.bus, "PAY").await, counted(&world.metrics, "published")), (1500, 1500));
    let commits = sqlx::query_scalar::<_, i64>("SELECT count(DISTINCT xmin::text) FROM outbox_archive");
    let commits = commits.fetch_one(world.pool()).await.expect("the archive can be read");
    assert!(commits < 20, "1500 events were settled in {commits} transactions");
}

#[tokio::test]
async fn a_statement_of_somebody_elses_can_hold_events_too() {
    let world = World::start().await;
    let relay = Running::start(world.relay());
    let events = [sealed("1"), sealed("2")];
    let columns = Columns::of(&events);
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "INSERT INTO outbox (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, held_until)
         SELECT event.*, clock_timestamp() + $9::bigint * interval '1200 second'
         FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[]) AS event
         RETURNING seq, event_id",
    )
    .bind(columns.event_id)
    .bind(columns.subject)
    .bind(columns.ce_type)
    .bind(columns.ce_source)
    .bind(columns.ce_subject)
    .bind(columns.ce_time)
    .bind(columns.traceparent)
    .bind(columns.payload)
    .bind(HOLD_SECONDS)
    .fetch_all(world.pool())
    .await
    .expect("they are written");
    relay.waker.leave(Held::of(Instant::now(), &events, rows));
    world.is_empty().await;
    relay.ends().await;
    assert_eq!(stored(&world.bus, "PAY").await, 2);
}

#[tokio::test]
async fn what_is_written_already_is_not_handed_over() {
    let world = World::start().await;
    let first = world.write(&["1"]).await;
    let again = world.write(&["1"]).await;
    assert!(!first.is_empty());
    assert!(again.is_empty());
    let mut connection = world.pool().acquire().await.expect("a connection");
    enqueue(&mut connection, &paid("1"), "test").await.expect("it was written");
    assert_eq!(waiting(world.pool()).await, 1);

    world.execute(FOR_LONG).await;
    let relay = Running::start(world.relay());
    relay.waker.leave(again);
    relay.waker.leave(first);
    world.is_empty().await;
    relay.ends().await;
    assert_eq!(counted(&world.metrics, "published"), 1);
}

/// Lets a relay be at work while a row is held that it must not take.
async fn no_relay_takes_a_held_row(choose: impl FnOnce(&World) -> Relay) {
    let world = World::start().await;
    drop(world.write(&["held"]).await);
    world.execute(FOR_LONG).await;
    let mut connection = world.pool().acquire().await.expect("a connection");
    for id in ["refused", "free"] {
        enqueue(&mut connection, &paid(id), "test").await.expect("it is written");
    }
    let spoil = "UPDATE outbox SET subject = 'pay.v1..x' WHERE event_id = $1";
    sqlx::query(spoil).bind(paid("refused").id()).execute(&mut *connection).await.expect("it is changed");
    let relay = Running::start(choose(&world));
    // The first round takes, and the one after a refusal locks with care.
    until("it is tried again", || async { (2 <= counted(&world.metrics, "refused")).then_some(()) }).await;
    assert_eq!(ids(world.pool(), "outbox").await, [paid("held").id(), paid("refused").id()]);
    relay.ends().await;
    assert_eq!((stored(&world.bus, "PAY").await, counted(&world.metrics, "published")), (1, 1));
}

#[tokio::test]
async fn no_relay_that_deletes_takes_a_held_row_before_its_time() {
    no_relay_takes_a_held_row(|world| Relay::new(world.pool().clone(), &world.bus, &world.metrics)).await;
}

#[tokio::test]
async fn no_relay_that_archives_takes_a_held_row_before_its_time() {
    no_relay_takes_a_held_row(World::relay).await;
}

#[tokio::test]
async fn a_held_row_whose_process_has_died_is_published_by_another_when_its_hold_ends() {
    let world = World::start().await;
    drop(world.write(&["1"]).await);
    let held: bool = sqlx::query_scalar("SELECT now() < held_until FROM outbox")
        .fetch_one(world.pool())
        .await
        .expect("the row is there");
    assert!(held);
    let relay = Running::start(world.relay());
    world.is_empty().await;
    relay.ends().await;
    assert_eq!(stored(&world.bus, "PAY").await, 1);
}

#[tokio::test]
async fn a_hold_that_a_clock_wrote_which_was_put_back_since_holds_nothing() {
    let world = World::start().await;
    drop(world.write(&["1"]).await);
    world.execute("UPDATE outbox SET held_until = now() + interval '10 minutes'").await;
    let relay = Running::start(world.relay());
    world.is_empty().await;
    relay.ends().await;
    assert_eq!(stored(&world.bus, "PAY").await, 1);
}

#[tokio::test]
async fn who_dies_between_the_ack_and_the_settling_leaves_an_event_that_is_told_again_under_its_id() {
    let world = World::start().await;
    let relay = Running::start(world.relay());
    drop(world.write(&["1"]).await);
    let rows = world.rows("1").await;
    let mut tx = world.pool().begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE").execute(&mut *tx).await.expect("it is locked");
    relay.waker.leave(Held::of(Instant::now(), &[sealed("1")], rows));
    until("it is published", || async { (1 <= counted(&world.metrics, "published")).then_some(()) }).await;
    relay.task.abort();
    assert!(relay.task.await.expect_err("it is dead").is_cancelled());
    tx.commit().await.expect("the lock is free");
    assert_eq!(waiting(world.pool()).await, 1);

    let metrics = Metrics::new();
    let other = Running::start(Relay::new(world.pool().clone(), &world.bus, &metrics).with_archive());
    world.is_empty().await;
    other.ends().await;
    assert_eq!(counted(&metrics, "published"), 1);
    assert_eq!(stored(&world.bus, "PAY").await, 1);
    assert_eq!(ids(world.pool(), "outbox_archive").await, [paid("1").id()]);
}

#[tokio::test]
async fn what_no_stream_takes_is_given_back_and_published_when_there_is_one() {
    let world = World::start().await;
    world.bus.jetstream().delete_stream("PAY").await.expect("it is deleted");
    let relay = Running::start(world.relay());
    let held = world.write(&["1", "2"]).await;
    world.execute(FOR_LONG).await;
    relay.waker.leave(held);
    // Twice from memory, and twice by the relay, which could not have them before the hour is over.
    until("they are refused twice", || async { (4 <= counted(&world.metrics, "refused")).then_some(()) }).await;
    assert_eq!(ids(world.pool(), "outbox").await, [paid("1").id(), paid("2").id()]);
    assert_eq!(ids(world.pool(), "outbox_archive").await, [""; 0]);

    streams::ensure(&world.bus, "order-svc").await.expect("the stream is created");
    world.is_empty().await;
    relay.ends().await;
    assert_eq!(stored(&world.bus, "PAY").await, 2);
    assert_eq!(ids(world.pool(), "outbox_archive").await, [paid("1").id(), paid("2").id()]);
}

#[tokio::test]
async fn an_outage_of_the_bus_loses_nothing_that_was_in_memory() {
    let world = World::start().await;
    let relay = Running::start(world.relay());
    world.nats.pause();
    let held = world.write(&["1"]).await;
    world.execute(FOR_LONG).await;
    relay.waker.leave(held);
    until("the outage is noticed by both", || async {
        (2 <= counted(&world.metrics, "unknown") + counted(&world.metrics, "not_connected")).then_some(())
    })
    .await;
    assert_eq!(waiting(world.pool()).await, 1, "what has no ack stays");
    world.nats.go_on();
    world.is_empty().await;
    relay.ends().await;
    assert_eq!(stored(&world.bus, "PAY").await, 1);
}

#[tokio::test]
async fn what_finds_no_room_in_memory_is_published_when_its_hold_ends() {
    let world = World::start().await;
    let relay = world.relay();
    let names: Vec<String> = (0..ROOM + 500).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // Nobody takes anything out of the memory yet.
    relay.waker().leave(world.write(&names).await);
    world.execute(FOR_LONG).await;
    let relay = Running::start(relay);
    until("memory is empty", || async { (waiting(world.pool()).await == 500).then_some(()) }).await;
    world.execute("UPDATE outbox SET held_until = now()").await;
    world.is_empty().await;
    relay.ends().await;
    let all = u64::try_from(ROOM + 500).expect("a small number");
    assert_eq!((stored(&world.bus, "PAY").await, counted(&world.metrics, "published")), (all, all));
}

#[tokio::test]
async fn publishing_goes_on_while_the_database_is_away_and_settling_is_made_up_for() {
    let world = World::start().await;
    let relay = Running::start(world.relay());
    drop(world.write(&["1", "2"]).await);
    world.execute(FOR_LONG).await;
    let (first, second) = (world.rows("1").await, world.rows("2").await);
    let mut tx = world.pool().begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE").execute(&mut *tx).await.expect("it is locked");
    relay.waker.leave(Held::of(Instant::now(), &[sealed("1")], first));
    until("the first is settled in vain", || async {
        let cut: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) AS cut FROM pg_stat_activity
                                   WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO outbox_archive%') AS waiting
             WHERE cut",
        )
        .fetch_one(world.pool())
        .await
        .expect("an administrator may do so");
        (1 <= cut).then_some(())
    })
    .await;
    assert_eq!(stored(&world.bus, "PAY").await, 1);
    relay.waker.leave(Held::of(Instant::now(), &[sealed("2")], second));
    until("the second is published", || async { (stored(&world.bus, "PAY").await == 2).then_some(()) }).await;
    tx.commit().await.expect("the lock is free");
    world.is_empty().await;
    relay.ends().await;
    assert_eq!(counted(&world.metrics, "published"), 2, "each was published once");
    assert_eq!(ids(world.pool(), "outbox_archive").await, [paid("1").id(), paid("2").id()]);
}

#[tokio::test]
async fn a_process_that_stops_publishes_and_settles_what_it_has_in_memory() {
    let world = World::start().await;
    let relay = world.relay();
    let (waker, stop) = (relay.waker(), CancellationToken::new());
    drop(world.write(&["1"]).await);
    world.execute(FOR_LONG).await;
    let rows = world.rows("1").await;
    waker.leave(Held::of(Instant::now(), &[sealed("1")], rows));
    stop.cancel();
    relay.run(stop).await.expect("it ends well");
    assert_eq!(waiting(world.pool()).await, 0);
    assert_eq!((stored(&world.bus, "PAY").await, ids(world.pool(), "outbox_archive").await.len()), (1, 1));
    // It has ended, so this is nobody's before its time.
    waker.leave(world.write(&["2"]).await);
    assert_eq!(waiting(world.pool()).await, 1);
}

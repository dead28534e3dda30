mod held;

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use proto::event::{Event as _, PaymentSurplus};
use sqlx::PgPool;
use svc_kit::bus::Delivery;
use svc_kit::metrics::Metrics;
use svc_kit::outbox::archive::{ARCHIVE_MIGRATION_SQL, Place, archived, keep, prune};
use svc_kit::outbox::{Relay, Sealed, enqueue, enqueue_many, enqueue_sealed};
use tokio_util::sync::CancellationToken;

use crate::nats::Nats;
use crate::postgres::Postgres;
use crate::{message, paid, stored, until};

async fn waiting(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(pool).await.expect("the outbox can be read")
}

#[tokio::test]
async fn an_event_commits_with_its_transaction_or_not_at_all() {
    let postgres = Postgres::start().await;
    let mut tx = postgres.pool.begin().await.expect("a transaction");
    enqueue(&mut tx, &paid("1"), "order-svc").await.expect("it is written");
    tx.rollback().await.expect("it is rolled back");
    assert_eq!(waiting(&postgres.pool).await, 0);

    let mut tx = postgres.pool.begin().await.expect("a transaction");
    enqueue_many(&mut tx, &[paid("1"), paid("2"), paid("1")], "order-svc").await.expect("they are written");
    enqueue(&mut tx, &paid("2"), "order-svc").await.expect("it was written");
    tx.commit().await.expect("it is committed");
    assert_eq!(waiting(&postgres.pool).await, 2);
}

#[tokio::test]
async fn events_of_several_types_are_written_in_the_order_in_which_they_were_added() {
    let postgres = Postgres::start().await;
    let mut connection = postgres.pool.acquire().await.expect("a connection");
    let surplus = |n: &str| PaymentSurplus {
        app: "shop".to_owned(),
        order: "orders/1".to_owned(),
        payment: format!("orders/1/payments/{n}"),
        ..PaymentSurplus::default()
    };
    let sealed = [
        Sealed::of(&surplus("2"), "order-svc").expect("it can be sent"),
        Sealed::of(&paid("1"), "order-svc").expect("it can be sent"),
        Sealed::of(&surplus("1"), "order-svc").expect("it can be sent"),
    ];
    enqueue_sealed(&mut connection, &sealed).await.expect("they are written");
    enqueue_sealed(&mut connection, &[]).await.expect("of none, nothing is written");
    let written: Vec<String> = sqlx::query_scalar("SELECT event_id FROM outbox ORDER BY seq")
        .fetch_all(&mut *connection)
        .await
        .expect("the outbox can be read");
    assert_eq!(written, [surplus("2").id(), paid("1").id(), surplus("1").id()]);
}

#[tokio::test]
async fn the_relay_publishes_what_is_committed_as_it_would_have_been_published() {
    let (nats, postgres) = tokio::join!(Nats::start(), Postgres::start());
    let (bus, metrics) = nats.bus().await;
    let stop = CancellationToken::new();
    let relay = Relay::new(postgres.pool.clone(), &bus, &metrics);
    let waker = relay.waker();
    let task = tokio::spawn(relay.run(stop.clone()));

    let mut tx = postgres.pool.begin().await.expect("a transaction");
    let events: Vec<_> = (0..150).map(|n| paid(&n.to_string())).collect();
    enqueue_many(&mut tx, &events, "test").await.expect("they are written");
    tx.commit().await.expect("they are committed");
    waker.wake();
    until("the outbox is empty", || async { (waiting(&postgres.pool).await == 0).then_some(()) }).await;
    stop.cancel();
    task.await.expect("it does not panic").expect("it ends well");

    assert_eq!(stored(&bus, "PAY").await, 150);
    let stream = bus.jetstream().get_stream_no_info("PAY").await.expect("a name");
    let mut found = HashMap::new();
    for sequence in 1..=150 {
        let message = until("the stream answers", || async { stream.get_raw_message(sequence).await.ok() }).await;
        found.insert(message.headers.get("Nats-Msg-Id").expect("each has an id").to_string(), message);
    }
    for id in ["0", "64", "149"] {
        let expected = message(id);
        let found = &found[&expected.id];
        assert_eq!((found.subject.as_str(), &found.payload), (expected.subject.as_str(), &expected.payload));
        // The event has no time of its own, so each message has the time at which it was made.
        for (name, values) in expected.headers.iter().filter(|(name, _)| name.to_string() != "ce-time") {
            assert_eq!(found.headers.get(name.clone()), values.first(), "{name} of {id}");
        }
    }
}

#[tokio::test]
async fn the_relay_publishes_once_after_an_outage_of_the_bus() {
    let (nats, postgres) = tokio::join!(Nats::start(), Postgres::start());
    let (bus, metrics) = nats.bus().await;
    let stop = CancellationToken::new();
    let task = tokio::spawn(Relay::new(postgres.pool.clone(), &bus, &metrics).run(stop.clone()));

    nats.pause();
    let mut connection = postgres.pool.acquire().await.expect("a connection");
    enqueue(&mut connection, &paid("1"), "order-svc").await.expect("it is written");
    until("the outage is noticed", || async {
        let text = metrics.encode();
        // Which one depends on whether the client has noticed the silence yet.
        ["unknown", "not_connected"]
            .iter()
            .any(|outcome| text.contains(&format!("outbox_published_total{{outcome=\"{outcome}\"}}")))
            .then_some(())
    })
    .await;
    assert_eq!(waiting(&postgres.pool).await, 1, "what has no ack stays");
    nats.go_on();
    until("the outbox is empty", || async { (waiting(&postgres.pool).await == 0).then_some(()) }).await;
    stop.cancel();
    task.await.expect("it does not panic").expect("it ends well");
    // The first attempt may have been stored without our knowing; its repeat has the same id.
    assert_eq!(stored(&bus, "PAY").await, 1);
}

#[tokio::test]
async fn the_relay_goes_on_after_the_database_has_cut_its_connection() {
    let (nats, postgres) = tokio::join!(Nats::start(), Postgres::start());
    let (bus, metrics) = nats.bus().await;
    let stop = CancellationToken::new();
    let task = tokio::spawn(Relay::new(postgres.pool.clone(), &bus, &metrics).run(stop.clone()));

    // The relay waits for this lock, so there is something to cut off.
    let mut tx = postgres.pool.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE").execute(&mut *tx).await.expect("it is locked");
    until("the relay was cut off", || async {
        let cut: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) AS cut FROM pg_stat_activity
                                   WHERE wait_event_type = 'Lock') AS waiting WHERE cut",
        )
        .fetch_one(&postgres.pool)
        .await
        .expect("an administrator may do so");
        (1 <= cut).then_some(())
    })
    .await;
    enqueue(&mut tx, &paid("1"), "order-svc").await.expect("it is written");
    tx.commit().await.expect("it is committed");

    until("the outbox is empty", || async { (waiting(&postgres.pool).await == 0).then_some(()) }).await;
    stop.cancel();
    task.await.expect("it does not panic").expect("it ends well");
    assert_eq!(stored(&bus, "PAY").await, 1);
}

#[tokio::test]
async fn a_row_that_is_refused_rests_and_stops_nobody_else() {
    let (nats, postgres) = tokio::join!(Nats::start(), Postgres::start());
    let (bus, metrics) = nats.bus().await;
    let mut connection = postgres.pool.acquire().await.expect("a connection");
    let events: Vec<_> = (0..100).map(|n| paid(&n.to_string())).collect();
    enqueue_many(&mut connection, &events, "test").await.expect("they are written");
    // The oldest of all, one in the middle, and one that no header can carry: somebody else has written it.
    for change in [
        "subject = 'nobody.v1.listens' WHERE seq = (SELECT min(seq) FROM outbox)",
        "subject = 'pay.v1..x' WHERE seq = (SELECT min(seq) + 50 FROM outbox)",
        "ce_subject = E'two\nlines' WHERE seq = (SELECT min(seq) + 70 FROM outbox)",
    ] {
        let update = sqlx::AssertSqlSafe(format!("UPDATE outbox SET {change}"));
        sqlx::query(update).execute(&mut *connection).await.expect("it is changed");
    }
    let stop = CancellationToken::new();
    let task = tokio::spawn(Relay::new(postgres.pool.clone(), &bus, &metrics).run(stop.clone()));

    until("all others are published", || async { (waiting(&postgres.pool).await == 3).then_some(()) }).await;
    assert_eq!(stored(&bus, "PAY").await, 97);
    enqueue(&mut connection, &paid("late"), "test").await.expect("it is written");
    until("a later one is published, too", || async { (waiting(&postgres.pool).await == 3).then_some(()) }).await;

    let repair = "UPDATE outbox SET subject = 'pay.v1.payment.paid.acme', ce_subject = 'payments/1'";
    sqlx::query(repair).execute(&mut *connection).await.expect("they are repaired");
    until("the repaired ones are published", || async { (waiting(&postgres.pool).await == 0).then_some(()) }).await;
    stop.cancel();
    task.await.expect("it does not panic").expect("it ends well");
    assert_eq!(stored(&bus, "PAY").await, 101);
}

/// What a relay has counted.
fn counted(metrics: &Metrics, outcome: &str) -> u64 {
    let name = format!("outbox_published_total{{outcome=\"{outcome}\"}} ");
    let text = metrics.encode();
    text.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().expect("a counter"))
}

async fn ids(pool: &PgPool, table: &'static str) -> Vec<String> {
    let select = sqlx::AssertSqlSafe(format!("SELECT event_id FROM {table} ORDER BY seq"));
    sqlx::query_scalar(select).fetch_all(pool).await.expect("it can be read")
}

/// Publishes many, of which the stream refuses the one in the middle.
async fn one_of_many_is_refused(archive: bool) -> (Postgres, Vec<String>) {
    let (nats, postgres) = tokio::join!(Nats::start(), Postgres::start());
    let (bus, metrics) = nats.bus().await;
    let mut relay = Relay::new(postgres.pool.clone(), &bus, &metrics);
    if archive {
        sqlx::raw_sql(ARCHIVE_MIGRATION_SQL).execute(&postgres.pool).await.expect("the archive is made");
        relay = relay.with_archive();
    }
    let mut connection = postgres.pool.acquire().await.expect("a connection");
    let events: Vec<_> = (0..41).map(|n| paid(&n.to_string())).collect();
    enqueue_many(&mut connection, &events, "test").await.expect("they are written");
    let spoil = "UPDATE outbox SET subject = 'pay.v1..x' WHERE event_id = $1";
    sqlx::query(spoil).bind(paid("20").id()).execute(&mut *connection).await.expect("it is changed");
    let stop = CancellationToken::new();
    let task = tokio::spawn(relay.run(stop.clone()));

    until("all others are published", || async { (waiting(&postgres.pool).await == 1).then_some(()) }).await;
    until("it is tried again", || async { (2 <= counted(&metrics, "refused")).then_some(()) }).await;
    stop.cancel();
    task.await.expect("it does not panic").expect("it ends well");
    assert_eq!(ids(&postgres.pool, "outbox").await, [paid("20").id()]);
    assert_eq!(counted(&metrics, "published"), 40, "each was published once");
    assert_eq!(stored(&bus, "PAY").await, 40);
    let others = events.iter().map(proto::event::Event::id).filter(|id| *id != paid("20").id());
    (postgres, others.collect())
}

#[tokio::test]
async fn of_a_round_in_which_one_is_refused_the_others_leave_and_it_stays() {
    one_of_many_is_refused(false).await;
}

#[tokio::test]
async fn of_a_round_in_which_one_is_refused_the_others_are_archived_and_it_is_not() {
    let (postgres, others) = one_of_many_is_refused(true).await;
    assert_eq!(ids(&postgres.pool, "outbox_archive").await, others);
}

#[tokio::test]
async fn events_of_several_streams_leave_in_one_round() {
    let (nats, postgres) = tokio::join!(Nats::start(), Postgres::start());
    sqlx::raw_sql(ARCHIVE_MIGRATION_SQL).execute(&postgres.pool).await.expect("the archive is made");
    let (bus, metrics) = nats.bus().await;
    let mut connection = postgres.pool.acquire().await.expect("a connection");
    for n in 0..20 {
        let payment = format!("orders/1/payments/{n}");
        let surplus = PaymentSurplus { app: "shop".to_owned(), payment, ..PaymentSurplus::default() };
        enqueue(&mut connection, &paid(&n.to_string()), "test").await.expect("it is written");
        enqueue(&mut connection, &surplus, "test").await.expect("it is written");
    }
    let stop = CancellationToken::new();
    let task = tokio::spawn(Relay::new(postgres.pool.clone(), &bus, &metrics).with_archive().run(stop.clone()));
    until("the outbox is empty", || async { (waiting(&postgres.pool).await == 0).then_some(()) }).await;
    stop.cancel();
    task.await.expect("it does not panic").expect("it ends well");
    assert_eq!((stored(&bus, "PAY").await, stored(&bus, "ORDER").await), (20, 20));
    let commits = sqlx::query_scalar::<_, i64>("SELECT count(DISTINCT xmin::text) FROM outbox_archive");
    assert_eq!(commits.fetch_one(&postgres.pool).await.expect("the archive can be read"), 1);
}

#[tokio::test]
async fn two_relays_publish_each_event_once_and_leave_none() {
    let (nats, postgres) = tokio::join!(Nats::start(), Postgres::start());
    sqlx::raw_sql(ARCHIVE_MIGRATION_SQL).execute(&postgres.pool).await.expect("the archive is made");
    let ((bus, metrics), (other_bus, other_metrics)) = (nats.bus().await, nats.bus().await);
    let stop = CancellationToken::new();
    let tasks = [(&bus, &metrics), (&other_bus, &other_metrics)].map(|(bus, metrics)| {
        tokio::spawn(Relay::new(postgres.pool.clone(), bus, metrics).with_archive().run(stop.clone()))
    });
    let events: Vec<_> = (0..3000).map(|n| paid(&n.to_string())).collect();
    let mut connection = postgres.pool.acquire().await.expect("a connection");
    for some in events.chunks(300) {
        enqueue_many(&mut connection, some, "test").await.expect("they are written");
    }
    until("the outbox is empty", || async { (waiting(&postgres.pool).await == 0).then_some(()) }).await;
    stop.cancel();
    for task in tasks {
        task.await.expect("it does not panic").expect("it ends well");
    }
    assert_eq!(counted(&metrics, "published") + counted(&other_metrics, "published"), 3000);
    assert_eq!(stored(&bus, "PAY").await, 3000);
    assert_eq!(ids(&postgres.pool, "outbox_archive").await.len(), 3000);
}

#[tokio::test]
async fn an_outage_of_the_bus_writes_the_archive_in_vain_once_only() {
    let (nats, postgres) = tokio::join!(Nats::start(), Postgres::start());
    sqlx::raw_sql(ARCHIVE_MIGRATION_SQL).execute(&postgres.pool).await.expect("the archive is made");
    // A sequence remembers what was rolled back.
    sqlx::raw_sql(
        "CREATE SEQUENCE writes;
         CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM nextval('writes'); RETURN NEW; END $$;
         CREATE TRIGGER count_write BEFORE INSERT ON outbox_archive FOR EACH ROW EXECUTE FUNCTION count_write()",
    )
    .execute(&postgres.pool)
    .await
    .expect("what is written is counted");
    let writes = || async {
        let last = sqlx::query_scalar::<_, i64>("SELECT last_value FROM writes").fetch_one(&postgres.pool);
        last.await.expect("a sequence")
    };
    let (bus, metrics) = nats.bus().await;
    let stop = CancellationToken::new();
    let relay = Relay::new(postgres.pool.clone(), &bus, &metrics).with_archive();
    let task = tokio::spawn(relay.run(stop.clone()));

    nats.pause();
    let mut connection = postgres.pool.acquire().await.expect("a connection");
    enqueue(&mut connection, &paid("1"), "order-svc").await.expect("it is written");
    until("the outage has cost three rounds", || async {
        (3 <= counted(&metrics, "unknown") + counted(&metrics, "not_connected")).then_some(())
    })
    .await;
    assert_eq!((waiting(&postgres.pool).await, writes().await), (1, 1));
    assert_eq!(ids(&postgres.pool, "outbox_archive").await, [""; 0]);
    nats.go_on();
    until("the outbox is empty", || async { (waiting(&postgres.pool).await == 0).then_some(()) }).await;
    stop.cancel();
    task.await.expect("it does not panic").expect("it ends well");
    assert_eq!(writes().await, 2);
    assert_eq!(ids(&postgres.pool, "outbox_archive").await, [paid("1").id()]);
}

/// The archive as it is read: ids in their order.
async fn kept(pool: &PgPool, roots: &[&str], since: Timestamp) -> Vec<String> {
    let (mut connection, mut place, mut ids) =
        (pool.acquire().await.expect("a connection"), Place::at(since), Vec::new());
    loop {
        // Pages of two, so that there are several.
        let page = archived(&mut connection, roots, place, 2).await.expect("the archive can be read");
        let Some(last) = page.last() else { return ids };
        place = last.place;
        ids.extend(page.into_iter().map(|fact| fact.message.expect("what was written can be published").id));
    }
}

#[tokio::test]
async fn a_relay_that_keeps_what_it_publishes_moves_it_in_one_transaction() {
    let (nats, postgres) = tokio::join!(Nats::start(), Postgres::start());
    sqlx::raw_sql(ARCHIVE_MIGRATION_SQL).execute(&postgres.pool).await.expect("the archive is made");
    let (bus, metrics) = nats.bus().await;
    let stop = CancellationToken::new();
    let relay = Relay::new(postgres.pool.clone(), &bus, &metrics).with_archive();
    let waker = relay.waker();
    let task = tokio::spawn(relay.run(stop.clone()));
    let events: Vec<_> = (0..5).map(|n| paid(&n.to_string())).collect();
    // The last time nothing is new: a fact stands once, however often it is told.
    for events in [&events[..3], &events[3..], &events[..1]] {
        let mut tx = postgres.pool.begin().await.expect("a transaction");
        enqueue_many(&mut tx, events, "test").await.expect("they are written");
        tx.commit().await.expect("they are committed");
        waker.wake();
        until("the outbox is empty", || async { (waiting(&postgres.pool).await == 0).then_some(()) }).await;
    }
    stop.cancel();
    task.await.expect("it does not panic").expect("it ends well");

    let expected: Vec<String> = events.iter().map(proto::event::Event::id).collect();
    assert_eq!(kept(&postgres.pool, &["pay.v1."], Timestamp::UNIX_EPOCH).await, expected);
    assert_eq!(kept(&postgres.pool, &["order.v1."], Timestamp::UNIX_EPOCH).await, [""; 0]);
    assert_eq!(kept(&postgres.pool, &["pay.v1."], Timestamp::MAX).await, [""; 0]);

    let day = Duration::from_hours(24);
    assert_eq!(prune(&postgres.pool, day).await.expect("nothing is old"), 0);
    sqlx::query("UPDATE outbox_archive SET created_at = now() - interval '2 days' WHERE seq <= 3")
        .execute(&postgres.pool)
        .await
        .expect("three get old");
    assert_eq!(prune(&postgres.pool, day).await.expect("they are forgotten"), 3);
    assert_eq!(kept(&postgres.pool, &["pay.v1."], Timestamp::UNIX_EPOCH).await, expected[3..]);
}

#[tokio::test]
async fn a_fact_that_was_heard_is_kept_once_and_comes_back_as_it_was() {
    let postgres = Postgres::start().await;
    sqlx::raw_sql(ARCHIVE_MIGRATION_SQL).execute(&postgres.pool).await.expect("the archive is made");
    let message = message("1");
    let heard = Delivery {
        id: message.id.clone(),
        subject: message.subject.clone(),
        stream: "PAY".to_owned(),
        sequence: 1,
        attempts: 1,
        headers: message.headers.clone(),
        payload: message.payload.clone(),
    };
    let mut connection = postgres.pool.acquire().await.expect("a connection");
    for _ in 0..2 {
        keep(&mut connection, &[&heard, &heard]).await.expect("it is kept");
    }
    let facts =
        archived(&mut connection, &["pay.v1."], Place::at(Timestamp::UNIX_EPOCH), 10).await.expect("the archive");
    let [fact] = facts.as_slice() else { panic!("one fact: {facts:?}") };
    let found = fact.message.as_ref().expect("it can be published");
    assert_eq!((&found.id, &found.subject, &found.payload), (&message.id, &message.subject, &message.payload));
    assert_eq!(found.headers, message.headers);
}

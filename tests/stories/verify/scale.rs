//! How much memory and time it takes. Without a world: the rows and facts of many orders are made by hand, as if they had all
//! been paid.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use async_nats::{
    HeaderMap,
    jetstream::{self, consumer, stream},
};
use e2e::{
    nats::Nats,
    ports::Port,
    postgres::{self, Postgres, Size},
    programs,
};
use proto::{
    bus::{DURABLES, STREAMS},
    event::{Event, OrderCreated, OrderPaid, PaymentCreated, PaymentPaid},
    time::to_wire,
};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

const ORDERS: u32 = 10_000;
/// How many of them are looked at when memory is short.
const FEW: u32 = 500;
/// What ten thousand orders may take: twice what was measured.
const MOST_KB: u64 = 130_000;

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_by_the_orders_that_are_looked_at() {
    let folder = programs::target_folder().join(format!("tongbao-test/scale-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the target folder can be written");
    let (at, nats_at, monitor_at) = (Port::reserve(), Port::reserve(), Port::reserve());
    let data = postgres::temporary_data(&folder);
    let database = Postgres::start(Size::Small, &data, &folder.join("postgres.log"), &at, false).await;
    let nats = Nats::start(&folder, &nats_at, &monitor_at).await;
    let pool = database.pool("orders");
    migrate(&pool).await;
    fill(&pool).await;
    publish(&pool, &nats).await;

    let (all, all_kb, time) = verify(&database, &nats, ORDERS);
    assert_eq!((&all["clean"], &all["older_orders"]), (&Value::Bool(true), &Value::from(0)), "{all:#}");
    assert_eq!(all["looked_at"]["order_facts"], 3 * ORDERS, "{all:#}");
    let (few, few_kb, few_time) = verify(&database, &nats, FEW);
    assert_eq!((&few["clean"], &few["older_orders"]), (&Value::Bool(true), &Value::from(ORDERS - FEW)), "{few:#}");
    assert_eq!(few["looked_at"]["order_facts"], 3 * FEW, "{few:#}");
    println!("{ORDERS} orders: {all_kb} kB in {time:?}; the newest {FEW}: {few_kb} kB in {few_time:?}");
    assert!(few_kb < all_kb && all_kb < MOST_KB, "{few_kb} kB for {FEW} orders, {all_kb} kB for {ORDERS}");

    // Only an order of the window is accused.
    let spoil = "UPDATE orders SET amount_fen = 1 WHERE order_id = (SELECT min(order_id::text)::uuid FROM orders)";
    let mut conn = pool.acquire().await.expect("Postgres runs");
    sqlx::query("SET session_replication_role = replica").execute(&mut *conn).await.expect("we own the database");
    sqlx::query(spoil).execute(&mut *conn).await.expect(spoil);
    drop(conn);
    assert_eq!(verify(&database, &nats, FEW).0["clean"], Value::Bool(true));
    assert_eq!(verify(&database, &nats, ORDERS).0["counts"]["kept_payment"], 1);

    pool.close().await;
    drop(nats);
    drop(database);
    fs::remove_dir_all(&folder).expect("the folder is ours");
}

/// Runs `payctl verify`: its report, the most memory it took in kB, and how long.
fn verify(database: &Postgres, nats: &Nats, orders: u32) -> (Value, u64, Duration) {
    let began = Instant::now();
    let mut child = Command::new(programs::ours("payctl"))
        .args(["verify", "--json", "--settle-s", "0", "--order-database-url", &database.url("orders")])
        .args(["--nats-url", nats.url(), "--newest-orders", &orders.to_string()])
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()
        .expect("payctl was built");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut most = 0;
    while child.try_wait().expect("it is ours").is_none() {
        most = most.max(peak_kb(&status).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(2)); // Measuring, not waiting.
    }
    let ended = child.wait_with_output().expect("it was started");
    (serde_json::from_slice(&ended.stdout).expect("a report"), most, began.elapsed())
}

fn peak_kb(status: &Path) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}

/// As order-svc would.
async fn migrate(pool: &PgPool) {
    let folder = programs::workspace().join("order-svc/migrations");
    let migrator = sqlx::migrate::Migrator::new(folder.as_path()).await.expect("the checkout has them");
    migrator.run(pool).await.expect("the database is empty");
}

/// Many orders, each paid. The id of a payment follows from its order's, so that events can be made without asking.
async fn fill(pool: &PgPool) {
    let mut conn = pool.acquire().await.expect("Postgres runs");
    let orders = "INSERT INTO orders (order_id, app, order_no, merchant, amount_fen, description, content_sha256, state, create_time,
            expire_time, paid_time, paid_payment_id, version)
        SELECT lpad(to_hex(n), 32, '0')::uuid, 'shop', 'n' || n, 'acme-mini', 100, 'tea', sha256('x'), 'PAID', now(),
            now() + interval '1 hour', date_trunc('second', now()), ('1' || lpad(to_hex(n), 31, '0'))::uuid, 2
        FROM generate_series(1, $1) AS n";
    let payments = "INSERT INTO payments (payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, method, openid,
            payer_ip, state, create_time, expire_time, sends, transaction_id, paid_time)
        SELECT paid_payment_id, order_id, merchant, 'wechat-v2', '1900000109', 'wxac3e0000000000a1', amount_fen, 'jsapi', 'o',
            '127.0.0.1', 'SUCCEEDED', create_time, expire_time, 1, replace(paid_payment_id::text, '-', ''), paid_time FROM orders";
    let applied = "INSERT INTO applied_events (durable, event_id)
        SELECT 'order-svc-pay', 'paid:wechat-v2:1900000109:' || transaction_id FROM payments";
    sqlx::query("SET session_replication_role = replica").execute(&mut *conn).await.expect("we own the database");
    let many = i32::try_from(ORDERS).expect("few");
    sqlx::query(orders).bind(many).execute(&mut *conn).await.expect("orders");
    for sql in [payments, applied] {
        sqlx::query(sql).execute(&mut *conn).await.expect(sql);
    }
    write_journal(&mut conn).await;
}

/// What triggers would have written down.
async fn write_journal(conn: &mut sqlx::PgConnection) {
    let there = sqlx::query_scalar("SELECT to_regclass('state_changes') IS NOT NULL");
    if there.fetch_one(&mut *conn).await.expect("Postgres runs") {
        for change in [
            "'order', order_id, order_id, 1, NULL, 'PENDING', now() FROM orders",
            "'order', order_id, order_id, 2, 'PENDING', 'PAID', now() FROM orders",
            "'payment', payment_id, order_id, NULL, NULL, 'CREATED', now() FROM payments",
            "'payment', payment_id, order_id, NULL, 'CREATED', 'SUCCEEDED', now() FROM payments",
        ] {
            let sql = format!(
                "INSERT INTO state_changes (entity, id, order_id, version, from_state, to_state, changed_at) SELECT {change}"
            );
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *conn).await.expect(change);
        }
    }
}

/// The facts of all of them. In memory, because ten thousand syncs would measure the disk.
async fn publish(pool: &PgPool, nats: &Nats) {
    let client = async_nats::connect(nats.url()).await.expect("it runs");
    let jetstream = jetstream::new(client);
    for spec in STREAMS {
        let config = stream::Config {
            name: spec.name.to_owned(),
            subjects: spec.subjects.iter().map(ToString::to_string).collect(),
            storage: stream::StorageType::Memory,
            ..stream::Config::default()
        };
        jetstream.create_stream(config).await.expect("it is new");
    }
    let paid: Vec<(Uuid, Uuid, jiff_sqlx::Timestamp)> =
        sqlx::query_as("SELECT order_id, paid_payment_id, paid_time FROM orders ORDER BY order_id")
            .fetch_all(pool)
            .await
            .expect("they were filled in");
    let mut acks = Vec::new();
    for (order_id, payment_id, at) in paid {
        let (order, number) = (format!("orders/{order_id}"), payment_id.simple().to_string());
        let (payment, app, merchant) = (format!("{order}/payments/{payment_id}"), "shop", "acme-mini");
        let (mch_id, app_id, provider) = ("1900000109", "wxac3e0000000000a1", "wechat-v2");
        let amount_fen = 100;
        let (app, merchant, mch_id, provider) = (app.into(), merchant.into(), mch_id.into(), provider.into());
        let created = OrderCreated { order, app, merchant, amount_fen, ..OrderCreated::default() };
        let written = PaymentCreated {
            order: created.order.clone(),
            payment,
            app: created.app.clone(),
            out_trade_no: number.clone(),
            amount_fen,
            mch_id,
            ..PaymentCreated::default()
        };
        let told = OrderPaid {
            order: created.order.clone(),
            app: created.app.clone(),
            merchant: created.merchant.clone(),
            amount_fen,
            out_trade_no: number.clone(),
            transaction_id: number.clone(),
            ..OrderPaid::default()
        };
        let fact = PaymentPaid {
            merchant: created.merchant.clone(),
            provider,
            mch_id: written.mch_id.clone(),
            app_id: app_id.into(),
            out_trade_no: number.clone(),
            transaction_id: number,
            amount_fen,
            currency: "CNY".into(),
            paid_time: Some(to_wire(at.to_jiff())),
            ..PaymentPaid::default()
        };
        for (subject, headers, body) in [message(&created), message(&written), message(&told), message(&fact)] {
            acks.push(jetstream.publish_with_headers(subject, headers, body.into()).await.expect("it runs"));
        }
        if 1_000 < acks.len() {
            for ack in acks.drain(..) {
                ack.await.expect("there is room");
            }
        }
    }
    for ack in acks {
        ack.await.expect("there is room");
    }
    // order-svc has read everything that was ever published.
    for durable in DURABLES.iter().filter(|durable| durable.owner == "order-svc") {
        let config = consumer::pull::Config {
            durable_name: Some(durable.name.to_owned()),
            deliver_policy: consumer::DeliverPolicy::New,
            ..consumer::pull::Config::default()
        };
        jetstream.create_consumer_on_stream(config, durable.stream).await.expect("it is new");
    }
}

fn message<E: Event>(event: &E) -> (String, HeaderMap, Vec<u8>) {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", event.id());
    headers.insert("ce-id", event.id());
    headers.insert("ce-type", E::TYPE);
    (event.bus_subject(), headers, serde_json::to_vec(event).expect("events are JSON"))
}

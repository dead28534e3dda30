//! Puts the process together.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use proto::{
    FILE_DESCRIPTOR_SET, bus,
    order::v1::order_service_server::{OrderServiceServer, SERVICE_NAME},
};
use svc_kit::{
    admin::{self, Readiness},
    bus::{Bus, Consumer, Options, connect, streams},
    callers::{CallerKind, Callers},
    clock::Clock,
    grpc::{self, Limits},
    listen,
    metrics::Metrics,
    outbox::Relay,
    postgres,
    process::Tasks,
    telemetry,
};
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

use crate::{
    api::{Api, create_order::Together, watch::Watchers},
    config::{Config, PROCESS},
    consume::{native_scanned, paid::PaidFacts, refund_noticed::RefundHints, repair_requested::RepairRequests},
    gateway::{Gateway, Merchants},
    jobs,
    life::{Life, budget::Budgets},
    measures::Measured,
    store::STEP_TIME,
};

/// Of the connections to Postgres, those that work on lists: two for paid facts, and two for new orders.
const LIST_CONNECTIONS: u32 = 4;
/// Requests of one process at once; more are refused quickly.
const REQUESTS_IN_FLIGHT: usize = 512;
/// The longest call asks the provider three times.
const REQUEST_TIME: Duration = Duration::from_secs(40);
/// Our requests are small.
const REQUEST_BYTES: usize = 64 * 1024;

/// Where the parts listen, once they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The gRPC server.
    pub grpc: SocketAddr,
    /// Health and metrics.
    pub admin: SocketAddr,
}

/// Connects, binds and starts every task; what is returned must live until the process ends.
///
/// # Errors
/// A wrong setting, or a part that cannot be reached in time: one clear line.
pub async fn start(config: Config, tasks: &Tasks) -> anyhow::Result<telemetry::Guard> {
    let guard = telemetry::init(PROCESS, &config.telemetry)?;
    start_on(None, &config, tasks).await?;
    Ok(guard)
}

/// As [`start`], without telemetry, and on `clock` when one is given instead of the one that the settings name.
///
/// # Errors
/// As [`start`].
pub async fn start_on(clock: Option<Clock>, config: &Config, tasks: &Tasks) -> anyhow::Result<Addresses> {
    let metrics = Metrics::new();
    let readiness = Readiness::new();
    let database_ready = readiness.part("postgres");
    let merchants_known = readiness.part("merchants");
    let serving = readiness.part("grpc");
    // First of all, so that a start that waits can be looked at.
    let admin = admin::start(config.admin_listen, readiness.clone(), metrics.clone(), tasks).await?;

    let apps = Callers::load(&config.apps_file, CallerKind::APPS)?;
    let clock = match clock {
        Some(clock) => clock,
        None => Clock::start(&config.clock, tasks).await?,
    };
    clock.show(&metrics);
    let settings = postgres::Settings {
        max_connections: config.database_connections - LIST_CONNECTIONS,
        by_index: true,
        ..postgres::Settings::new(PROCESS)
    };
    let pool = postgres::connect(&config.order_database_url, &settings).await?;
    let settings = postgres::Settings { max_connections: LIST_CONNECTIONS, keep_plans: true, ..settings };
    let lists = postgres::connect(&config.order_database_url, &settings).await?;
    postgres::migrate(&pool, sqlx::migrate!()).await?;
    postgres::watch(pool.clone(), database_ready, tasks);

    let bus = connect(&config.bus, PROCESS, &metrics).await?;
    streams::ensure(&bus, PROCESS).await?;
    tasks.spawn("keep streams", streams::keep(bus.clone(), PROCESS, tasks.stop()));

    let channel = grpc::channel(config.gateway_url.as_str())?;
    let merchants = Merchants::new(channel.clone());
    tasks.spawn(
        "list merchants",
        merchants.clone().keep_fresh(Duration::from_secs(config.merchants_every_s), tasks.stop()),
    );
    let known = merchants.clone();
    tokio::spawn(async move {
        known.known().await;
        merchants_known.ready();
    });

    let relay = Relay::new(pool.clone(), &bus, &metrics).with_archive();
    let life = Life {
        relay: relay.waker(),
        pool,
        lists,
        budgets: Budgets::shared_by(config.budget_replicas, clock.clone()),
        clock,
        gateway: Gateway::new(channel),
        merchants: merchants.clone(),
        asking: config.ask_schedule.clone(),
        refund_asking: config.refund_ask_schedule.clone(),
        close_min_age: config.close_min_age(),
        pay_code_ask: Duration::from_secs(config.pay_code_ask_s),
        pay_code_time: Duration::from_secs(config.pay_code_time_s),
        measured: Measured::new(&metrics),
        refund_due: Arc::default(),
        repair_due: Arc::default(),
        stop: tasks.stop(),
        running: TaskTracker::new(),
    };
    if config.publish_events {
        tasks.spawn("relay", relay.run(tasks.stop()));
    } else {
        tracing::warn!("PUBLISH_EVENTS=false: events wait in the database for a process that publishes them");
        tasks.spawn("relay", relay.watch(tasks.stop()));
    }
    start_jobs(&life, &merchants, &bus, config, tasks)?;
    readiness.until(tasks.stop());

    let watchers = Watchers::new();
    tasks.spawn("watch orders", watchers.clone().look(life.pool.clone(), tasks.stop()));
    let (creating, together) = Together::new(&life, REQUESTS_IN_FLIGHT);
    // When the last call is answered, the last queue goes with the server, and this task ends.
    tasks.spawn("create orders", together.run());
    let api = Api::new(life, merchants, apps, watchers, creating);
    tasks.spawn("answer scans", native_scanned::run(api.clone(), bus, config.terminal_ip, tasks.stop()));
    let service = OrderServiceServer::new(api);
    let listener = listen::bind("grpc", config.listen).await?;
    let grpc = listener.local_addr().context("cannot read the address of the gRPC server")?;
    let api = grpc::Api {
        routes: Routes::new(service),
        services: &[SERVICE_NAME],
        descriptors: FILE_DESCRIPTOR_SET,
        readiness,
        metrics,
        limits: Limits {
            request_bytes: REQUEST_BYTES,
            requests_in_flight: REQUESTS_IN_FLIGHT,
            request_time: REQUEST_TIME,
        },
    };
    tasks.spawn("grpc", grpc::serve(listener, api, tasks.stop()));
    serving.ready();
    Ok(Addresses { grpc, admin })
}

/// Batches of paid facts under way when many wait: while one waits for the disk, the database works on another.
const PAID_BATCHES: usize = 2;

fn start_jobs(life: &Life, merchants: &Merchants, bus: &Bus, config: &Config, tasks: &Tasks) -> anyhow::Result<()> {
    let durable = bus::durable(bus::ORDER_SVC_PAY).context("the table of durables lacks ours")?;
    // A batch takes milliseconds; a database that went silent is given up soon enough to drain in time.
    let options = Options { handler_time: STEP_TIME, ..Options::default() };
    let consumer = Consumer::new(bus, durable).with_options(Options { batches: PAID_BATCHES, ..options.clone() });
    tasks.spawn("consume payments", consumer.run(PaidFacts::new(life.clone()), tasks.stop()));
    let durable = bus::durable(bus::ORDER_SVC_REFUND).context("the table of durables lacks ours")?;
    let consumer = Consumer::new(bus, durable).with_options(options.clone());
    tasks.spawn("consume refund hints", consumer.run(RefundHints::new(life.clone()), tasks.stop()));
    let durable = bus::durable(bus::ORDER_SVC_RECON).context("the table of durables lacks ours")?;
    let consumer = Consumer::new(bus, durable).with_options(options);
    tasks.spawn("consume repairs", consumer.run(RepairRequests::new(life.clone()), tasks.stop()));
    tasks.spawn("ask", jobs::turns::run::<jobs::turns::Attempts>(life.clone(), merchants.clone(), tasks.stop()));
    tasks.spawn("refund", jobs::turns::run::<jobs::turns::Refunds>(life.clone(), merchants.clone(), tasks.stop()));
    tasks.spawn("repair", jobs::turns::run::<jobs::turns::Repairs>(life.clone(), merchants.clone(), tasks.stop()));
    tasks.spawn("surplus", jobs::surplus::run(life.clone(), merchants.clone(), tasks.stop()));
    tasks.spawn("close", jobs::close::run(life.clone(), tasks.stop()));
    tasks.spawn("measure", jobs::measure::run(life.clone(), merchants.clone(), tasks.stop()));
    let (running, stop) = (life.running.clone(), tasks.stop());
    tasks.spawn("finish", async move {
        stop.cancelled().await;
        running.close();
        running.wait().await;
        Ok(())
    });
    tasks.spawn("prune", jobs::prune::run(life.clone(), config.archive_keep_days, tasks.stop()));
    Ok(())
}

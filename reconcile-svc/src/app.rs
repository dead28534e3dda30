//! Puts the parts together.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use proto::FILE_DESCRIPTOR_SET;
use proto::bus::{DurableSpec, RECONCILE_SVC_ORDER, RECONCILE_SVC_PAY, RECONCILE_SVC_WORK};
use proto::reconcile::v1::reconcile_service_server::SERVICE_NAME;
use svc_kit::admin::{self, Readiness};
use svc_kit::bus::{self, Bus, Consumer, Publisher};
use svc_kit::callers::{CallerKind, Callers};
use svc_kit::clock::Clock;
use svc_kit::grpc::{self, Limits};
use svc_kit::metrics::Metrics;
use svc_kit::outbox::Relay;
use svc_kit::process::Tasks;
use svc_kit::{listen, postgres};
use tonic::service::Routes;

use crate::api::Api;
use crate::config::Config;
use crate::consume::{Bookkeeper, Worker};
use crate::gateway::Gateway;
use crate::metrics::ReconcileMetrics;
use crate::runs::Reconciler;
use crate::{PROCESS, jobs, report, store};

/// Requests at once; a run holds one for as long as it takes.
const REQUESTS_IN_FLIGHT: usize = 64;

/// Longest answer: a run may wait 30 s for another one and then read a bill of gigabytes. It goes on when this is over, and
/// the same request id reads it back.
const REQUEST_TIME: Duration = Duration::from_mins(5);

/// Our requests are a few names.
const REQUEST_BYTES: usize = 16 * 1024;

/// Where the parts listen, once they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The gRPC server.
    pub grpc: SocketAddr,
    /// The report pages.
    pub report: SocketAddr,
    /// Health and metrics.
    pub admin: SocketAddr,
}

/// Connects, binds and starts every task on the clock that the settings name.
///
/// # Errors
/// A wrong setting, or a part that cannot be reached in time: one clear line.
pub async fn start(config: &Config, tasks: &Tasks) -> anyhow::Result<Addresses> {
    let clock = Clock::start(&config.clock, tasks).await?;
    start_on(clock, config, tasks).await
}

/// As [`start`], on a given clock.
///
/// # Errors
/// As [`start`].
pub async fn start_on(clock: Clock, config: &Config, tasks: &Tasks) -> anyhow::Result<Addresses> {
    let (metrics, readiness) = (Metrics::new(), Readiness::new());
    let serving = readiness.part("grpc");
    readiness.until(tasks.stop());
    // First of all, so that a start that waits can be looked at.
    let admin = admin::start(config.admin_listen, readiness.clone(), metrics.clone(), tasks).await?;
    clock.show(&metrics);

    let people = config.people_file.as_deref().map(|file| Callers::load(file, CallerKind::PEOPLE)).transpose()?;
    if people.is_none() {
        tracing::warn!("PEOPLE_FILE is not set: nobody can decide about differences");
    }
    let gateway = Gateway::new(&config.gateway_url)?;
    let pool = postgres::connect(&config.reconcile_database_url, &postgres::Settings::new(PROCESS)).await?;
    postgres::migrate(&pool, store::migrations()).await?;
    let bus = bus::connect(&config.bus, PROCESS, &metrics).await?;
    bus::streams::ensure(&bus, PROCESS).await?;
    tasks.spawn("keep streams", bus::streams::keep(bus.clone(), PROCESS, tasks.stop()));
    bus.ready_when_connected(&readiness, tasks.stop());
    postgres::watch(pool.clone(), readiness.part("postgres"), tasks);

    let relay = Relay::new(pool.clone(), &bus, &metrics);
    let waker = relay.waker();
    tasks.spawn("relay", relay.run(tasks.stop()));
    let measured = ReconcileMetrics::new(&metrics);
    let reconciler = Reconciler::new(pool, gateway, clock, waker, measured.clone());
    for name in [RECONCILE_SVC_PAY, RECONCILE_SVC_ORDER] {
        consume(name, &bus, &reconciler, &measured, tasks)?;
    }
    let worker = Consumer::new(&bus, durable(RECONCILE_SVC_WORK)?).with_options(Worker::options());
    tasks.spawn("reconcile", worker.run(Worker::new(reconciler.clone()), tasks.stop()));
    start_jobs(&reconciler, &bus, config, tasks);

    let pages = listen::bind("http", config.report_listen).await?;
    let report = pages.local_addr().context("cannot read the address of the report pages")?;
    tasks.spawn("report pages", report::serve(pages, reconciler.clone(), tasks.stop()));

    let listener = listen::bind("grpc", config.listen).await?;
    let grpc = listener.local_addr().context("cannot read the address of the gRPC server")?;
    let api = grpc::Api {
        routes: Routes::new(Api::server(reconciler, people)),
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
    Ok(Addresses { grpc, report, admin })
}

fn consume(
    name: &str,
    bus: &Bus,
    reconciler: &Reconciler,
    metrics: &ReconcileMetrics,
    tasks: &Tasks,
) -> anyhow::Result<()> {
    let durable = durable(name)?;
    let bookkeeper = Bookkeeper::new(reconciler.pool.clone(), durable, metrics.clone(), reconciler.clock.clone());
    tasks.spawn(format!("consume {name}"), Consumer::new(bus, durable).run(bookkeeper, tasks.stop()));
    Ok(())
}

fn durable(name: &str) -> anyhow::Result<&'static DurableSpec> {
    proto::bus::durable(name).context("the table of durables lacks ours")
}

/// Starts a job that does not outlast a stop for long.
fn job(tasks: &Tasks, name: &'static str, job: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
    tasks.spawn(name, jobs::cut_off(name, job, tasks.stop()));
}

fn start_jobs(reconciler: &Reconciler, bus: &Bus, config: &Config, tasks: &Tasks) {
    job(tasks, "repair", jobs::ask_for_repairs(reconciler.clone(), tasks.stop()));
    job(tasks, "waivers", jobs::end_waivers_of_the_day(reconciler.clone(), tasks.stop()));
    job(tasks, "take up", jobs::take_up_interrupted(reconciler.clone(), tasks.stop()));
    job(tasks, "gauges", jobs::show_gauges(reconciler.clone(), tasks.stop()));
    job(tasks, "prune", jobs::forget_what_is_old(reconciler.clone(), config.bill_keep_days, tasks.stop()));
    if config.schedule {
        job(tasks, "look again", jobs::look_again_after_repairs(reconciler.clone(), tasks.stop()));
        let publisher = Publisher::new(bus);
        job(tasks, "schedule", jobs::reconcile_each_morning(reconciler.clone(), publisher, tasks.stop()));
    } else {
        tracing::info!("SCHEDULE is off: days are reconciled only when RunReconciliation asks for them");
    }
}

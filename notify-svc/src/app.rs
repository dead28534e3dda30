//! Puts the parts together.

use std::sync::Arc;

use anyhow::Context as _;
use merchants::Merchants;
use svc_kit::admin::{self, Readiness};
use svc_kit::metrics::Metrics;
use svc_kit::process::Tasks;
use svc_kit::{bus, listen};

use crate::callbacks::Callbacks;
use crate::config::Config;
use crate::metrics::{CallbackMetrics, HttpMetrics, PublishMetrics, ScanMetrics};
use crate::scans::Asker;
use crate::{http, publish};

/// The name of this process on the bus and in the table of streams.
const PROCESS: &str = "notify-svc";

/// Connects, binds and starts the tasks; returns when callbacks are taken.
///
/// The public port is opened last: a provider that cannot connect comes again, as it does after a FAIL.
pub(crate) async fn start(config: &Config, tasks: &Tasks) -> anyhow::Result<()> {
    let merchants = Merchants::load(&config.merchants_dir).context("cannot start without merchants")?;
    let (metrics, readiness) = (Metrics::new(), Readiness::new());
    let serving = readiness.part("http");
    readiness.until(tasks.stop());
    admin::start(config.admin_listen, readiness.clone(), metrics.clone(), tasks).await?;

    let bus = bus::connect(&config.bus, PROCESS, &metrics).await?;
    bus::streams::ensure(&bus, PROCESS).await?;
    tasks.spawn("keep streams", bus::streams::keep(bus.clone(), PROCESS, tasks.stop()));
    bus.ready_when_connected(&readiness, tasks.stop());

    let listener = listen::bind("http", config.listen).await?;
    let times = config.times();
    let queue_length = usize::try_from(config.queue_length).expect("u32 fits");
    let (publisher, publishing) = publish::open(&bus, queue_length, times.publish, PublishMetrics::register(&metrics));
    tasks.spawn("publisher", async move {
        publishing.await;
        Ok(())
    });

    metrics.with_registry(|registry| merchants.register(registry));
    let (stop, watched) = (tasks.stop(), merchants.clone());
    tasks.spawn("merchants", async move {
        watched.watch(stop).await;
        Ok(())
    });

    let places = usize::try_from(config.max_scans).expect("u32 fits");
    let asker = Asker::new(&bus, places, ScanMetrics::register(&metrics));
    let callbacks = Callbacks::new(merchants, publisher, asker, CallbackMetrics::register(&metrics), times);
    let callbacks = Arc::new(callbacks);
    let (limits, http_metrics, stop) = (config.limits(), HttpMetrics::register(&metrics), tasks.stop());
    tasks.spawn("http", async move {
        // When the last callback is answered, the last publisher goes with this task, and the queue closes.
        let take = move |request| {
            let callbacks = Arc::clone(&callbacks);
            async move { callbacks.take(request).await }
        };
        http::serve(listener, limits, http_metrics, take, stop).await;
        Ok(())
    });
    serving.ready();
    Ok(())
}

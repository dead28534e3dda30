//! What paid orders cost, and what our programs weigh.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use e2e::{Part, programs, usage};
use serde::Serialize;
use uuid::Uuid;

use crate::{notices::Says, stage::Stage};

/// A load that leaves the machine room to breathe.
const RATE: u64 = 400;
/// For how long.
const TIME: Duration = Duration::from_secs(5);

/// One process.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cost {
    pub(crate) name: String,
    /// Milliseconds of a processor for each 1,000 orders that were created, whose cashier was opened, and that were paid.
    pub(crate) cpu_ms: u64,
    /// Kilobytes of memory after its start, and after everything that this program did.
    pub(crate) rest_kb: Option<u64>,
    pub(crate) load_kb: Option<u64>,
    /// Kilobytes of the program, when it is ours.
    pub(crate) program_kb: Option<u64>,
    /// Milliseconds from its start until it is ready, when it is ours.
    pub(crate) ready_ms: Option<u64>,
}

pub(crate) async fn measure(stage: &mut Stage) -> anyhow::Result<Vec<Cost>> {
    println!("cost");
    stage.running(Part::OrderSvc).await;
    let loaded: Vec<_> =
        stage.world.processes().into_iter().map(|(name, pid)| (name, usage::resident_kb(pid))).collect();
    let mut started = Vec::new();
    for part in [Part::OrderSvc, Part::NotifySvc, Part::PayGateway] {
        stage.stopped(part);
        let began = Instant::now();
        stage.world.start(part).await;
        let ready = u64::try_from(began.elapsed().as_millis())?;
        started.push((part.program(), ready, usage::resident_kb(stage.world.pid(part))));
    }
    let before = usage::cpu_ms(&stage.world);
    let orders = orders(stage).await?;
    let used = usage::since(&before, &usage::cpu_ms(&stage.world));

    let mut costs = Vec::new();
    for (name, load_kb) in loaded {
        let own = started.iter().find(|(of, ..)| *of == name);
        costs.push(Cost {
            cpu_ms: used.iter().find(|(of, _)| *of == name).map_or(0, |(_, ms)| ms * 1000 / orders),
            rest_kb: own.and_then(|(.., rest)| *rest),
            load_kb,
            program_kb: own.map(|_| usage::program_kb(&name)).transpose()?,
            ready_ms: own.map(|(_, ready, _)| *ready),
            name,
        });
    }
    Ok(costs)
}

/// The life of some orders; how many.
async fn orders(stage: &Stage) -> anyhow::Result<u64> {
    let (rate, ms) = (RATE.to_string(), TIME.as_millis().to_string());
    let pace = ["--rate", rate.as_str(), "--ms", ms.as_str()];
    let created = stage.create(&pace).await?.good;
    stage.pay(&pace).await?;
    stage.quiet().await;
    let names = std::fs::read_to_string(stage.file("names")).context("names of orders")?;
    let ids: Vec<Uuid> = names.lines().filter_map(|name| name.strip_prefix("orders/")?.parse().ok()).collect();
    let numbers = sqlx::query_scalar::<_, Uuid>("SELECT payment_id FROM payments WHERE order_id = ANY($1)").bind(&ids);
    let numbers = numbers.fetch_all(&stage.orders).await.context("attempts of the orders")?;
    let numbers: Vec<String> = numbers.into_iter().map(|id| id.simple().to_string()).collect();
    ensure!(u64::try_from(numbers.len())? == created, "each of {created} orders has one attempt: {}", numbers.len());
    let bodies = stage.notices("notices", Says::Paid, &numbers)?;
    let outcome = stage.call_back(&bodies, &[&["--told-at", stage.world.nats.url()], &pace[..]].concat()).await?;
    let told = outcome.told.context("facts were waited for")?.facts;
    ensure!(told == created, "{created} orders were created and {told} were paid");
    Ok(created)
}

impl Cost {
    pub(crate) fn line(&self) -> String {
        let mb = |kb: Option<u64>| kb.map_or_else(|| "–".to_owned(), |kb| format!("{} MB", kb.div_ceil(1024)));
        let ready = self.ready_ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms} ms"));
        format!(
            "{:12} {:>6} ms of a processor per 1,000 paid orders; memory {} at rest, {} after load; program {}; ready after {ready}",
            self.name,
            self.cpu_ms,
            mb(self.rest_kb),
            mb(self.load_kb),
            mb(self.program_kb),
        )
    }
}

/// Whether this was built as it ships.
pub(crate) fn is_release() -> bool {
    programs::ours("bench").parent().is_some_and(|folder| folder.ends_with("release"))
}

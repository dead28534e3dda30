//! The same with twice the load, and twice again, until something is full.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use e2e::{Part, load::Spread, usage};
use serde::Serialize;

use crate::stage::Stage;

/// What is loaded, and its first load, in arrivals per second.
const LOADS: [(&str, u64); 3] = [("CreateOrder", 500), ("PayOrder", 50), ("callback → order.paid", 250)];

/// How fast the orders are made that others pay.
const SLOWLY: u64 = 1_000;

/// Doublings at most.
const STEPS: u32 = 8;

/// For how long each load goes on.
const TIME: Duration = Duration::from_secs(3);

/// When answers take this long, they wait for each other: there is more than can be done.
const FULL_US: u64 = 500_000;

/// One load.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) what: &'static str,
    pub(crate) rate: u64,
    pub(crate) latency: Spread,
    /// Thousandths of one processor that each process used.
    pub(crate) cpu: Vec<(String, u64)>,
    pub(crate) full: bool,
}

/// From nothing to everything, for what happens to every order: it is created, its cashier is opened, and it is paid.
pub(crate) async fn measure(stage: &mut Stage) -> anyhow::Result<Vec<Step>> {
    println!("growth");
    stage.running(Part::OrderSvc).await;
    let mut steps = Vec::new();
    for (what, mut rate) in LOADS {
        for _ in 0..STEPS {
            let step = one(stage, what, rate).await?;
            println!("  {}", step.line());
            let full = step.full;
            steps.push(step);
            if full {
                break;
            }
            rate *= 2;
        }
    }
    Ok(steps)
}

async fn one(stage: &Stage, what: &'static str, rate: u64) -> anyhow::Result<Step> {
    let (ms, per_second) = (TIME.as_millis().to_string(), rate.to_string());
    let pace = ["--rate", per_second.as_str(), "--ms", ms.as_str()];
    let count = usize::try_from(rate * TIME.as_secs())?;
    if what == "PayOrder" {
        // The orders that it needs are made without a pace.
        let slowly = rate.min(SLOWLY);
        let ms = u64::try_from(count)? * 1000 / slowly;
        stage.create(&["--rate", &slowly.to_string(), "--ms", &ms.to_string()]).await?;
        stage.quiet().await;
    }
    let prepared = if what.starts_with("callback") { Some(stage.prepare_whole(count).await?) } else { None };
    let (before, began) = (usage::cpu_ms(&stage.world), Instant::now());
    let latency = match &prepared {
        Some(bodies) => {
            let told =
                stage.call_back(bodies, &[&["--told-at", stage.world.nats.url()], &pace[..]].concat()).await?.told;
            told.context("facts were waited for")?.latency
        }
        None if what == "PayOrder" => stage.pay(&pace).await?.latency,
        None => stage.create(&pace).await?.latency,
    };
    let (took, after) = (began.elapsed(), usage::cpu_ms(&stage.world));
    let took_ms = u64::try_from(took.as_millis())?.max(1);
    let cpu = usage::since(&before, &after).into_iter().map(|(name, ms)| (name, ms * 1000 / took_ms)).collect();
    stage.quiet().await;
    Ok(Step { what, rate, latency, cpu, full: FULL_US < latency.p99 })
}

impl Step {
    pub(crate) fn line(&self) -> String {
        let Spread { p50, p99, max, .. } = self.latency;
        let mut cpu: Vec<&(String, u64)> = self.cpu.iter().filter(|(_, used)| 20 <= *used).collect();
        cpu.sort_by_key(|(_, used)| std::cmp::Reverse(*used));
        let cpu: Vec<String> = cpu.iter().map(|(name, used)| format!("{name} {}%", used / 10)).collect();
        let full = if self.full { "  FULL" } else { "" };
        format!(
            "{} {}/s: p50 {p50} µs, p99 {p99} µs, max {max} µs; processors: {}{full}",
            self.what,
            self.rate,
            cpu.join(", ")
        )
    }
}

//! `world day`: one large day, from the provider's download to the last event on the bus, by real processes.

mod books;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use e2e::{Options, Part, World, eventually, selling::MERCHANT, usage, world::Plan};
use jiff::{ToSpan as _, civil::Date, tz::TimeZone};

use crate::folders;

/// Gives WeChat the bills of `folder`, writes its books into the database as facts would have, and lets the day be reconciled.
/// Prints how long that took, and what reconcile-svc says that it spent it on.
pub(crate) async fn run(folder: &Path, day: Date) -> anyhow::Result<()> {
    let _alone = folders::alone("day")?;
    let place = folders::folder("day");
    folders::remove(&place)?;
    let world = World::begin(Plan::temporary(&place, Options::default().with_reconcile())).await;
    let morning = day.tomorrow()?.at(10, 30, 0, 0).to_zoned(TimeZone::get("Asia/Shanghai")?)?;
    if let Ok(wait) = Duration::try_from(world.beijing_now().await.duration_until(&morning)) {
        world.pass(wait).await;
    }
    ensure!(
        world.today().await < day.saturating_add(3.months()),
        "WeChat keeps a bill for three months: write a newer day"
    );
    for (file, kind) in [("trade.csv", "trade"), ("funds.csv", "basic")] {
        let path = folder.join(file);
        if path.exists() {
            let bill = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            world.sandbox.give_bill(MERCHANT, day, kind, bill).await;
        }
    }
    let pool = world.postgres.pool("reconcile");
    books::write(&pool, folder, day).await?;

    let began = Instant::now();
    let run = world.reconcile_day(MERCHANT, day).await;
    let answered = began.elapsed();
    eventually("every event is on the bus", async || {
        let waiting = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox").fetch_one(&pool).await;
        match waiting.map_err(|error| error.to_string())? {
            0 => Ok(()),
            waiting => Err(format!("{waiting} wait")),
        }
    })
    .await;
    let published = began.elapsed();
    let differences: i64 = run.differences.iter().map(|code| code.count).sum();
    println!(
        "{} ms, {} ms with its events, {} rows agree, {differences} differences, {} MB",
        answered.as_millis(),
        published.as_millis(),
        run.matched_count + run.matched_refund_count,
        usage::resident_kb(world.pid(Part::ReconcileSvc)).unwrap_or(0) / 1024
    );
    let log = world.log(Part::ReconcileSvc);
    let spent = log.lines().rev().find_map(|line| line.split_once(" took: ")).map(|(_, spent)| spent);
    println!("    {}", spent.and_then(|spent| spent.split(" run=").next()).unwrap_or_default());
    pool.close().await;
    world.end();
    folders::remove(&place)
}

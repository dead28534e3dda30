//! `world measure`: sizes and speed of this build, on this machine, with everything beside it on the same cores.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use e2e::{Options, Part, World, eventually, selling::State, world::Plan};
use futures::{StreamExt as _, stream};
use merchants::Merchants;
use tokio::task::JoinSet;
use wechat_pay::{
    time,
    v2::{Fields, sign, xml},
};

use crate::folders;

/// Callers at once while orders are created.
const CALLERS: usize = 16;
/// Callbacks per second, and for how long.
const RATE: u32 = 500;
const SECONDS: u32 = 10;
/// How long a callback may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);
const AMOUNT_FEN: i64 = 100;

pub(crate) async fn run() -> anyhow::Result<()> {
    let _alone = folders::alone("measure")?;
    let folder = folders::folder("measure");
    folders::remove(&folder)?;
    let options = Options::default().with_reconcile();
    let mut world = World::begin(Plan::temporary(&folder, options)).await;

    println!("start to ready on a migrated database, and memory at rest:");
    let services = [Part::OrderSvc, Part::PayGateway, Part::NotifySvc, Part::ReconcileSvc];
    for part in services {
        world.stop(part);
        let began = Instant::now();
        world.start(part).await;
        let ready = began.elapsed().as_millis();
        println!("  {part}: {ready} ms, {} MB", resident_mb(world.pid(part))?);
    }

    let numbers = create(&world).await?;
    let latencies = call_back(&world, &numbers).await?;
    report(latencies);

    let last = world.order(&numbers.last().context("orders were created")?.order);
    let began = Instant::now();
    last.becomes(State::Paid).await;
    eventually("every fact is applied", async || {
        let pool = world.postgres.pool("orders");
        let open: Result<i64, _> =
            sqlx::query_scalar("SELECT count(*) FROM orders WHERE state <> 'PAID'").fetch_one(&pool).await;
        open.map_err(|error| error.to_string()).and_then(|open| if open == 0 { Ok(()) } else { Err(open.to_string()) })
    })
    .await;
    println!("every order was PAID {} ms after the last callback", began.elapsed().as_millis());
    println!("memory after that:");
    for part in services {
        println!("  {part}: {} MB", resident_mb(world.pid(part))?);
    }
    world.end();
    folders::remove(&folder)
}

struct Attempt {
    order: String,
    out_trade_no: String,
    app_id: String,
}

/// `CreateOrder` and `PayOrder` through gateway and sandbox.
async fn create(world: &World) -> anyhow::Result<Vec<Attempt>> {
    let wanted = usize::try_from(RATE * SECONDS)?;
    let began = Instant::now();
    let attempts: Vec<Attempt> = stream::iter(0..wanted)
        .map(|_| async {
            let cashier = world.open_cashier(AMOUNT_FEN).await;
            Attempt {
                order: cashier.order().name().to_owned(),
                out_trade_no: cashier.out_trade_no().to_owned(),
                app_id: cashier.invocation().app_id.clone(),
            }
        })
        .buffer_unordered(CALLERS)
        .collect()
        .await;
    let per_second = u128::try_from(wanted)? * 1000 / began.elapsed().as_millis().max(1);
    println!("CreateOrder and PayOrder through the sandbox, {CALLERS} at once: {per_second} orders/s");
    Ok(attempts)
}

/// Genuine callbacks at a fixed rate, whether or not the earlier ones are answered; latency counts from when each was due.
async fn call_back(world: &World, attempts: &[Attempt]) -> anyhow::Result<Vec<Duration>> {
    let merchants = Merchants::load(world.folder().join("merchants"))?;
    let merchant = merchants.get(&"acme-mini".parse()?).context("the development merchant")?;
    let account = merchant.wechat_v2().context("it is of API v2")?;
    let paid_at = time::print_14(world.sandbox.clock().await.now);
    let url = format!("{}/notify/wechat-v2/acme-mini/payment", world.addresses().notify.url());
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(PATIENCE).build()?;

    let mut calls = JoinSet::new();
    let began = tokio::time::Instant::now();
    for (number, attempt) in attempts.iter().enumerate() {
        let mut fields: Fields = [
            ("return_code", "SUCCESS"),
            ("result_code", "SUCCESS"),
            ("appid", attempt.app_id.as_str()),
            ("mch_id", account.mch_id.as_str()),
            ("nonce_str", "measured"),
            ("openid", "o-measured"),
            ("trade_type", "JSAPI"),
            ("bank_type", "OTHERS"),
            ("fee_type", "CNY"),
            ("time_end", paid_at.as_str()),
            ("out_trade_no", attempt.out_trade_no.as_str()),
        ]
        .into_iter()
        .collect();
        fields.insert("total_fee", AMOUNT_FEN.to_string());
        fields.insert("cash_fee", AMOUNT_FEN.to_string());
        fields.insert("transaction_id", format!("42{number:026}"));
        fields.insert("sign", sign::sign(&fields, &account.api_key, account.sign_type));
        let body = xml::write("xml", &fields);
        let due = began + Duration::from_secs(1) * u32::try_from(number)? / RATE;
        let (client, url) = (client.clone(), url.clone());
        tokio::time::sleep_until(due).await;
        calls.spawn(async move {
            let answer = client.post(url).body(body).send().await?.text().await?;
            Ok::<_, reqwest::Error>((answer.contains("SUCCESS"), due.elapsed()))
        });
    }
    let mut latencies = Vec::with_capacity(attempts.len());
    while let Some(call) = calls.join_next().await {
        let (recorded, latency) = call??;
        ensure!(recorded, "a genuine callback was refused");
        latencies.push(latency);
    }
    Ok(latencies)
}

fn report(mut latencies: Vec<Duration>) {
    latencies.sort_unstable();
    let at = |hundredths: usize| latencies[(latencies.len() * hundredths / 100).min(latencies.len() - 1)].as_millis();
    println!(
        "{} callbacks at {RATE}/s, none refused: p50 {} ms, p99 {} ms, max {} ms",
        latencies.len(),
        at(50),
        at(99),
        at(100)
    );
}

/// What Linux says that a process keeps in memory.
pub(crate) fn resident_mb(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("memory is only measured on Linux")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("the process has ended")?;
    let kilobytes: u64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok(kilobytes / 1024)
}

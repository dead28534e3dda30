//! The main job, told to somebody who has never seen it.

mod figures;
mod first_day;
mod mornings;
mod unlucky;

use std::{fs, path::PathBuf, time::Instant};

use anyhow::Context as _;
use e2e::{
    Options, World, checker,
    reconciling::Run,
    world::{Addresses, Plan},
};

use crate::{
    folders,
    telling::{Telling, say, yuan},
};

/// What the shop sells on the first day, and on the second.
const PRICES_FEN: [i64; 2] = [990, 2500];
/// What it gives back of the first.
const GIVEN_BACK_FEN: i64 = 300;

pub(crate) async fn run() -> anyhow::Result<()> {
    let began = Instant::now();
    let _alone = folders::alone("demo")?;
    let folder = folders::folder("demo");
    folders::remove(&folder)?;
    let reports = folder.join("reports");
    fs::create_dir_all(&reports).with_context(|| format!("cannot make {}", reports.display()))?;

    println!("Tongbao 通宝 takes WeChat payments for a company's internal teams.");
    println!(
        "This demo sells two pots of tea, and shows who talks to whom. Everything is real, except WeChat and the money:"
    );
    println!("the sandbox plays WeChat, as strictly as WeChat's documents say, and time is a command.\n");
    println!("starting Postgres, nats-server, sandbox, pay-gateway, notify-svc, order-svc, reconcile-svc …");
    // Asking is a command here, too: time only passes when the demo says so, and half an hour passes overnight.
    let options = Options::default().with_reconcile().asking("30m");
    let mut world = World::begin(Plan::temporary(&folder, options)).await;
    println!("all are ready after {} ms; logs are in {}", began.elapsed().as_millis(), folder.display());

    let mut telling = Telling::default();
    let day = first_day::tell(&mut telling, &world).await;
    let mut runs = vec![mornings::balanced(&mut telling, &world, day).await];
    let (unlucky, day) = unlucky::tell(&mut telling, &world).await;
    runs.extend(mornings::repaired(&mut telling, &world, &unlucky, day).await);
    let pages = save(&world, &runs, &reports).await?;
    checker::check(&mut world).await;
    world.end();

    sum_up(&runs, &pages);
    println!("\nThe demo took {} s, and everything that it started has ended.", began.elapsed().as_secs());
    println!("`make up` starts the same world and keeps it running; its reports are at {}/.", report_address());
    Ok(())
}

/// What there was to see, on one screen.
fn sum_up(runs: &[Run], pages: &[PathBuf]) {
    println!("\nWhat you have seen");
    say(
        "payments  one that came by WeChat's callback, and one whose callback was lost and whose questions went unanswered:",
    );
    say("          the bill knew it; each order was paid once, and its team was told once");
    say(format!(
        "refunds   {} of the first payment, asked about until WeChat said that they arrived",
        yuan(GIVEN_BACK_FEN)
    ));
    let is_last =
        |run: &&Run| !runs.iter().any(|other| other.bill_date == run.bill_date && run.version < other.version);
    for run in runs.iter().filter(is_last) {
        for account in run.accounts.iter().filter(|account| account.state == "READ") {
            if let (Some(opening), Some(closing)) = (account.opening_fen, account.closing_fen) {
                let moved: i64 = account.movements.iter().map(|moved| moved.count).sum();
                let fees = yuan(figures::fees(run).get());
                let (opening, closing) = (yuan(opening), yuan(closing));
                say(format!(
                    "money     {}: {moved} movements took our account at WeChat from {opening} to {closing}; fees {fees}",
                    run.bill_date
                ));
            }
        }
    }
    for (place, (run, page)) in runs.iter().zip(pages).enumerate() {
        let verdict = run.state().as_str_name().trim_start_matches("STATE_");
        let (bill, books) = (yuan(run.bill_sum_fen), yuan(run.book_sum_fen));
        let head = if place == 0 { "reports" } else { "" };
        say(format!("{head:<10}{} version {}: {verdict}, bill {bill}, books {books}", run.bill_date, run.version));
        say(format!("{:<10}  file://{}", "", page.display()));
    }
    say(
        "proof     a last look at WeChat's ledger, our database, the bus and the books: they agree, and no fen is missing",
    );
}

/// Where the report pages of `make up` are.
fn report_address() -> String {
    Addresses::documented().report.url()
}

/// Keeps the report page of each run.
async fn save(world: &World, runs: &[Run], folder: &std::path::Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for run in runs {
        let page = folder.join(format!("{}-{}-v{}.html", run.merchant, run.bill_date, run.version));
        let html = world.report_page(run).await;
        fs::write(&page, html).with_context(|| format!("cannot write {}", page.display()))?;
        pages.push(page);
    }
    Ok(pages)
}

//! Reconciles the files that `generate` writes, and tells what it took.
//!
//! ```text
//! reconcile FOLDER [funds]
//! ```
//! With the fund flow only when the second argument asks for it. Prints one line: milliseconds, the most memory beside the mapped files in MiB, rows of the bill that agree, differences, and
//! the digest of the outcome.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::civil::date;
use memmap2::Mmap;
use reconciliation::{Account, Answers, FundFile, Inputs, Rules, read};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("which folder?")?;
    let with_funds = match arguments.next().as_deref() {
        None => false,
        Some("funds") => true,
        Some(other) => anyhow::bail!("{other:?} is no argument: funds, or nothing"),
    };
    let map = |name: &str| {
        let file = File::open(Path::new(&folder).join(name)).with_context(|| format!("{name} cannot be opened"))?;
        #[expect(unsafe_code, reason = "nobody changes the files while they are measured")]
        let map = unsafe { Mmap::map(&file) }.with_context(|| format!("{name} cannot be mapped"))?;
        anyhow::Ok(map)
    };
    let (trade, payments, refunds) = (map("trade.csv")?, map("payments.tsv")?, map("refunds.tsv")?);
    let funds = with_funds.then(|| map("funds.csv")).transpose()?;
    let basic = funds.as_ref().map_or(FundFile::NotFetched, |file| FundFile::Read(file));
    let inputs = Inputs {
        day: date(2026, 11, 28),
        as_of: date(2026, 11, 29),
        account: Account { mch_id: "1900000109", sub_mch_id: "" },
        rules: Rules::CURRENT,
        trade: Some(&trade),
        funds: [basic, FundFile::NotFetched, FundFile::NotFetched],
        closings: [None; 3],
        payments: &payments,
        refunds: &refunds,
    };
    let (done, most_kib) = (AtomicBool::new(false), AtomicU64::new(0));
    let (took, outcome) = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                most_kib.fetch_max(memory_kib().unwrap_or(0), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(5));
            }
        });
        let start = Instant::now();
        let outcome = read(&inputs).and_then(|reading| reading.conclude(&Answers::default()));
        let took = start.elapsed();
        done.store(true, Ordering::Relaxed);
        (took, outcome)
    });
    let outcome = outcome?;
    let agree = outcome.matched.count + outcome.matched_refunds.count;
    let digest = outcome.digest_hex();
    #[expect(clippy::print_stdout, reason = "what it is for")]
    {
        println!(
            "{} ms, {} MiB, {agree} agree, {} differences, {digest}",
            took.as_millis(),
            most_kib.into_inner() / 1024,
            outcome.differences.len()
        );
    }
    Ok(())
}

/// Memory of this process that is no file's, in KiB.
fn memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

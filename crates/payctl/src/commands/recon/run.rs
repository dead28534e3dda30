//! `payctl recon run`.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::ensure;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use proto::{
    gateway::v1::{ListMerchantsRequest, payment_gateway_client::PaymentGatewayClient},
    reconcile::v1::{Run, RunReconciliationRequest, run::State},
};
use serde::Serialize;
use serde_json::Value;
use svc_kit::{clock::Clock, grpc};
use tonic::{Code, Status};

use super::{Connection, days, refusal, show};
use crate::{duration, output, refusal as refused};

/// Between two questions about a run that takes longer than one answer may.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Between two turns of the bar.
const TICK: Duration = Duration::from_millis(100);

/// What `payctl recon run` can be told.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 every day is balanced, or only waits for the next bill; 1 something differs; 2 bad use, or a day could not be compared: its bill is not there, or was refused."
)]
pub(super) struct RunArgs {
    /// The bill day, a civil date in Asia/Shanghai such as 2026-11-21; yesterday when absent.
    date: Option<Date>,
    /// And every day from DATE to this one, the newest first.
    #[arg(long, requires = "date")]
    to: Option<Date>,
    /// The merchant account; several times for several.
    #[arg(long, required_unless_present = "all")]
    merchant: Vec<String>,
    /// Every merchant that pay-gateway has.
    #[arg(long, conflicts_with = "merchant")]
    all: bool,
    /// pay-gateway, `http://host:port`: it knows the merchants of --all.
    #[arg(long, env, default_value = "http://127.0.0.1:50052")]
    gateway_url: String,
    /// How long one day may take, such as 30m.
    #[arg(long, default_value = "30m", value_parser = duration::parse)]
    wait: Duration,
}

/// What became of one day.
#[derive(Serialize)]
#[serde(untagged)]
enum Day {
    Ran(Box<Run>),
    Refused { merchant: String, bill_date: String, error: Value },
}

#[derive(Serialize)]
struct Days {
    days: Vec<Day>,
}

/// Runs every day, prints each when it is there, and says with what code to end: the worst of them.
pub(super) async fn run(connection: &mut Connection, args: &RunArgs, json: bool) -> anyhow::Result<ExitCode> {
    let first = args.date.unwrap_or_else(days::yesterday);
    let dates = days::newest_first(first, args.to.unwrap_or(first))?;
    let merchants = match merchants(args).await {
        Ok(merchants) => merchants,
        Err(error) => return refused::tell(error, json, refusal::fix),
    };
    let bar = bar(merchants.len() * dates.len());
    let mut done = Vec::new();
    let mut worst = 0;
    for merchant in &merchants {
        for date in &dates {
            bar.set_message(format!("{merchant} {date}"));
            let day = match one(connection, merchant, *date, args.wait).await {
                Ok(run) => {
                    worst = worst.max(code(&run));
                    bar.suspend(|| if json { Ok(()) } else { output::print(&format!("{}\n", show::whole(&run))) })?;
                    Day::Ran(Box::new(run))
                }
                Err(status) => {
                    worst = 2;
                    bar.suspend(|| {
                        output::note(&format!("{merchant} {date}: {}", refused::text_of(&status, refusal::fix)));
                    });
                    let error = serde_json::to_value(refused::value_of(&status, refusal::fix))?;
                    Day::Refused { merchant: merchant.clone(), bill_date: date.to_string(), error }
                }
            };
            done.push(day);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    if json {
        output::print_json(&Days { days: done })?;
    }
    Ok(ExitCode::from(worst))
}

async fn merchants(args: &RunArgs) -> anyhow::Result<Vec<String>> {
    if !args.all {
        return Ok(args.merchant.clone());
    }
    let mut gateway = PaymentGatewayClient::new(grpc::channel(&args.gateway_url)?);
    let merchants = gateway.list_merchants(ListMerchantsRequest::default()).await?.into_inner().merchants;
    ensure!(!merchants.is_empty(), "pay-gateway has no merchants");
    Ok(merchants.into_iter().map(|merchant| merchant.name).collect())
}

/// Asks until there is a run: it goes on when an answer takes longer than one call may, and the same request id reads it back.
async fn one(connection: &mut Connection, merchant: &str, date: Date, wait: Duration) -> Result<Run, Status> {
    let request = RunReconciliationRequest {
        request_id: Clock::system().uuid_v7().to_string(),
        merchant: merchant.to_owned(),
        bill_date: date.to_string(),
    };
    let begin = Instant::now();
    loop {
        match connection.runs.run_reconciliation(request.clone()).await {
            Ok(run) => return Ok(run.into_inner()),
            Err(status) if goes_on(status.code()) && begin.elapsed() < wait => tokio::time::sleep(ASK_AGAIN).await,
            Err(status) => return Err(status),
        }
    }
}

/// Whether the run may be under way: CANCELLED is what our own limit on a call says.
fn goes_on(code: Code) -> bool {
    matches!(code, Code::Aborted | Code::Cancelled | Code::DeadlineExceeded)
}

/// The exit code of one run.
fn code(run: &Run) -> u8 {
    match run.state() {
        State::Balanced | State::Waiting => 0,
        State::Differences => 1,
        State::Unspecified | State::Running | State::ControlFailed | State::BillInvalid => 2,
    }
}

/// Shown on a terminal only.
fn bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:24} {pos}/{len} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

#[cfg(test)]
mod tests {
    use proto::reconcile::v1::{Run, run::State};

    use super::code;

    #[test]
    fn only_a_day_that_was_compared_ends_well() {
        let ends = |state: State| code(&Run { state: state.into(), ..Run::default() });
        assert_eq!((ends(State::Balanced), ends(State::Waiting), ends(State::Differences)), (0, 0, 1));
        for state in [State::ControlFailed, State::BillInvalid, State::Running, State::Unspecified] {
            assert_eq!(ends(state), 2, "{state:?}");
        }
    }
}

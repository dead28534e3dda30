//! `payctl trigger`: the sandbox does what WeChat does only when nobody is looking.

mod client;

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use sandbox::control::{ActiveFault, Advance, ClockState, Fault, FaultPoint, FaultRule, Faults, Paid, Pay};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::{duration, output};
use client::{Client, Refused};

/// What `payctl trigger` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct TriggerArgs {
    /// The sandbox, `http://host:port`.
    #[arg(long, env, global = true, default_value = "http://127.0.0.1:9900")]
    sandbox_url: Url,
    /// Print one JSON object instead of text: what the sandbox answered.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: TriggerCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TriggerCommand {
    /// Let the user pay: the callback follows.
    Pay {
        /// The order's number at WeChat (`payctl order get` tells it).
        out_trade_no: String,
        /// Whose order; needed only when two merchants used the same number.
        #[arg(long)]
        merchant: Option<String>,
        /// Pay another amount than was ordered, in fen.
        #[arg(long)]
        amount_fen: Option<i64>,
        /// The user opened the cashier before the order expired or was closed.
        #[arg(long)]
        in_cashier: bool,
    },
    /// Lose the next callback, or the answer to the next call.
    Lose {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Deliver the next callback more than once.
    Duplicate {
        #[command(flatten)]
        place: PlaceArgs,
        /// How many more than one.
        #[arg(long, default_value_t = 1)]
        copies: u32,
    },
    /// Deliver the next callback later, or answer the next call late.
    Delay {
        #[command(flatten)]
        place: PlaceArgs,
        /// How much: of the sandbox's time for a callback, of real time, at most a minute, for a call.
        #[arg(long, value_parser = duration::parse, default_value = "10s")]
        by: Duration,
    },
    /// Move the sandbox's clock, and with it those of all processes that follow it.
    Clock {
        /// How far, such as +1h or +2d. It never goes back.
        #[arg(value_parser = forward)]
        by: Duration,
    },
    /// List the faults that were set, and how often each has struck.
    Faults,
    /// Take all faults back.
    Clear,
}

/// Where, for whom and how often something goes wrong.
#[derive(Debug, clap::Args)]
struct PlaceArgs {
    /// Only this order; every one when absent.
    out_trade_no: Option<String>,
    /// Where: callback, refundcallback, unifiedorder, orderquery, closeorder, refund, refundquery, ….
    #[arg(long, default_value = "callback", value_parser = place)]
    on: FaultPoint,
    /// Only for this merchant.
    #[arg(long)]
    merchant: Option<String>,
    /// How many times.
    #[arg(long, default_value_t = 1)]
    times: u32,
}

fn place(text: &str) -> Result<FaultPoint, String> {
    serde_json::from_value(Value::from(text)).map_err(|error| error.to_string())
}

fn forward(text: &str) -> Result<Duration, String> {
    duration::parse(text.strip_prefix('+').unwrap_or(text))
}

impl PlaceArgs {
    fn rule(&self, fault: Fault) -> FaultRule {
        let (merchant, out_trade_no) = (self.merchant.clone(), self.out_trade_no.clone());
        FaultRule { on: self.on, merchant, out_trade_no, fault, times: self.times }
    }

    fn is_callback(&self) -> bool {
        matches!(self.on, FaultPoint::Callback | FaultPoint::RefundCallback)
    }
}

/// What the sandbox answered: for programs, and for people.
struct Done {
    json: Value,
    text: String,
}

impl Done {
    fn of(answer: &impl Serialize, text: String) -> anyhow::Result<Done> {
        Ok(Done { json: serde_json::to_value(answer).context("the answer is no JSON")?, text })
    }
}

/// Tells the sandbox, and prints what it answered.
pub(crate) async fn run(args: &TriggerArgs) -> anyhow::Result<ExitCode> {
    let client = Client::new(&args.sandbox_url)?;
    match told(&client, &args.command).await {
        Ok(done) if args.json => output::print_json(&done.json).map(|()| output::GOOD),
        Ok(done) => output::print(&format!("{}\n", done.text)).map(|()| output::GOOD),
        Err(error) => {
            let refused: Refused = error.downcast()?;
            if args.json {
                output::print_json(&refused)?;
            } else {
                output::note(&format!("refused: {}", refused.error));
            }
            Ok(output::no())
        }
    }
}

async fn told(client: &Client, command: &TriggerCommand) -> anyhow::Result<Done> {
    match command {
        TriggerCommand::Pay { out_trade_no, merchant, amount_fen, in_cashier } => {
            let (merchant, amount_fen, in_cashier) = (merchant.clone(), *amount_fen, *in_cashier);
            let pay = Pay { merchant, amount_fen, in_cashier, ..Pay::default() };
            let path = ["payments", out_trade_no, "pay"];
            let paid: Paid = client.post(&path, &pay).await?;
            let yuan = money::Fen::new(paid.amount_fen).to_yuan();
            let text = format!("{} paid {yuan} yuan, transaction_id {}", paid.out_trade_no, paid.transaction_id);
            Done::of(&paid, text)
        }
        TriggerCommand::Lose { place } => {
            fault(client, place.rule(if place.is_callback() { Fault::Lose } else { Fault::Lost })).await
        }
        TriggerCommand::Duplicate { place, copies } => {
            fault(client, place.rule(Fault::Duplicate { copies: *copies })).await
        }
        TriggerCommand::Delay { place, by } => {
            let delay_ms = u64::try_from(by.as_millis()).context("--by is too long")?;
            let fault_of = if place.is_callback() { Fault::Delay { delay_ms } } else { Fault::Late { delay_ms } };
            fault(client, place.rule(fault_of)).await
        }
        TriggerCommand::Clock { by } => {
            let advance_ms = u64::try_from(by.as_millis()).context("that is too far")?;
            let clock: ClockState = client.post(&["clock"], &Advance { advance_ms }).await?;
            Done::of(&clock, format!("it is {}", clock.now))
        }
        TriggerCommand::Faults => {
            let faults: Faults = client.get(&["faults"]).await?;
            let lines: Vec<_> = faults.faults.iter().map(fault_line).collect();
            let text = if lines.is_empty() { "no faults".to_owned() } else { lines.join("\n") };
            Done::of(&faults, text)
        }
        TriggerCommand::Clear => {
            let faults: Faults = client.delete(&["faults"]).await?;
            Done::of(&faults, "no faults".to_owned())
        }
    }
}

async fn fault(client: &Client, rule: FaultRule) -> anyhow::Result<Done> {
    let active: ActiveFault = client.post(&["faults"], &rule).await?;
    Done::of(&active, fault_line(&active))
}

fn fault_line(active: &ActiveFault) -> String {
    let rule = &active.rule;
    let of = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!(" of {name} {value}")).unwrap_or_default()
    };
    format!(
        "fault {}: {} on {}{}{}, {} times, struck {}",
        active.id,
        rule.fault.as_str(),
        rule.on.as_str(),
        of("order", &rule.out_trade_no),
        of("merchant", &rule.merchant),
        rule.times,
        active.hits,
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{forward, place};

    #[test]
    fn the_clock_goes_forward_with_or_without_a_plus() {
        assert_eq!(forward("+1h"), Ok(Duration::from_hours(1)));
        assert_eq!(forward("90s"), Ok(Duration::from_secs(90)));
        assert!(forward("-1h").is_err());
    }

    #[test]
    fn a_place_that_the_sandbox_does_not_know_is_refused_with_those_that_it_does() {
        assert_eq!(place("unifiedorder").unwrap().as_str(), "unifiedorder");
        assert!(place("nowhere").unwrap_err().contains("refundquery"));
    }
}

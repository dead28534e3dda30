//! `payctl events`.

mod line;
mod rebuild;
mod source;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, bail};
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use svc_kit::{
    bus::{self, BusArgs},
    clock::Clock,
    metrics::Metrics,
};

use crate::{duration, output};
use line::Line;
pub(crate) use rebuild::{RebuildArgs, rebuild};
use source::Source;

/// Most messages that are printed when nobody says how many.
const MOST: u64 = 10_000;

/// What `payctl events` can be told.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum EventsCommand {
    /// Print what is on the bus, one message a line: when the stream took it, subject, ce-id, body. Leaves nothing behind.
    Tail(TailArgs),
    /// Tell again what order-svc told and heard: after a stream was lost. Facts keep their ids, so who heard one before applies
    /// nothing twice.
    Rebuild(RebuildArgs),
}

/// What `payctl events tail` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct TailArgs {
    /// Only this subject; * stands for one word, > for the rest. Everything when absent: pay.v1.> order.v1.> recon.v1.> dead.v1.>
    subject: Option<String>,
    /// NATS server, `nats://[user:password@]host:port`; several of one cluster are separated by commas.
    #[arg(long, env, hide_env_values = true, default_value = "nats://127.0.0.1:42220")]
    nats_url: SecretString,
    /// How far back: a length of time such as 10m, or all.
    #[arg(long, default_value = "10m", value_parser = since)]
    since: Since,
    /// End after so many messages; 10,000 when absent, and never with `--follow`.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Wait for what comes, until Ctrl-C.
    #[arg(long)]
    follow: bool,
    /// Print one JSON object for each message.
    #[arg(long)]
    json: bool,
}

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    All,
    Ago(Duration),
}

fn since(text: &str) -> Result<Since, String> {
    if text == "all" {
        Ok(Since::All)
    } else {
        duration::parse(text).map(Since::Ago).map_err(|error| format!("{error}, or all"))
    }
}

impl Since {
    fn instant(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Since::All => None,
            Since::Ago(time) => SignedDuration::try_from(time).ok().and_then(|time| now.checked_sub(time).ok()),
        }
    }
}

/// Prints until there is no more, or for ever.
pub(crate) async fn tail(args: &TailArgs) -> anyhow::Result<ExitCode> {
    let streams = source::streams(args.subject.as_deref())?;
    let settings = BusArgs { nats_url: args.nats_url.clone(), nats_monitor_url: None, nats_replicas: 1 };
    let bus = bus::connect(&settings, "payctl", &Metrics::new()).await?;
    let from = args.since.instant(Clock::system().now());
    let mut sources = Vec::new();
    for (name, subject) in streams {
        if let Some(source) = Source::open(bus.jetstream(), name, &subject, from).await? {
            sources.push(source);
        }
    }
    if sources.is_empty() {
        bail!("there are no such streams on this server: look at --nats-url; the services make them when they start");
    }
    let most = args.count.unwrap_or(if args.follow { u64::MAX } else { MOST });
    let printed =
        if args.follow { follow(sources, most, args.json).await? } else { read(sources, most, args.json).await? };
    if printed == most && args.count.is_none() {
        output::note(&format!(
            "ended after {most} messages: name more with --count, or fewer with --since or a subject"
        ));
    }
    Ok(output::GOOD)
}

/// What is there now, oldest first over all streams.
async fn read(mut sources: Vec<Source>, most: u64, json: bool) -> anyhow::Result<u64> {
    let mut heads = Vec::new();
    for source in &mut sources {
        heads.push(source.next_there().await?);
    }
    let mut printed = 0;
    while printed < most {
        let oldest = heads.iter().enumerate().filter_map(|(at, head)| Some((head.as_ref()?.time, at))).min();
        let Some((_, at)) = oldest else { break };
        if let Some(line) = heads[at].take() {
            print(&line, json)?;
            printed += 1;
        }
        heads[at] = sources[at].next_there().await?;
    }
    Ok(printed)
}

/// What is there and what comes, as it arrives.
async fn follow(sources: Vec<Source>, most: u64, json: bool) -> anyhow::Result<u64> {
    let mut messages = stream::select_all(sources.into_iter().map(|source| Box::pin(source.messages())));
    let mut printed = 0;
    while printed < most {
        tokio::select! {
            stop = tokio::signal::ctrl_c() => return stop.map(|()| printed).context("cannot listen for Ctrl-C"),
            line = messages.next() => match line {
                Some(line) => print(&line?, json)?,
                None => break,
            },
        }
        printed += 1;
    }
    Ok(printed)
}

fn print(line: &Line, json: bool) -> anyhow::Result<()> {
    let text = if json { line.json()? } else { line.text() };
    output::print(&format!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Since, since};

    #[test]
    fn how_far_back_is_a_length_of_time_or_all() {
        assert_eq!(since("all"), Ok(Since::All));
        assert_eq!(since("10m"), Ok(Since::Ago(Duration::from_mins(10))));
        assert!(since("yesterday").unwrap_err().ends_with(", or all"));
    }

    #[test]
    fn all_has_no_beginning() {
        let now = "2026-11-29T00:00:00Z".parse().unwrap();
        assert_eq!(Since::All.instant(now), None);
        assert_eq!(Since::Ago(Duration::from_hours(24)).instant(now).unwrap().to_string(), "2026-11-28T00:00:00Z");
    }
}

//! `payctl events rebuild`: a stream that is gone is told again from order-svc's archive.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use anyhow::{Context as _, bail};
use jiff::{Timestamp, civil::Date};
use secrecy::SecretString;
use serde::Serialize;
use sqlx::PgPool;
use svc_kit::{
    bus::{self, BusArgs, Message, PublishError, Publisher},
    metrics::Metrics,
    outbox::archive::{Archived, Place, archived},
    postgres,
};

use crate::output::{self, counted};

/// How this process calls itself to Postgres and NATS.
const PROCESS: &str = "payctl";

/// Facts that are read and published at once.
const BATCH: u16 = 500;

/// Longest statement: the archive may have a hundred million rows.
const STATEMENT_TIME: Duration = Duration::from_mins(5);

/// So often a batch is published again whose acks were lost. Its ids are the same, so nothing is stored twice.
const TRIES: u32 = 5;

/// Pause before the first of them; it doubles.
const PAUSE: Duration = Duration::from_millis(500);

/// After so many facts somebody is told how far it is.
const TOLD_EVERY: u64 = 10_000;

/// Most refusals that are shown; all are counted.
const MOST_SHOWN: u64 = 20;

/// What `payctl events rebuild` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct RebuildArgs {
    /// Postgres of order-svc, where the archive is.
    #[arg(long, env, hide_env_values = true)]
    order_database_url: SecretString,
    /// NATS server, `nats://[user:password@]host:port`; several of one cluster are separated by commas.
    #[arg(long, env, hide_env_values = true, default_value = "nats://127.0.0.1:42220")]
    nats_url: SecretString,
    /// Only facts that were written on this day or later, a date in Beijing such as 2026-11-21; everything when absent.
    #[arg(long)]
    since: Option<Date>,
    /// Only this stream; both when absent.
    #[arg(long, value_parser = ["ORDER", "PAY"])]
    stream: Option<String>,
    /// Publish nothing; only count.
    #[arg(long)]
    dry_run: bool,
    /// Print the counts as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What became of the facts.
#[derive(Debug, Default, Serialize)]
struct Told {
    dry_run: bool,
    /// Facts of the archive that were read.
    read: u64,
    /// Facts that their stream took.
    published: u64,
    /// Facts that their stream has already; it recognises them for ten minutes.
    duplicates: u64,
    /// Facts that cannot be published.
    refused: u64,
    /// Read facts by the beginning of their subject, such as `order.v1.order.paid`.
    subjects: BTreeMap<String, u64>,
}

/// Tells everything again.
pub(crate) async fn rebuild(args: &RebuildArgs) -> anyhow::Result<ExitCode> {
    let settings = postgres::Settings {
        max_connections: 1,
        min_connections: 0,
        statement_timeout: STATEMENT_TIME,
        idle_in_transaction_timeout: STATEMENT_TIME,
        ..postgres::Settings::new(PROCESS)
    };
    let orders = postgres::connect(&args.order_database_url, &settings).await?;
    let publisher = if args.dry_run {
        None
    } else {
        let bus = BusArgs { nats_url: args.nats_url.clone(), nats_monitor_url: None, nats_replicas: 1 };
        Some(Publisher::new(&bus::connect(&bus, PROCESS, &Metrics::new()).await?))
    };
    let since = match args.since {
        Some(day) => Some(wechat_pay::time::day_start(day).context("--since is outside the calendar")?),
        None => None,
    };
    let told = tell_again(&orders, publisher.as_ref(), roots(args.stream.as_deref()), since).await?;
    if args.json {
        output::print_json(&told)?;
    } else {
        output::print(&told.text())?;
    }
    Ok(if told.refused == 0 { output::GOOD } else { output::no() })
}

fn roots(stream: Option<&str>) -> &'static [&'static str] {
    match stream {
        Some("ORDER") => &["order.v1."],
        Some("PAY") => &["pay.v1."],
        _ => &["order.v1.", "pay.v1."],
    }
}

async fn tell_again(
    orders: &PgPool,
    publisher: Option<&Publisher>,
    roots: &[&str],
    since: Option<Timestamp>,
) -> anyhow::Result<Told> {
    let mut told = Told { dry_run: publisher.is_none(), ..Told::default() };
    let mut place = Place::at(since.unwrap_or(Timestamp::UNIX_EPOCH));
    loop {
        let mut conn = orders.acquire().await?;
        let facts = archived(&mut conn, roots, place, BATCH).await.context(
            "the archive cannot be read: is this order-svc's database, and of a release that keeps what it publishes?",
        )?;
        drop(conn);
        let Some(last) = facts.last() else { return Ok(told) };
        place = last.place;
        let before = told.read / TOLD_EVERY;
        let messages = told.read(facts);
        if let Some(publisher) = publisher {
            told.publish(publisher, messages).await?;
        }
        if before < told.read / TOLD_EVERY {
            output::note(&format!("{}, written until {}", counted(told.read, "fact", "facts"), place.created_at));
        }
    }
}

impl Told {
    /// Counts what was read, and gives back what can be published.
    fn read(&mut self, facts: Vec<Archived>) -> Vec<Message> {
        let mut messages = Vec::with_capacity(facts.len());
        for fact in facts {
            self.read += 1;
            match fact.message {
                Ok(message) => {
                    // The last word is a merchant or an app.
                    let kind = message.subject.rsplit_once('.').map_or(message.subject.as_str(), |(kind, _)| kind);
                    *self.subjects.entry(kind.to_owned()).or_default() += 1;
                    messages.push(message);
                }
                Err(error) => self.refuse("a row of the archive", &error),
            }
        }
        messages
    }

    async fn publish(&mut self, publisher: &Publisher, mut messages: Vec<Message>) -> anyhow::Result<()> {
        for attempt in 0..TRIES {
            let verdicts = publisher.publish_batch(&messages).await;
            let mut again = Vec::new();
            for (message, verdict) in messages.into_iter().zip(verdicts) {
                match verdict {
                    Ok(ack) if ack.duplicate => self.duplicates += 1,
                    Ok(_) => self.published += 1,
                    Err(PublishError::NotConnected | PublishError::Unknown { .. }) => again.push(message),
                    Err(error @ (PublishError::NoStream { .. } | PublishError::WrongStream { .. })) => {
                        bail!("{error}: the services make the streams when they start")
                    }
                    Err(error) => self.refuse(&message.id, &error),
                }
            }
            if again.is_empty() {
                return Ok(());
            }
            messages = again;
            tokio::time::sleep(PAUSE * 2_u32.pow(attempt)).await;
        }
        bail!(
            "NATS does not answer; {} facts were published. Run it again: what the stream has is not stored twice, and who \
             hears a fact twice applies it once",
            self.published
        )
    }

    fn refuse(&mut self, what: &str, error: &PublishError) {
        self.refused += 1;
        if self.refused <= MOST_SHOWN {
            output::note(&format!("{}: {error}", output::visible(what)));
        }
    }

    fn text(&self) -> String {
        let Told { dry_run, read, published, duplicates, refused, subjects } = self;
        let rows: Vec<_> = subjects.iter().map(|(subject, count)| vec![subject.clone(), count.to_string()]).collect();
        let counts = output::table(&["subject", "facts"], &rows);
        if *dry_run {
            return format!("{counts}{} would be published\n", counted(read, "fact", "facts"));
        }
        let read = counted(read, "fact", "facts");
        format!("{counts}{published} of {read} published, {duplicates} were there already, {refused} refused\n")
    }
}

//! What Postgres and NATS do on this machine for anybody: the denominators.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use async_nats::jetstream::{self, stream};
use e2e::{load::Times, programs};
use proto::bus;
use tokio::process::Command;

use crate::{orders::tidy, stage::Stage};

/// Rows of the table that is updated: far more than clients, so that they do not wait for each other.
const ROWS: i32 = 100_000;

const SUBJECT: &str = "bench.single";

/// How big a message is that is published alone: as one of our facts.
const MESSAGE: &[u8] = br#"{"merchant":"acme-mini","provider":"wechat-v2","mchId":"1900000109","appId":"wxac3e0000000000a1","outTradeNo":"01981b6e6f3c7a01b2c3d4e5f6a7b8c9","transactionId":"4200000000000000000000000001","amountFen":"100","payerAmountFen":"100","currency":"CNY","paidTime":"2026-11-30T01:30:15Z","tradeType":"JSAPI","bankType":"OTHERS","source":"SOURCE_NOTICE"}"#;

/// What pgbench does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statement {
    /// One row of many is changed.
    Update,
    /// One row is added.
    Insert,
}

impl Statement {
    fn script(self) -> String {
        match self {
            Statement::Update => {
                format!("\\set id random(1, {ROWS})\nUPDATE bench_row SET value = value + 1 WHERE id = :id;\n")
            }
            Statement::Insert => "INSERT INTO bench_new (value, note) VALUES (100, 'a pot of tea');\n".to_owned(),
        }
    }
}

impl Stage {
    /// Makes what the machine is measured with.
    pub(crate) async fn prepare_machine(&self) -> anyhow::Result<()> {
        sqlx::raw_sql(
            "CREATE TABLE bench_row (id integer PRIMARY KEY, value bigint NOT NULL, note text NOT NULL);
             INSERT INTO bench_row SELECT id, 0, repeat('x', 200) FROM generate_series(1, 100000) AS id;
             CREATE TABLE bench_new (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), value bigint NOT NULL, note text NOT NULL,
                                     create_time timestamptz NOT NULL DEFAULT now())",
        )
        .execute(&self.elsewhere)
        .await
        .context("tables of the bench")?;
        tidy(&self.elsewhere, &["bench_row"]).await?;
        let jetstream = self.jetstream().await?;
        let like = bus::stream("PAY").context("the table has it")?;
        let config = stream::Config {
            name: "BENCH".to_owned(),
            subjects: vec![SUBJECT.to_owned()],
            max_bytes: like.max_bytes,
            duplicate_window: like.duplicate_window,
            storage: stream::StorageType::File,
            ..stream::Config::default()
        };
        jetstream.create_stream(config).await.context("the stream of the bench")?;
        std::fs::write(self.file("message"), MESSAGE).context("the world's folder can be written")
    }

    /// Commits per second of one prepared statement, by 32 clients.
    pub(crate) async fn commits(&self, statement: Statement) -> anyhow::Result<u64> {
        let script = self.file("pgbench.sql");
        std::fs::write(&script, statement.script()).context("the world's folder can be written")?;
        let program = programs::postgres("pgbench");
        ensure!(
            program.is_file(),
            "pgbench is not beside Postgres in {}: install postgresql-contrib",
            program.display()
        );
        // pgbench counts in whole seconds.
        let seconds = self.arguments.ms.div_ceil(1000).to_string();
        let mut command = Command::new(&program);
        command.args(["-n", "-M", "prepared", "-c", "32", "-j", "2", "-T", &seconds, "-f"]).arg(&script);
        let output = command.arg(self.elsewhere_url()).kill_on_drop(true).output().await.context("pgbench starts")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let tps = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split('.').next()?.parse().ok());
        match tps {
            Some(tps) if output.status.success() => Ok(tps),
            _ => bail!("pgbench failed: {}{text}", String::from_utf8_lossy(&output.stderr)),
        }
    }

    /// Messages per second that 32 connections publish one by one, each after the ack of its last one.
    pub(crate) async fn single_publishes(&self) -> anyhow::Result<u64> {
        let (ms, body) = (self.arguments.ms.to_string(), self.file("message"));
        let body = body.to_str().context("the folder is text")?;
        let nats = self.world.nats.url();
        let outcome = self.load(["publish", "--nats", nats, "--subject", SUBJECT, "--body", body, "--ms", &ms]).await?;
        ensure!(outcome.good > 0 && outcome.good == outcome.due, "publishing failed: {outcome:?}");
        self.jetstream().await?.get_stream("BENCH").await?.purge().await.context("the bench's stream is emptied")?;
        Ok(outcome.per_second())
    }

    /// The medians of one commit and of one ack, one after the other on one connection with nothing else going on, in
    /// microseconds: what the two cost that nobody can do without.
    pub(crate) async fn durable_steps(&self) -> anyhow::Result<(u64, u64)> {
        let (mut commits, mut acks) = (Times::default(), Times::default());
        let mut base = self.elsewhere.acquire().await.context("the other database")?;
        let jetstream = self.jetstream().await?;
        let time = Duration::from_millis(self.arguments.ms / 3);
        let began = Instant::now();
        for id in (1..=ROWS).cycle() {
            let sent = Instant::now();
            let update = sqlx::query("UPDATE bench_row SET value = value + 1 WHERE id = $1").bind(id);
            update.execute(&mut *base).await.context("a row can be changed")?;
            commits.note(sent.elapsed());
            let sent = Instant::now();
            jetstream.publish(SUBJECT, MESSAGE.into()).await?.await.context("a message can be published")?;
            acks.note(sent.elapsed());
            if time < began.elapsed() {
                break;
            }
        }
        Ok((commits.spread().p50, acks.spread().p50))
    }

    pub(crate) async fn jetstream(&self) -> anyhow::Result<jetstream::Context> {
        let client = async_nats::connect(self.world.nats.url()).await.context("NATS of the world")?;
        Ok(jetstream::new(client))
    }
}

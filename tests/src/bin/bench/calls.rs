//! What is asked of our services, and how much of it they do.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use e2e::{
    Part, eventually,
    load::{Outcome, per_second},
};

use crate::stage::Stage;

/// The team's token in development.
const TOKEN: &str = "shop-development-token";

/// How long a backlog may take to be worked off.
const BACKLOG_TIME: Duration = Duration::from_mins(2);

/// Between two looks at the metrics.
const LOOK: Duration = Duration::from_millis(20);

/// How fast a backlog went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Drained {
    /// Facts per second that were applied: committed with their events.
    pub(crate) applied: u64,
    /// Events per second that left the outbox.
    pub(crate) published: u64,
}

impl Stage {
    /// Posts the bodies of a file, everything at once unless `more` says otherwise.
    pub(crate) async fn post(
        &self,
        address: &str,
        path: &str,
        bodies: &Path,
        more: &[&str],
    ) -> anyhow::Result<Outcome> {
        let ms = self.arguments.ms.to_string();
        let bodies = bodies.to_str().context("the folder is text")?;
        let mut arguments = vec!["post", "--address", address, "--path", path, "--bodies", bodies];
        arguments.extend(more);
        if !more.contains(&"--ms") {
            arguments.extend(["--ms", &ms]);
        }
        self.load(arguments).await
    }

    /// Posts to notify-svc as WeChat does.
    pub(crate) async fn call_back(&self, bodies: &Path, more: &[&str]) -> anyhow::Result<Outcome> {
        let address = self.world.addresses().notify.address();
        let path = format!("/notify/wechat-v2/{}/payment", self.merchant.name);
        let outcome = self.post(&address, &path, bodies, more).await?;
        ensure!(outcome.good > 0 && outcome.good == outcome.due, "genuine callbacks were refused: {outcome:?}");
        Ok(outcome)
    }

    /// `CreateOrder` as often as it goes; the names are in the file `names`.
    pub(crate) async fn create(&self, more: &[&str]) -> anyhow::Result<Outcome> {
        self.ask("create", more).await
    }

    /// `PayOrder` of the orders in the file `names`.
    pub(crate) async fn pay(&self, more: &[&str]) -> anyhow::Result<Outcome> {
        self.ask("pay", more).await
    }

    async fn ask(&self, what: &str, more: &[&str]) -> anyhow::Result<Outcome> {
        let (url, ms, names) = (self.world.addresses().order.url(), self.arguments.ms.to_string(), self.file("names"));
        let names = names.to_str().context("the folder is text")?;
        let mut arguments = vec![what, "--url", &url, "--token", TOKEN, "--names", names];
        arguments.extend(more);
        if !more.contains(&"--ms") {
            arguments.extend(["--ms", &ms]);
        }
        let outcome = self.load(arguments).await?;
        ensure!(
            outcome.good > 0 && outcome.good == outcome.due,
            "{what}: not all calls were answered well: {outcome:?}"
        );
        Ok(outcome)
    }

    /// Starts order-svc before a backlog of so many facts and events, and looks how fast it gets through both. Each event that is
    /// there, or that a fact makes, counts.
    pub(crate) async fn drain(
        &mut self,
        facts: u64,
        events: u64,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Drained> {
        self.world.start_unready_with(Part::OrderSvc, environment);
        let began = Instant::now();
        let (mut applied, mut published) = (Span::of(facts), Span::of(events));
        while !(applied.is_over() && published.is_over()) {
            if BACKLOG_TIME < began.elapsed() {
                bail!("the backlog does not end: applied {applied:?}, published {published:?}");
            }
            tokio::time::sleep(LOOK).await;
            applied.look(
                self.counted("bus_consumed_total", &[("durable", "order-svc-pay"), ("outcome", "applied")]).await,
            );
            published.look(self.counted("outbox_published_total", &[("outcome", "published")]).await);
        }
        self.world.ready(Part::OrderSvc).await;
        Ok(Drained { applied: applied.per_second(), published: published.per_second() })
    }

    /// Waits until nothing of ours is on its way.
    pub(crate) async fn quiet(&self) {
        eventually("the outbox is empty", async || {
            let waiting = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox").fetch_one(&self.orders).await;
            match waiting.map_err(|error| error.to_string())? {
                0 => Ok(()),
                waiting => Err(format!("{waiting} wait")),
            }
        })
        .await;
    }

    /// A counter of order-svc; nothing while it does not answer yet.
    async fn counted(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let told = self.world.try_metric(Part::OrderSvc, name, labels).await;
        told.ok().flatten().and_then(|value| u64::try_from(value).ok()).unwrap_or(0)
    }
}

/// A counter's way from its first step to its end.
#[derive(Clone, Copy, Debug)]
struct Span {
    wanted: u64,
    first: Option<(Instant, u64)>,
    last: Option<(Instant, u64)>,
}

impl Span {
    fn of(wanted: u64) -> Self {
        Self { wanted, first: None, last: None }
    }

    fn look(&mut self, count: u64) {
        if count == 0 || self.is_over() {
            return;
        }
        let now = Instant::now();
        self.first.get_or_insert((now, count));
        self.last = Some((now, count));
    }

    fn is_over(&self) -> bool {
        self.wanted <= self.last.map_or(0, |(_, count)| count)
    }

    /// What came after the first look, by the time that it took: the start of the process is nobody's speed.
    fn per_second(&self) -> u64 {
        match (self.first, self.last) {
            (Some((began, first)), Some((ended, last))) if began < ended => per_second(last - first, ended - began),
            _ => 0,
        }
    }
}

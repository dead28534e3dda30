//! One reconcile-svc with everything it needs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser as _;
use jiff::ToSpan as _;
use jiff::civil::Date;
use proto::bus::{RECONCILE_SVC_ORDER, RECONCILE_SVC_PAY};
use proto::event::Event;
use proto::reconcile::v1::export_run_request::Format;
use proto::reconcile::v1::reconcile_service_client::ReconcileServiceClient;
use proto::reconcile::v1::{
    Discrepancy, ExportRunRequest, GetRunRequest, ListDiscrepanciesRequest, ListRunsRequest, Run,
    RunReconciliationRequest,
};
use reconcile_svc::app::{self, Addresses};
use reconcile_svc::config::Config;
use serde_json::Value;
use sqlx::PgPool;
use svc_kit::bus::{Bus, Message, Publisher};
use svc_kit::clock::{Clock, Hand};
use svc_kit::metrics::Metrics;
use svc_kit::process::Tasks;
use svc_kit::refusal::reason_of;
use tonic::Status;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::bill::{MERCHANT, Payment};
use crate::gateway::FakeGateway;
use crate::people;
use crate::programs::{Nats, Postgres};

/// Everything is waited for at most this long: generous, because a loaded machine may be ten times slower than ours.
const DEADLINE: Duration = Duration::from_mins(2);

/// Pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A running service, the gateway it calls, and the bus.
pub(crate) struct World {
    pub(crate) gateway: FakeGateway,
    pub(crate) client: ReconcileServiceClient<Channel>,
    pub(crate) clock: Clock,
    pub(crate) hand: Hand,
    pub(crate) pool: PgPool,
    pub(crate) bus: Bus,
    /// What another process like this one is told.
    settings: Vec<String>,
    addresses: Addresses,
    tasks: Tasks,
    // Dropped in this order, after the service has no more use for them.
    _nats: Nats,
    _postgres: Arc<Postgres>,
}

impl World {
    /// Days are reconciled only when a test asks for it.
    pub(crate) async fn start() -> Self {
        Self::start_with(false, true).await
    }

    pub(crate) async fn start_with_schedule(schedule: bool) -> Self {
        Self::start_with(schedule, true).await
    }

    /// Nobody may decide anything.
    pub(crate) async fn start_without_people() -> Self {
        Self::start_with(false, false).await
    }

    async fn start_with(schedule: bool, people: bool) -> Self {
        let mut nats = Nats::start();
        // Starting Postgres blocks; other tests go on meanwhile.
        let postgres = tokio::task::spawn_blocking(Postgres::shared).await.expect("Postgres starts");
        let database = postgres.database().await;
        let nats_url = nats.url().await;
        let gateway = FakeGateway::default();
        let gateway_url = gateway.serve().await;
        let folder = tempfile::tempdir().expect("a folder");
        let people_file = people.then(|| format!("--people-file={}", people::file(folder.path()).display()));
        let mut settings = vec![
            "reconcile-svc".to_owned(),
            "--listen=127.0.0.1:0".to_owned(),
            "--report-listen=127.0.0.1:0".to_owned(),
            "--admin-listen=127.0.0.1:0".to_owned(),
            format!("--reconcile-database-url={database}"),
            format!("--gateway-url={gateway_url}"),
            format!("--nats-url={nats_url}"),
            format!("--schedule={schedule}"),
        ];
        let alike = settings.clone();
        settings.extend(people_file);
        let config = Config::parse_from(settings);
        let (clock, hand) = Clock::adjustable();
        let tasks = Tasks::new();
        let addresses = app::start_on(clock.clone(), &config, &tasks).await.expect("the service starts");
        let bus = svc_kit::bus::connect(&config.bus, "test", &Metrics::new()).await.expect("NATS answers");
        let client =
            ReconcileServiceClient::connect(format!("http://{}", addresses.grpc)).await.expect("the service answers");
        let pool = PgPool::connect(&database).await.expect("Postgres answers");
        Self {
            gateway,
            client,
            clock,
            hand,
            pool,
            bus,
            settings: alike,
            addresses,
            tasks,
            _nats: nats,
            _postgres: postgres,
        }
    }

    /// A day whose bill can be had, and stays one when midnight passes during the test.
    pub(crate) fn day(&self) -> Date {
        wechat_pay::time::bill_date(self.clock.now()).saturating_sub(2.days())
    }

    /// Publishes facts and waits until the service has taken them.
    pub(crate) async fn publish<E: Event>(&self, events: &[E]) {
        let publisher = Publisher::new(&self.bus);
        let mut last = None;
        for event in events {
            let message = Message::from_event(event, "test").expect("a message");
            last = Some(publisher.publish(&message).await.expect("the stream takes it"));
        }
        if let Some(ack) = last {
            self.taken(&ack.stream, ack.sequence).await;
        }
    }

    /// Waits until the service has acked everything up to `sequence` of a stream.
    pub(crate) async fn taken(&self, stream: &str, sequence: u64) {
        let durable = if stream == "PAY" { RECONCILE_SVC_PAY } else { RECONCILE_SVC_ORDER };
        self.until("the facts are taken", async || {
            let stream = self.bus.jetstream().get_stream_no_info(stream).await.ok()?;
            let info = stream.consumer_info(durable).await.ok()?;
            (sequence <= info.ack_floor.stream_sequence).then_some(())
        })
        .await;
    }

    /// Everybody knows about these payments: number given out, provider told us, order took the money.
    pub(crate) async fn book(&self, payments: &[&Payment]) {
        self.publish(&payments.iter().map(|payment| payment.order_created()).collect::<Vec<_>>()).await;
        self.publish(&payments.iter().map(|payment| payment.issued()).collect::<Vec<_>>()).await;
        self.publish(&payments.iter().map(|payment| payment.told()).collect::<Vec<_>>()).await;
        self.publish(&payments.iter().map(|payment| payment.order_paid()).collect::<Vec<_>>()).await;
    }

    /// Asks for a run once; `TRY_AGAIN`, which a loaded machine may say, is obeyed.
    pub(crate) async fn try_run(&self, day: Date) -> Result<Run, Status> {
        let request = RunReconciliationRequest {
            request_id: Uuid::new_v4().to_string(),
            merchant: MERCHANT.to_owned(),
            bill_date: day.to_string(),
        };
        self.until("a run or a refusal", async || {
            let answer = self.client.clone().run_reconciliation(request.clone()).await.map(tonic::Response::into_inner);
            let again = |status: &Status| reason_of(status).as_deref() == Some("TRY_AGAIN");
            (!answer.as_ref().is_err_and(again)).then_some(answer)
        })
        .await
    }

    /// Asks until there is a run: waiting for another one of the same day has a limit, and then one asks again.
    pub(crate) async fn run(&self, day: Date) -> Run {
        self.until("a run", async || match self.try_run(day).await {
            Ok(run) => Some(run),
            Err(status) if status.code() == tonic::Code::Aborted => None,
            Err(status) => panic!("no run: {status}"),
        })
        .await
    }

    pub(crate) async fn get(&self, name: &str) -> Run {
        let request = GetRunRequest { name: name.to_owned() };
        self.client.clone().get_run(request).await.expect("the run is there").into_inner()
    }

    pub(crate) async fn runs(&self) -> Vec<Run> {
        self.client.clone().list_runs(ListRunsRequest::default()).await.expect("a list").into_inner().runs
    }

    pub(crate) async fn discrepancies(&self) -> Vec<Discrepancy> {
        let request = ListDiscrepanciesRequest::default();
        self.client.clone().list_discrepancies(request).await.expect("a list").into_inner().discrepancies
    }

    /// A run as a file: its name, its bytes, and how long its pieces were.
    pub(crate) async fn export(&self, run: &str, format: Format) -> (String, Vec<u8>, Vec<usize>) {
        let request = ExportRunRequest { name: run.to_owned(), format: format.into() };
        let mut parts = self.client.clone().export_run(request).await.expect("a file").into_inner();
        let (mut name, mut bytes, mut pieces) = (String::new(), Vec::new(), Vec::new());
        while let Some(part) = parts.message().await.expect("the rest of the file") {
            assert_eq!(part.file_name.is_empty(), !pieces.is_empty(), "its name comes first and once");
            name.push_str(&part.file_name);
            pieces.push(part.chunk.len());
            bytes.extend(part.chunk);
        }
        (name, bytes, pieces)
    }

    /// Waits until `count` messages stand on a stream, and answers subject and body of all.
    pub(crate) async fn messages(&self, stream: &str, count: usize) -> Vec<(String, Value)> {
        self.until(&format!("{count} messages on {stream}"), async || {
            let mut stream = self.bus.jetstream().get_stream(stream).await.ok()?;
            let last = stream.info().await.ok()?.state.last_sequence;
            let mut found = Vec::new();
            for sequence in 1..=last {
                let message = stream.get_raw_message(sequence).await.ok()?;
                let body = serde_json::from_slice(&message.payload).unwrap_or(Value::Null);
                found.push((message.subject.to_string(), body));
            }
            (count <= found.len()).then_some(found)
        })
        .await
    }

    /// The days that are to be compared again soon.
    pub(crate) async fn days_to_look_at(&self) -> Vec<String> {
        let days = sqlx::query_scalar("SELECT bill_date::TEXT FROM days_to_look_at ORDER BY bill_date");
        days.fetch_all(&self.pool).await.expect("an answer")
    }

    /// A report page: status and text.
    pub(crate) async fn page(&self, path: &str) -> (u16, String) {
        get(&format!("http://{}{path}", self.addresses.report)).await
    }

    /// The headers of a report page.
    pub(crate) async fn page_headers(&self, path: &str) -> reqwest::header::HeaderMap {
        let client = reqwest::Client::builder().timeout(DEADLINE).build().expect("a client");
        let response = client.get(format!("http://{}{path}", self.addresses.report)).send().await.expect("an answer");
        response.headers().clone()
    }

    /// What the service shows, as Prometheus reads it.
    pub(crate) async fn metrics(&self) -> String {
        get(&format!("http://{}/metrics", self.addresses.admin)).await.1
    }

    /// The settings with which another process does the same work, without people.
    pub(crate) fn settings(&self) -> &[String] {
        &self.settings[1..]
    }

    /// Stops the service, and starts it again at the same time of the same clock, without people and with more settings.
    pub(crate) async fn again(mut self, more: &[&str]) -> Self {
        self.tasks.stop().cancel();
        std::mem::replace(&mut self.tasks, Tasks::new()).run().await.expect("a clean end");
        let settings = self.settings.iter().map(String::as_str).chain(more.iter().copied());
        let config = Config::parse_from(settings);
        self.addresses = app::start_on(self.clock.clone(), &config, &self.tasks).await.expect("the service starts");
        let url = format!("http://{}", self.addresses.grpc);
        self.client = ReconcileServiceClient::connect(url).await.expect("the service answers");
        self
    }

    /// The sum of a counter over all its series in this process.
    pub(crate) async fn counted_in_all(&self, counter: &str) -> usize {
        let text = self.metrics().await;
        let series = text.lines().filter(|line| line.starts_with(&format!("{counter}{{")));
        series.filter_map(|line| line.rsplit_once(' ')?.1.parse::<usize>().ok()).sum()
    }

    /// Waits until a counter has counted something.
    pub(crate) async fn counted(&self, counter: &str) {
        let url = format!("http://{}/metrics", self.addresses.admin);
        self.until(counter, async || {
            let (_, text) = get(&url).await;
            let value = text.lines().find_map(|line| line.strip_prefix(counter)?.trim().parse::<u64>().ok())?;
            (0 < value).then_some(())
        })
        .await;
    }

    /// Looks until there is something.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(Instant::now() < deadline, "never seen: {what}");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Stops the service; it must end well.
    pub(crate) async fn end(self) {
        self.tasks.stop().cancel();
        self.tasks.run().await.expect("a clean end");
        self.pool.close().await;
    }
}

async fn get(url: &str) -> (u16, String) {
    let client = reqwest::Client::builder().timeout(DEADLINE).build().expect("a client");
    let response = client.get(url).send().await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("text"))
}

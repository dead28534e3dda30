//! One order-svc with everything it needs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser as _;
use order_svc::app;
use order_svc::config::Config;
use proto::event::{Event, PaymentPaid};
use proto::gateway::v1::PrepayRequest;
use proto::order::v1::order_service_client::OrderServiceClient;
use proto::order::v1::*;
use proto::time::to_wire;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use svc_kit::bus::{Bus, Message, Publisher};
use svc_kit::clock::{Clock, Hand};
use svc_kit::metrics::Metrics;
use svc_kit::process::Tasks;
use tempfile::TempDir;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::gateway::{FakeGateway, MCH_ID, MERCHANT};
use crate::programs::{Nats, Postgres};

/// Everything is waited for at most this long: generous, because a loaded machine may be ten times slower than ours.
const DEADLINE: Duration = Duration::from_mins(2);
/// Pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A running service, the gateway it calls, and the bus.
pub(crate) struct World {
    pub(crate) gateway: FakeGateway,
    pub(crate) client: OrderServiceClient<Channel>,
    pub(crate) clock: Clock,
    pub(crate) hand: Hand,
    pub(crate) pool: PgPool,
    pub(crate) bus: Bus,
    config: Config,
    tasks: Vec<Tasks>,
    // Dropped in this order, after the service has no more use for them.
    _folder: TempDir,
    _nats: Nats,
    _postgres: Arc<Postgres>,
}

impl World {
    pub(crate) async fn start() -> Self {
        let mut nats = Nats::start();
        // Starting Postgres blocks; other tests go on meanwhile.
        let postgres = tokio::task::spawn_blocking(Postgres::shared).await.expect("Postgres starts");
        let database = postgres.database().await;
        let nats_url = nats.url().await;
        let gateway = FakeGateway::new();
        let gateway_url = gateway.serve().await;
        let folder = tempfile::tempdir().expect("a folder");
        let apps = folder.path().join("apps.toml");
        let entries = ["shop", "cafe"].map(|app| {
            let hash: String =
                Sha256::digest(token(app)).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
            format!("[[apps]]\nname = \"{app}\"\ntoken_sha256 = \"{hash}\"\n")
        });
        std::fs::write(&apps, entries.concat()).expect("the folder takes a file");
        let config = Config::parse_from([
            "order-svc",
            "--listen=127.0.0.1:0",
            "--admin-listen=127.0.0.1:0",
            &format!("--order-database-url={database}"),
            &format!("--gateway-url={gateway_url}"),
            &format!("--nats-url={nats_url}"),
            &format!("--apps-file={}", apps.display()),
            "--terminal-ip=203.0.113.9",
            "--merchants-every-s=1",
        ]);
        let (clock, hand) = Clock::adjustable();
        let tasks = Tasks::new();
        let addresses = app::start_on(Some(clock.clone()), &config, &tasks).await.expect("the service starts");
        let bus = svc_kit::bus::connect(&config.bus, "test", &Metrics::new()).await.expect("NATS answers");
        let client = OrderServiceClient::connect(format!("http://{}", addresses.grpc)).await.expect("it answers");
        let pool = PgPool::connect(&database).await.expect("Postgres answers");
        let tasks = vec![tasks];
        Self {
            gateway,
            client,
            clock,
            hand,
            pool,
            bus,
            config,
            tasks,
            _folder: folder,
            _nats: nats,
            _postgres: postgres,
        }
    }

    /// Starts another replica beside the first, and answers the way to it.
    pub(crate) async fn second(&mut self) -> OrderServiceClient<Channel> {
        let tasks = Tasks::new();
        let addresses = app::start_on(Some(self.clock.clone()), &self.config, &tasks).await;
        self.tasks.push(tasks);
        let address = addresses.expect("the second one starts").grpc;
        OrderServiceClient::connect(format!("http://{address}")).await.expect("it answers")
    }

    pub(crate) async fn create(&self, request: CreateOrderRequest) -> Result<Order, Status> {
        self.client.clone().create_order(of("shop", request)).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn pay(&self, request: PayOrderRequest) -> Result<PayOrderResponse, Status> {
        self.client.clone().pay_order(of("shop", request)).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn order(&self, name: &str) -> Order {
        let request = GetOrderRequest { name: name.to_owned(), refresh: false };
        self.client.clone().get_order(of("shop", request)).await.expect("the order is there").into_inner()
    }

    /// An order of 100 fen, as `change` has it.
    pub(crate) async fn ordered(&self, change: impl FnOnce(&mut CreateOrderRequest)) -> Order {
        let mut request = CreateOrderRequest {
            request_id: id(),
            order_no: id(),
            merchant: MERCHANT.to_owned(),
            amount_fen: 100,
            description: "茶".to_owned(),
            ..CreateOrderRequest::default()
        };
        change(&mut request);
        self.create(request).await.expect("an order")
    }

    /// The provider tells that the newest prepay was paid, as `change` has it.
    pub(crate) async fn paid(&self, change: impl FnOnce(&mut PaymentPaid)) {
        let mut fact = self.fact(self.gateway.prepays().pop().expect("something was sent"));
        change(&mut fact);
        self.publish(&fact).await;
    }

    /// What the provider tells of a prepay that was paid.
    pub(crate) fn fact(&self, sent: PrepayRequest) -> PaymentPaid {
        PaymentPaid {
            merchant: sent.merchant,
            provider: "wechat-v2".to_owned(),
            out_trade_no: sent.out_trade_no,
            transaction_id: format!("42{}", Uuid::new_v4().simple()),
            amount_fen: sent.amount_fen,
            payer_amount_fen: sent.amount_fen,
            currency: "CNY".to_owned(),
            mch_id: sent.mch_id,
            app_id: sent.app_id,
            paid_time: Some(to_wire(self.clock.now())),
            sub_mch_id: sent.sub_mch_id,
            ..PaymentPaid::default()
        }
    }

    pub(crate) async fn publish<E: Event>(&self, event: &E) {
        let message = Message::from_event(event, "test").expect("a message");
        Publisher::new(&self.bus).publish(&message).await.expect("the stream takes it");
    }

    /// Publishes several by one atomic batch, when they are enough for one.
    pub(crate) async fn publish_together<E: Event>(&self, events: &[E]) {
        let messages: Vec<_> =
            events.iter().map(|event| Message::from_event(event, "test").expect("a message")).collect();
        for verdict in Publisher::new(&self.bus).publish_batch(&messages).await {
            verdict.expect("the stream takes it");
        }
    }

    pub(crate) async fn order_becomes(&self, name: &str, state: order::State) -> Order {
        self.until(&format!("{name} {state:?}"), async || {
            let order = self.order(name).await;
            (order.state() == state).then_some(order)
        })
        .await
    }

    /// Waits for one message of that subject on a stream, and answers its body.
    pub(crate) async fn message(&self, stream: &str, subject: &str) -> Value {
        self.until(subject, async || {
            let stream = self.bus.jetstream().get_stream(stream).await.ok()?;
            let message = stream.get_last_raw_message_by_subject(subject).await.ok()?;
            Some(serde_json::from_slice(&message.payload).expect("JSON"))
        })
        .await
    }

    /// Every message of that subject on a stream, oldest first: bodies.
    pub(crate) async fn messages(&self, stream: &str, subject: &str) -> Vec<Value> {
        let mut stream = self.bus.jetstream().get_stream(stream).await.expect("the stream is there");
        let last = stream.info().await.expect("it tells").state.last_sequence;
        let mut bodies = Vec::new();
        for place in 1..=last {
            let message = stream.get_raw_message(place).await.expect("nothing is forgotten");
            if message.subject.as_str() == subject {
                bodies.push(serde_json::from_slice(&message.payload).expect("JSON"));
            }
        }
        bodies
    }

    /// Changes the database by hand, as a later release or an unlucky day would have left it.
    pub(crate) async fn change(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.pool).await.expect("it can be changed");
    }

    /// One number out of the database.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.expect("a number")
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
        self.gateway.hold(false);
        for tasks in &self.tasks {
            tasks.stop().cancel();
        }
        for tasks in self.tasks {
            tasks.run().await.expect("a clean end");
        }
        self.pool.close().await;
    }
}

/// A `PayOrder` of that order.
pub(crate) fn pay_order(order: &Order, method: pay_order_request::Method) -> PayOrderRequest {
    PayOrderRequest {
        request_id: id(),
        name: order.name.clone(),
        payer_ip: "203.0.113.7".to_owned(),
        method: Some(method),
    }
}

/// A scan of that product by one payer.
pub(crate) fn scan_of(product: &ProductCode, nonce_str: &str) -> NativeScan {
    NativeScan {
        merchant: MERCHANT.to_owned(),
        provider: "wechat-v2".to_owned(),
        mch_id: MCH_ID.to_owned(),
        app_id: product.app_id.clone(),
        openid: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".to_owned(),
        product_id: product.product_id.clone(),
        nonce_str: nonce_str.to_owned(),
    }
}

/// The call of a team.
pub(crate) fn of<T>(app: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer: MetadataValue<_> = format!("Bearer {}", token(app)).parse().expect("ASCII");
    request.metadata_mut().insert("authorization", bearer);
    request
}

fn token(app: &str) -> String {
    format!("token-of-{app}")
}

pub(crate) fn id() -> String {
    Uuid::new_v4().to_string()
}

/// The wrong fields of a refused request.
pub(crate) fn wrong_fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let status = answer.expect_err("it is refused");
    let told = status.get_details_bad_request().unwrap_or_else(|| panic!("not about fields: {status}"));
    told.field_violations.into_iter().map(|violation| violation.field).collect()
}

/// The reason of a refusal.
pub(crate) fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    svc_kit::refusal::reason_of(&answer.expect_err("it is refused")).unwrap_or_default()
}

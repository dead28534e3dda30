//! pay-gateway in this process, in front of whatever plays WeChat.

use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use clap::Parser as _;
use jiff::{SignedDuration, Timestamp};
use pay_gateway::{App, Config};
use proto::{
    gateway::v1::{
        self, PaymentMethod, payment_gateway_client::PaymentGatewayClient, wechat_tools_client::WechatToolsClient,
    },
    order::v1::{H5, H5Page, h5::Scene},
};
use svc_kit::{
    clock::{Clock, Hand},
    grpc::channel,
    process::Tasks,
};
use tempfile::TempDir;
use tonic::transport::Channel;
use url::Url;
use wechat_pay::{
    time::{bill_date, day_start},
    v2::SignType,
};

use crate::fake::{Fake, Received, Reply, signed, text};

pub(crate) const MERCHANT: &str = "acme-mini";
pub(crate) const MCH_ID: &str = "1900000109";
/// A mini program with a secret.
pub(crate) const APP_ID: &str = "wxd930ea5d5a258f4f";
/// A mini program without a secret.
pub(crate) const NO_SECRET: &str = "wx0000000000000002";
/// An official account.
pub(crate) const OFFICIAL: &str = "wx0000000000000003";
/// A native app.
pub(crate) const NATIVE: &str = "wx0000000000000004";
pub(crate) const KEY: &str = "0123456789abcdefghijklmnopqrstuv";
pub(crate) const OLD_KEY: &str = "vutsrqponmlkjihgfedcba9876543210";
pub(crate) const SECRET: &str = "5ec2e75ec2e75ec2e75ec2e75ec2e7aa";
/// A payer under any app.
pub(crate) const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
pub(crate) const NUMBER: &str = "0198a5f0c1d27abc8def0123456789ab";
/// A refund's number.
pub(crate) const REFUND: &str = "0198a5f0c1d27abc8def0123456789cd";
/// WeChat's number of the payment that is refunded.
pub(crate) const TRANSACTION: &str = "4200002026112100000000000001";
pub(crate) const SIGN_TYPE: SignType = SignType::HmacSha256;

/// Longest that a test waits for anything.
const GENEROUS: Duration = Duration::from_mins(1);

/// The gateway and what a test holds of it. Everything ends when it is dropped.
pub(crate) struct Gateway {
    pub(crate) client: PaymentGatewayClient<Channel>,
    pub(crate) tools: WechatToolsClient<Channel>,
    pub(crate) channel: Channel,
    pub(crate) admin: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) hand: Hand,
    /// What it takes for the real time.
    pub(crate) real: Clock,
    pub(crate) tasks: Tasks,
    pub(crate) merchants: TempDir,
}

impl Gateway {
    /// In front of a fake.
    pub(crate) async fn before(fake: &Fake) -> Gateway {
        Gateway::at(&fake.url, &[]).await
    }

    /// In front of whoever answers at `url`, with more settings.
    pub(crate) async fn at(url: &Url, settings: &[&str]) -> Gateway {
        Gateway::of(merchants(), url, settings).await
    }

    /// Of these merchants.
    pub(crate) async fn of(merchants: TempDir, url: &Url, settings: &[&str]) -> Gateway {
        Gateway::at_real_time(merchants, url, settings, Clock::system()).await
    }

    /// Of these merchants, with this for the real time.
    pub(crate) async fn at_real_time(merchants: TempDir, url: &Url, settings: &[&str], real: Clock) -> Gateway {
        let config = config(merchants.path(), url, settings);
        let (tasks, (clock, hand)) = (Tasks::new(), at_noon());
        logs();
        let app = App::start_at(&config, clock.clone(), real.clone(), &tasks).await.expect("the gateway starts");
        let channel = channel(&format!("http://{}", app.grpc)).expect("an address");
        let (client, tools) = (PaymentGatewayClient::new(channel.clone()), WechatToolsClient::new(channel.clone()));
        Gateway { client, tools, channel, admin: app.admin, clock, hand, real, tasks, merchants }
    }

    /// A prepay that WeChat would take.
    pub(crate) fn prepay(&self) -> v1::PrepayRequest {
        v1::PrepayRequest {
            merchant: MERCHANT.into(),
            mch_id: MCH_ID.into(),
            app_id: APP_ID.into(),
            out_trade_no: NUMBER.into(),
            amount_fen: 4599,
            description: "通宝小店-苹果 & 梨".into(),
            expire_time: Some(proto::time::to_wire(self.ahead(SignedDuration::from_mins(30)))),
            payer_ip: "203.0.113.7".into(),
            openid: OPENID.into(),
            method: PaymentMethod::MiniProgram.into(),
            ..Default::default()
        }
    }

    /// A prepay that WeChat would take, paid by QR code, app or browser: nobody knows yet who pays.
    pub(crate) fn prepay_by(&self, method: PaymentMethod) -> v1::PrepayRequest {
        let request = v1::PrepayRequest { method: method.into(), openid: String::new(), ..self.prepay() };
        match method {
            PaymentMethod::Native => v1::PrepayRequest { product_id: "tea-1".into(), ..request },
            PaymentMethod::App => v1::PrepayRequest { app_id: NATIVE.into(), ..request },
            PaymentMethod::H5 => {
                let page = H5Page { url: "https://shop.example/buy?a=1".into(), name: "小店".into() };
                let redirect_url = "https://shop.example/done?order=1".into();
                let h5 = H5 { scene: Some(Scene::Page(page)), redirect_url, ..Default::default() };
                v1::PrepayRequest { h5: Some(h5), ..request }
            }
            other => panic!("{other:?} knows its payer"),
        }
    }

    /// What became of a prepay.
    pub(crate) async fn prepaid(&self, request: v1::PrepayRequest) -> v1::prepay_response::Outcome {
        let response = self.client.clone().prepay(request).await.expect("an outcome");
        response.into_inner().outcome.expect("an outcome is set")
    }

    /// A prepay that WeChat took.
    pub(crate) async fn accepted(&self, request: v1::PrepayRequest) -> v1::Prepaid {
        match self.prepaid(request).await {
            v1::prepay_response::Outcome::Done(done) => done,
            other => panic!("it is accepted: {other:?}"),
        }
    }

    pub(crate) fn ahead(&self, by: SignedDuration) -> Timestamp {
        self.clock.now() + by
    }

    /// Queries the usual attempt.
    pub(crate) async fn query(&self) -> v1::query_payment_response::Outcome {
        let response = self.client.clone().query_payment(query()).await.expect("an outcome");
        response.into_inner().outcome.expect("an outcome is set")
    }

    /// Queries the usual attempt, about which nothing can be said.
    pub(crate) async fn unknown(&self) -> v1::Unknown {
        match self.query().await {
            v1::query_payment_response::Outcome::Unknown(unknown) => unknown,
            other => panic!("unknown was expected: {other:?}"),
        }
    }

    /// Asks for the usual refund.
    pub(crate) async fn refund(&self) -> v1::create_refund_response::Outcome {
        let response = self.client.clone().create_refund(refund()).await.expect("an outcome");
        response.into_inner().outcome.expect("an outcome is set")
    }

    /// Queries the usual refund.
    pub(crate) async fn query_refund(&self) -> v1::query_refund_response::Outcome {
        let response = self.client.clone().query_refund(refund_query()).await.expect("an outcome");
        response.into_inner().outcome.expect("an outcome is set")
    }

    /// A page of the admin port: status and body.
    pub(crate) async fn page(&self, path: &str) -> (u16, String) {
        let client =
            reqwest::Client::builder().no_proxy().timeout(GENEROUS).tls_certs_only([]).build().expect("a client");
        let response = client.get(format!("http://{}{path}", self.admin)).send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a body"))
    }

    /// Waits until the list of merchants is as it should be.
    pub(crate) async fn lists(&self, right: impl Fn(&[v1::Merchant]) -> bool) {
        let mut client = self.client.clone();
        let listed = async {
            loop {
                let answer = client.list_merchants(v1::ListMerchantsRequest {}).await.expect("a list").into_inner();
                if right(&answer.merchants) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(GENEROUS, listed).await.expect("the list becomes right");
    }

    /// Waits until the metrics hold this line.
    pub(crate) async fn measures(&self, line: &str) {
        let measured = async {
            while !self.page("/metrics").await.1.lines().any(|found| found == line) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(GENEROUS, measured).await.unwrap_or_else(|_| panic!("never measured: {line}"));
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.tasks.stop().cancel();
    }
}

/// A clock that tells noon in Beijing, so that no day ends while a test runs.
fn at_noon() -> (Clock, Hand) {
    let (clock, hand) = Clock::adjustable();
    let tomorrow = bill_date(clock.now()).tomorrow().expect("inside the calendar");
    let noon = day_start(tomorrow).expect("inside the calendar") + SignedDuration::from_hours(12);
    hand.advance(noon.duration_since(clock.now()).unsigned_abs());
    (clock, hand)
}

/// What this test process has logged, from the first gateway on, down to debug lines of every crate.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Everything so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic while it was held")).into_owned()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic while it was held").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of this test process. One for all tests: a log of a single test would miss lines whose place in the code another
/// thread came to first.
pub(crate) fn logs() -> &'static Lines {
    static LINES: OnceLock<Lines> = OnceLock::new();
    LINES.get_or_init(|| {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        lines
    })
}

/// A directory with the usual merchant.
pub(crate) fn merchants() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let app = |app_id, kind, more| format!("[[apps]]\napp_id = \"{app_id}\"\nkind = \"{kind}\"\n{more}\n");
    let apps = [
        app(APP_ID, "mini-program", "app_secret_file = \"acme-mini.secret\""),
        app(NO_SECRET, "mini-program", ""),
        app(OFFICIAL, "official-account", ""),
        app(NATIVE, "app", ""),
    ]
    .concat();
    let file = format!(
        "provider = \"wechat-v2\"\nmch_id = \"{MCH_ID}\"\nsign_type = \"HMAC-SHA256\"\n\
         notify_base_url = \"https://pay.example.com\"\napi_key_file = \"acme-mini.key\"\n\
         previous_api_key_file = \"acme-mini.old.key\"\n{apps}"
    );
    for (name, text) in [
        ("acme-mini.toml", file.as_str()),
        ("acme-mini.key", KEY),
        ("acme-mini.old.key", OLD_KEY),
        ("acme-mini.secret", SECRET),
    ] {
        std::fs::write(dir.path().join(name), text).expect("the directory takes a file");
    }
    dir
}

/// Gives the usual merchant a client certificate.
pub(crate) fn add_certificate(dir: &Path, certificate: &str, key: &str) {
    let file = dir.join("acme-mini.toml");
    let text = std::fs::read_to_string(&file).expect("the file is there");
    let named = "client_cert_file = \"acme-mini.cert.pem\"\nclient_key_file = \"acme-mini.cert-key.pem\"\n";
    for (name, text) in [
        ("acme-mini.toml", format!("{named}{text}").as_str()),
        ("acme-mini.cert.pem", certificate),
        ("acme-mini.cert-key.pem", key),
    ] {
        std::fs::write(dir.join(name), text).expect("the directory takes a file");
    }
}

/// A directory with the usual merchant, which has a client certificate and so can refund.
pub(crate) fn refunding() -> TempDir {
    let dir = merchants();
    let made = rcgen::generate_simple_self_signed(vec![MCH_ID.to_owned()]).expect("a certificate");
    add_certificate(dir.path(), &made.cert.pem(), &made.signing_key.serialize_pem());
    dir
}

/// Settings with free ports and both hosts at `url`. A call may take a minute unless `settings` say otherwise: only tests of
/// lateness want to be late.
pub(crate) fn config(merchants: &Path, url: &Url, settings: &[&str]) -> Config {
    let mut arguments = vec!["pay-gateway", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let merchants = merchants.to_str().expect("a UTF-8 path");
    arguments.extend([
        "--merchants-dir",
        merchants,
        "--wechat-v2-url",
        url.as_str(),
        "--wechat-login-url",
        url.as_str(),
    ]);
    arguments.extend(settings);
    let mut config = Config::try_parse_from(arguments).expect("settings");
    if !settings.contains(&"--provider-timeout-ms") {
        // More than can be set, since nothing here has to end within the time of a stop.
        (config.provider_timeout_ms, config.provider_connect_timeout_ms) = (60_000, 60_000);
    }
    config
}

/// A query of the usual attempt.
pub(crate) fn query() -> v1::QueryPaymentRequest {
    v1::QueryPaymentRequest {
        merchant: MERCHANT.into(),
        mch_id: MCH_ID.into(),
        app_id: APP_ID.into(),
        out_trade_no: NUMBER.into(),
        ..Default::default()
    }
}

/// A refund of a part of the usual payment.
pub(crate) fn refund() -> v1::CreateRefundRequest {
    v1::CreateRefundRequest {
        merchant: MERCHANT.into(),
        mch_id: MCH_ID.into(),
        app_id: APP_ID.into(),
        transaction_id: TRANSACTION.into(),
        out_refund_no: REFUND.into(),
        total_fen: 4599,
        amount_fen: 1500,
        reason: "尺码 & 颜色".into(),
        ..Default::default()
    }
}

/// A query of the usual refund.
pub(crate) fn refund_query() -> v1::QueryRefundRequest {
    v1::QueryRefundRequest {
        merchant: MERCHANT.into(),
        mch_id: MCH_ID.into(),
        app_id: APP_ID.into(),
        out_refund_no: REFUND.into(),
        ..Default::default()
    }
}

/// What every genuine answer begins with, and more.
pub(crate) fn answered<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("return_code", "SUCCESS"), ("appid", APP_ID), ("mch_id", MCH_ID), ("nonce_str", "n0nce")];
    fields.extend(more);
    fields
}

/// A genuine success with these fields.
pub(crate) fn success(more: &[(&str, &str)]) -> Reply {
    let mut fields = answered(&[("result_code", "SUCCESS")]);
    fields.extend(more);
    Reply::ok(text(&signed(&fields, KEY, SIGN_TYPE)))
}

/// A genuine refusal with this code.
pub(crate) fn refusal(code: &str, words: &str) -> Reply {
    let fields = answered(&[("result_code", "FAIL"), ("err_code", code), ("err_code_des", words)]);
    Reply::ok(text(&signed(&fields, KEY, SIGN_TYPE)))
}

/// A genuine answer to a prepay.
pub(crate) fn prepaid() -> Reply {
    success(&[("trade_type", "JSAPI"), ("prepay_id", "wx2017033010242291fcfe0db70013231072")])
}

/// What a genuine answer to the usual refund says.
pub(crate) const ACCEPTED: [(&str, &str); 9] = [
    ("transaction_id", TRANSACTION),
    ("out_trade_no", NUMBER),
    ("out_refund_no", REFUND),
    ("refund_id", "50300002026112100000000000001"),
    ("refund_channel", ""),
    ("refund_fee", "1500"),
    ("total_fee", "4599"),
    ("cash_fee", "4599"),
    ("cash_refund_fee", "1500"),
];

/// A genuine answer to a query: not paid.
pub(crate) fn not_paid() -> Reply {
    success(&[("out_trade_no", NUMBER), ("trade_state", "NOTPAY")])
}

/// Whether the request is signed with the merchant's key.
pub(crate) fn is_signed(received: &Received) -> bool {
    let key = wechat_pay::v2::ApiKey::parse(KEY).expect("a key");
    wechat_pay::v2::sign::verify(&received.fields, &key, SIGN_TYPE).is_ok()
}

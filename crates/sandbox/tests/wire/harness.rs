//! A sandbox with two merchants, a client that signs, and a merchant's server that answers callbacks as told.

use std::{
    collections::VecDeque,
    fs,
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use jiff::Timestamp;
use reqwest::{Certificate, Client, Identity, Response};
use sandbox::{
    app::{Running, Sandbox, Settings},
    control::{
        ActiveFault, Advance, Balance, Callback, CallbackKind, ClockState, FaultRule, Faults, Ledger, LoginCode,
        NewLoginCode, Paid, Pay, PlatformRefund, Refund, RefundState, Settle, SettleDelay,
    },
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use wechat_pay::v2::{
    ApiKey, Fields, SignType,
    sign::{SIGN, sign},
    xml,
};

use crate::authority::{Authority, Issued};

/// Longer than any machine needs.
const DEADLINE: Duration = Duration::from_mins(2);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A merchant account as a client sees it.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    pub(crate) mch_id: &'static str,
    pub(crate) app_id: &'static str,
    pub(crate) app_secret: &'static str,
    pub(crate) sign_type: SignType,
    pub(crate) key: &'static str,
}

pub(crate) const ACME: Account = Account {
    name: "acme-mini",
    mch_id: "1900000109",
    app_id: "wx0000000000000acm",
    app_secret: "acmesecret0000000000000000000000",
    sign_type: SignType::HmacSha256,
    key: "acmekey0000000000000000000000001",
};

pub(crate) const TEA: Account = Account {
    name: "tea-house",
    mch_id: "1900000110",
    app_id: "wx0000000000000tea",
    app_secret: "teasecret00000000000000000000000",
    sign_type: SignType::Md5,
    key: "teakey00000000000000000000000002",
};

/// A native app of [`ACME`], without a secret.
pub(crate) const ACME_NATIVE_APP: &str = "wx0000000000000app";

impl Account {
    pub(crate) fn api_key(&self) -> ApiKey {
        ApiKey::parse(self.key).unwrap()
    }

    /// Identity and nonce, then these fields, then sign type and signature.
    pub(crate) fn signed(&self, fields: &[(&str, &str)]) -> Fields {
        let mut all: Fields =
            [("appid", self.app_id), ("mch_id", self.mch_id), ("nonce_str", "5K8264ILTKCH16CQ")].into_iter().collect();
        if self.sign_type == SignType::HmacSha256 {
            all.insert("sign_type", self.sign_type.as_str());
        }
        for (name, value) in fields {
            all.insert(*name, *value);
        }
        self.sign(&mut all);
        all
    }

    pub(crate) fn sign(&self, fields: &mut Fields) {
        let signature = sign(fields, &self.api_key(), self.sign_type);
        fields.insert(SIGN, signature);
    }

    /// A complete unifiedorder of one yuan by a mini program.
    pub(crate) fn order(&self, out_trade_no: &str, changes: &[(&str, &str)]) -> Fields {
        let mut fields = vec![
            ("body", "通宝-苹果"),
            ("out_trade_no", out_trade_no),
            ("total_fee", "100"),
            ("spbill_create_ip", "203.0.113.7"),
            ("notify_url", "https://pay.example.com/notify/wechat-v2/acme-mini/payment"),
            ("trade_type", "JSAPI"),
            ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
        ];
        fields.extend_from_slice(changes);
        self.signed(&fields)
    }
}

/// One running sandbox and clients for it.
pub(crate) struct Bench {
    pub(crate) http: Client,
    pub(crate) url: String,
    pub(crate) tls_url: String,
    /// Issues the certificates that the sandbox believes.
    pub(crate) authority: Authority,
    /// Clients that show the certificates of [`ACME`] and [`TEA`].
    https: [Client; 2],
    /// Stops the sandbox when the test ends.
    _running: Running,
    _folders: [TempDir; 2],
}

impl Bench {
    pub(crate) async fn start() -> Bench {
        Bench::with_callback_timeout(DEADLINE).await
    }

    /// Callbacks get this long to be answered; otherwise longer than any machine needs.
    pub(crate) async fn with_callback_timeout(timeout: Duration) -> Bench {
        let callback_timeout_ms = u64::try_from(timeout.as_millis()).unwrap();
        Bench::with(|settings| settings.callback_timeout_ms = callback_timeout_ms).await
    }

    /// With other settings than usual.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Bench {
        let (merchants, authority) = (merchants(), Authority::new("Sandbox of a test").unwrap());
        let tls = tempfile::tempdir().unwrap();
        let host = authority.issue_for_host().unwrap();
        for (name, text) in
            [("ca.pem", authority.certificate()), ("server.pem", host.certificate), ("server.key", host.key)]
        {
            fs::write(tls.path().join(name), text).unwrap();
        }
        let mut settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            tls_listen: "127.0.0.1:0".parse().unwrap(),
            tls_dir: Some(tls.path().to_owned()),
            merchants_dir: merchants.path().to_owned(),
            notify_url: None,
            callback_timeout_ms: u64::try_from(DEADLINE.as_millis()).unwrap(),
        };
        change(&mut settings);
        let running = Sandbox::start(settings).await.unwrap();
        let url = format!("http://{}", running.addr);
        let tls_url = running.tls_addr.map(|addr| format!("https://{addr}")).unwrap_or_default();
        let https =
            [ACME, TEA].map(|account| client(&authority, Some(authority.issue_for_merchant(account.mch_id).unwrap())));
        let http = client(&authority, None);
        Bench { http, url, tls_url, authority, https, _running: running, _folders: [merchants, tls] }
    }

    /// A client that shows the certificate of this account.
    pub(crate) fn https(&self, account: &Account) -> &Client {
        &self.https[usize::from(account.name == TEA.name)]
    }

    /// Posts a message and reads the answer's fields.
    pub(crate) async fn post(&self, path: &str, fields: &Fields) -> Fields {
        let response = self.send(path, xml::write("xml", fields).into_bytes()).await.unwrap();
        assert_eq!(response.status(), 200);
        xml::parse("xml", &response.bytes().await.unwrap()).unwrap()
    }

    pub(crate) async fn send(&self, path: &str, body: Vec<u8>) -> reqwest::Result<Response> {
        self.http.post(format!("{}{path}", self.url)).body(body).send().await
    }

    /// Places an order that must succeed.
    pub(crate) async fn place(&self, account: &Account, out_trade_no: &str, changes: &[(&str, &str)]) -> Fields {
        let answer = self.post("/pay/unifiedorder", &account.order(out_trade_no, changes)).await;
        assert_eq!(outcome(&answer), "SUCCESS", "{:?}", answer.text("err_code_des"));
        answer
    }

    /// Places an order of this many fen and pays it.
    pub(crate) async fn sell(&self, account: &Account, out_trade_no: &str, fen: i64) -> Paid {
        self.place(account, out_trade_no, &[("total_fee", &fen.to_string())]).await;
        self.pay(out_trade_no, &Pay { merchant: Some(account.name.into()), ..Pay::default() }).await
    }

    /// Asks for a refund, with the certificate of the account that signs.
    pub(crate) async fn refund(&self, account: &Account, fields: &[(&str, &str)]) -> Fields {
        let response = self.send_refund(self.https(account), &account.signed(fields)).await.unwrap();
        assert_eq!(response.status(), 200);
        xml::parse("xml", &response.bytes().await.unwrap()).unwrap()
    }

    pub(crate) async fn send_refund(&self, client: &Client, fields: &Fields) -> reqwest::Result<Response> {
        client.post(format!("{}{REFUND}", self.tls_url)).body(xml::write("xml", fields)).send().await
    }

    /// Asks for a refund of an order of [`ACME`], which must be accepted.
    pub(crate) async fn refunded(&self, number: &str, out_refund_no: &str, total: i64, part: i64) -> Fields {
        let (total, part) = (total.to_string(), part.to_string());
        let fields = [
            ("out_trade_no", number),
            ("out_refund_no", out_refund_no),
            ("total_fee", &*total),
            ("refund_fee", &*part),
        ];
        let answer = self.refund(&ACME, &fields).await;
        assert_eq!(outcome(&answer), "SUCCESS", "{:?}", answer.text("err_code_des"));
        answer
    }

    /// A person refunds so many fen in the merchant platform.
    pub(crate) async fn refunded_at_platform(&self, out_trade_no: &str, amount_fen: i64) -> Refund {
        let command = PlatformRefund { amount_fen: Some(amount_fen), ..PlatformRefund::default() };
        let url = format!("{}/_sandbox/payments/{out_trade_no}/refund", self.url);
        self.http.post(url).json(&command).send().await.unwrap().json().await.unwrap()
    }

    /// Decides what becomes of a refund, which must be possible.
    pub(crate) async fn settle(&self, out_refund_no: &str, state: RefundState) -> Refund {
        let response = self.try_settle(out_refund_no, state).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        response.json().await.unwrap()
    }

    pub(crate) async fn try_settle(&self, out_refund_no: &str, state: RefundState) -> Response {
        let url = format!("{}/_sandbox/refunds/{out_refund_no}/settle", self.url);
        self.http.post(url).json(&Settle { state, merchant: None }).send().await.unwrap()
    }

    pub(crate) async fn settle_delay(&self, delay: Option<Duration>) {
        let delay_ms = delay.map(|delay| u64::try_from(delay.as_millis()).unwrap());
        let url = format!("{}/_sandbox/settle_delay", self.url);
        assert_eq!(self.http.post(url).json(&SettleDelay { delay_ms }).send().await.unwrap().status(), 200);
    }

    pub(crate) async fn set_balance(&self, account: &Account, fen: Option<i64>) {
        let url = format!("{}/_sandbox/merchants/{}/balance", self.url, account.name);
        assert_eq!(self.http.post(url).json(&Balance { fen }).send().await.unwrap().status(), 200);
    }

    pub(crate) async fn balance(&self, account: &Account) -> Option<i64> {
        let url = format!("{}/_sandbox/merchants/{}/balance", self.url, account.name);
        self.http.get(url).send().await.unwrap().json::<Balance>().await.unwrap().fen
    }

    /// What the ledger knows of a refund.
    pub(crate) async fn known_refund(&self, out_refund_no: &str) -> Option<Refund> {
        let orders = self.ledger().await.orders;
        orders.into_iter().flat_map(|order| order.refunds).find(|refund| refund.out_refund_no == out_refund_no)
    }

    /// The callback about a state of a refund, once it is as wanted.
    pub(crate) async fn refund_callback(
        &self,
        number: &str,
        reached: RefundState,
        is_wanted: impl Fn(&Callback) -> bool,
    ) -> Callback {
        until("the callback about the refund is as wanted", || async {
            self.ledger().await.callbacks.into_iter().find(|callback| {
                let about = CallbackKind::Refund { out_refund_no: number.to_owned(), state: reached };
                callback.kind == about && is_wanted(callback)
            })
        })
        .await
    }

    pub(crate) async fn trade_state(&self, account: &Account, out_trade_no: &str) -> String {
        let answer = self.post("/pay/orderquery", &account.signed(&[("out_trade_no", out_trade_no)])).await;
        answer.text("trade_state").unwrap_or_else(|| answer.text("err_code").unwrap()).to_owned()
    }

    pub(crate) async fn close(&self, account: &Account, out_trade_no: &str) -> String {
        outcome(&self.post("/pay/closeorder", &account.signed(&[("out_trade_no", out_trade_no)])).await)
    }

    /// Lets the user pay, which must succeed.
    pub(crate) async fn pay(&self, out_trade_no: &str, pay: &Pay) -> Paid {
        let response = self.try_pay(out_trade_no, pay).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        response.json().await.unwrap()
    }

    pub(crate) async fn try_pay(&self, out_trade_no: &str, pay: &Pay) -> Response {
        let url = format!("{}/_sandbox/payments/{out_trade_no}/pay", self.url);
        self.http.post(url).json(pay).send().await.unwrap()
    }

    pub(crate) async fn ledger(&self) -> Ledger {
        self.http.get(format!("{}/_sandbox/ledger", self.url)).send().await.unwrap().json().await.unwrap()
    }

    /// The callback once it is as wanted.
    pub(crate) async fn callback(&self, id: u64, is_wanted: impl Fn(&Callback) -> bool) -> Callback {
        until("the callback is as wanted", || async {
            self.ledger().await.callbacks.into_iter().find(|callback| callback.id == id && is_wanted(callback))
        })
        .await
    }

    pub(crate) async fn clock(&self) -> ClockState {
        self.http.get(format!("{}/_sandbox/clock", self.url)).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn advance(&self, by: Duration) -> ClockState {
        let command = Advance { advance_ms: u64::try_from(by.as_millis()).unwrap() };
        let url = format!("{}/_sandbox/clock", self.url);
        self.http.post(url).json(&command).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn advance_to(&self, instant: Timestamp) {
        let now = self.clock().await.now;
        self.advance(instant.duration_since(now).try_into().expect("time only goes forward")).await;
    }

    pub(crate) async fn login_code(&self, app_id: &str, openid: Option<&str>) -> LoginCode {
        let command = NewLoginCode { app_id: app_id.to_owned(), openid: openid.map(str::to_owned) };
        let url = format!("{}/_sandbox/login_codes", self.url);
        self.http.post(url).json(&command).send().await.unwrap().json().await.unwrap()
    }

    /// Adds a fault, written as its documentation writes it.
    pub(crate) async fn fault(&self, rule: Value) -> ActiveFault {
        let rule: FaultRule = serde_json::from_value(rule).unwrap();
        let response = self.http.post(format!("{}/_sandbox/faults", self.url)).json(&rule).send().await.unwrap();
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        response.json().await.unwrap()
    }

    pub(crate) async fn hits(&self, fault: &ActiveFault) -> u32 {
        let faults: Faults =
            self.http.get(format!("{}/_sandbox/faults", self.url)).send().await.unwrap().json().await.unwrap();
        faults.faults.iter().find(|active| active.id == fault.id).unwrap().hits
    }
}

/// The call for which the certificate counts.
pub(crate) const REFUND: &str = "/secapi/pay/refund";

/// A client that trusts this authority alone and shows this certificate. A connection of its own for each call: some
/// calls end theirs.
pub(crate) fn client(trusted: &Authority, shown: Option<Issued>) -> Client {
    let builder = Client::builder()
        .timeout(DEADLINE)
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([Certificate::from_pem(trusted.certificate().as_bytes()).unwrap()])
        .no_proxy();
    let identity =
        shown.map(|Issued { certificate, key }| Identity::from_pem((certificate + &key).as_bytes()).unwrap());
    let builder = match identity {
        Some(identity) => builder.identity(identity),
        None => builder,
    };
    builder.build().unwrap()
}

/// `SUCCESS`, the error code, or the sentence of an unsigned failure.
pub(crate) fn outcome(answer: &Fields) -> String {
    let word = match (answer.text("return_code"), answer.text("result_code")) {
        (Some("SUCCESS"), Some("SUCCESS")) => "SUCCESS",
        (Some("SUCCESS"), _) => answer.text("err_code").unwrap(),
        _ => answer.text("return_msg").unwrap(),
    };
    word.to_owned()
}

/// Looks until there is something, or fails loudly.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "waited in vain until {what}");
        tokio::time::sleep(LOOK).await;
    }
}

/// A merchant's server. It answers callbacks as scripted, and with success when the script is over.
pub(crate) struct Receiver {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Answer>>,
    always: Option<Answer>,
    received: Mutex<Vec<Fields>>,
}

/// How a callback is answered.
#[derive(Clone)]
pub(crate) enum Answer {
    With(StatusCode, &'static str),
    /// Not at all.
    Never,
}

pub(crate) const SUCCESS: &str = "<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>";
pub(crate) const FAIL: &str = "<xml><return_code><![CDATA[FAIL]]></return_code></xml>";

impl Receiver {
    pub(crate) async fn start(script: &[Answer]) -> Receiver {
        Receiver::with(Shared { script: Mutex::new(script.iter().cloned().collect()), ..Shared::default() }).await
    }

    /// Gives every callback the same answer.
    pub(crate) async fn always(answer: Answer) -> Receiver {
        Receiver::with(Shared { always: Some(answer), ..Shared::default() }).await
    }

    async fn with(shared: Shared) -> Receiver {
        let shared = Arc::new(shared);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notify/wechat-v2/acme-mini/payment", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/notify/wechat-v2/{merchant}/payment", post(receive))
            .route("/notify/wechat-v2/{merchant}/refund", post(receive))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Receiver { url, shared }
    }

    /// Where refunds are told.
    pub(crate) fn refund_url(&self) -> String {
        self.url.replace("/payment", "/refund")
    }

    /// Every message so far, in order of arrival.
    pub(crate) fn received(&self) -> Vec<Fields> {
        self.shared.received.lock().unwrap().clone()
    }
}

async fn receive(State(shared): State<Arc<Shared>>, body: Bytes) -> (StatusCode, &'static str) {
    shared.received.lock().unwrap().push(xml::parse("xml", &body).unwrap());
    let scripted = shared.script.lock().unwrap().pop_front().or_else(|| shared.always.clone());
    match scripted {
        None => (StatusCode::OK, SUCCESS),
        Some(Answer::With(status, body)) => (status, body),
        Some(Answer::Never) => std::future::pending().await,
    }
}

/// A directory with the files of [`ACME`] and [`TEA`].
pub(crate) fn merchants() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for account in [ACME, TEA] {
        let Account { name, mch_id, app_id, app_secret, sign_type, key } = account;
        let more = if name == ACME.name {
            format!("[[apps]]\napp_id = \"{ACME_NATIVE_APP}\"\nkind = \"app\"\n")
        } else {
            String::new()
        };
        let text = format!(
            "provider = \"wechat-v2\"\nmch_id = \"{mch_id}\"\nsign_type = \"{sign_type}\"\n\
             notify_base_url = \"https://pay.example.com\"\napi_key_file = \"{name}.key\"\n\
             [[apps]]\napp_id = \"{app_id}\"\nkind = \"mini-program\"\napp_secret_file = \"{name}.secret\"\n{more}"
        );
        fs::write(dir.path().join(format!("{name}.toml")), text).unwrap();
        fs::write(dir.path().join(format!("{name}.key")), key).unwrap();
        fs::write(dir.path().join(format!("{name}.secret")), app_secret).unwrap();
    }
    dir
}

/// The rule of a fault that strikes one order.
pub(crate) fn rule(on: &str, out_trade_no: &str, mut fault: Value) -> Value {
    fault["on"] = on.into();
    fault["out_trade_no"] = out_trade_no.into();
    fault
}

//! A sandbox with two merchants, a client that signs, and a merchant's server that answers callbacks as told.

mod account;
mod charges;
mod provider;
mod receiver;
mod refunds;
mod shop;

pub(crate) use account::{ACME, ACME_NATIVE_APP, Account, NOWHERE, TEA, merchants};
pub(crate) use charges::charge_fields;
pub(crate) use provider::{BREW, BREW_APP, BREW_NUMBER, LEAF, LEAF_APP, LEAF_NUMBER, PROVIDER_ACCOUNT, PROVIDER_APP};
pub(crate) use receiver::{Answer, FAIL, Receiver, SUCCESS};
pub(crate) use refunds::REFUND;
pub(crate) use shop::Shop;

use std::{
    fs,
    future::Future,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use reqwest::{Certificate, Client, Identity, Response};
use sandbox::{
    app::{Running, Sandbox, Settings},
    control::{
        ActiveFault, Advance, Callback, ClockState, FaultRule, Faults, Ledger, LoginCode, NewLoginCode, Paid, Pay,
    },
};
use serde_json::Value;
use tempfile::TempDir;
use wechat_pay::v2::{Fields, xml};

use crate::authority::{Authority, Issued};

/// Longer than any machine needs.
const DEADLINE: Duration = Duration::from_mins(2);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(10);

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
    pub(crate) async fn callback(&self, id: impl Into<Option<u64>>, is_wanted: impl Fn(&Callback) -> bool) -> Callback {
        let id = id.into().expect("somebody is told");
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

/// The rule of a fault that strikes one order.
pub(crate) fn rule(on: &str, out_trade_no: &str, mut fault: Value) -> Value {
    fault["on"] = on.into();
    fault["out_trade_no"] = out_trade_no.into();
    fault
}

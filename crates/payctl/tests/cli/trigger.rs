use std::{future::Future, path::PathBuf};

use sandbox::app::{Running, Sandbox, Settings};
use serde_json::Value;
use wechat_pay::v2::{ApiKey, Fields, SignType, sign, xml};

use crate::harness::{Ended, key, merchants, payctl};

/// A sandbox with the merchants of development.
struct World {
    runtime: tokio::runtime::Runtime,
    url: String,
    _running: Running,
}

impl World {
    fn start() -> World {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            tls_listen: "127.0.0.1:0".parse().unwrap(),
            tls_dir: None,
            merchants_dir: PathBuf::from(merchants()),
            notify_url: None,
            callback_timeout_ms: 5_000,
        };
        let running = runtime.block_on(Sandbox::start(settings)).unwrap();
        World { url: format!("http://{}", running.addr), runtime, _running: running }
    }

    fn trigger(&self, arguments: &[&str]) -> Ended {
        payctl(&[&["trigger", "--sandbox-url", &self.url], arguments].concat())
    }

    fn block_on<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// Places an order of acme-mini, as pay-gateway does. `None` when there was no answer.
    fn place(&self, out_trade_no: &str) -> Option<String> {
        let mut fields = Fields::from_iter([
            ("appid", "wxac3e0000000000a1"),
            ("mch_id", "1900000109"),
            ("nonce_str", "n"),
            ("sign_type", "HMAC-SHA256"),
            ("body", "tea"),
            ("out_trade_no", out_trade_no),
            ("total_fee", "990"),
            ("spbill_create_ip", "203.0.113.7"),
            ("notify_url", "http://127.0.0.1:9/notify/wechat-v2/acme-mini/payment"),
            ("trade_type", "JSAPI"),
            ("openid", "o1"),
        ]);
        let signature = sign::sign(&fields, &ApiKey::parse(&key("acme-mini")).unwrap(), SignType::HmacSha256);
        fields.insert("sign", signature);
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        self.block_on(async {
            let request = http.post(format!("{}/pay/unifiedorder", self.url)).body(xml::write("xml", &fields));
            request.send().await.ok()?.text().await.ok()
        })
    }

    fn ledger(&self) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        self.block_on(async {
            http.get(format!("{}/_sandbox/ledger", self.url)).send().await.unwrap().json().await.unwrap()
        })
    }
}

#[test]
fn the_user_pays_and_what_cannot_be_paid_is_a_no() {
    let world = World::start();
    assert!(world.place("A00000001").unwrap().contains("prepay_id"));
    let paid = world.trigger(&["pay", "A00000001"]).with(0);
    assert!(paid.stdout.starts_with("A00000001 paid 9.90 yuan, transaction_id 42"), "{}", paid.stdout);
    let ledger = world.ledger();
    assert_eq!(ledger["orders"][0]["payment"]["amount_fen"], 990);
    let unknown = world.trigger(&["pay", "A/../x", "--json"]).with(1);
    assert_eq!(unknown.json()["error"], "no order has this number");
    assert!(world.trigger(&["pay", "A00000002"]).with(1).stderr.contains("refused: no order has this number"));
}

#[test]
fn the_next_answer_is_lost_although_the_call_was_done() {
    let world = World::start();
    let fault = world.trigger(&["lose", "--on", "unifiedorder"]).with(0);
    assert_eq!(fault.stdout, "fault 1: lost on unifiedorder, 1 times, struck 0\n");
    assert_eq!(world.place("A00000001"), None);
    assert!(world.place("A00000001").is_some(), "it struck once");
    assert!(world.trigger(&["faults"]).with(0).stdout.ends_with("struck 1\n"));
    assert_eq!(world.ledger()["orders"].as_array().unwrap().len(), 1);
}

#[test]
fn callbacks_are_lost_doubled_and_delayed_by_rules_of_the_sandbox() {
    let world = World::start();
    let json = world.trigger(&["lose", "A00000001", "--times", "2", "--json"]).with(0).json();
    assert_eq!(
        (json["do"].as_str(), json["on"].as_str(), json["times"].as_u64()),
        (Some("lose"), Some("callback"), Some(2))
    );
    let json = world.trigger(&["duplicate", "--copies", "3", "--json"]).with(0).json();
    assert_eq!((json["do"].as_str(), json["copies"].as_u64()), (Some("duplicate"), Some(3)));
    let json = world.trigger(&["delay", "--by", "10m", "--json"]).with(0).json();
    assert_eq!((json["do"].as_str(), json["delay_ms"].as_u64()), (Some("delay"), Some(600_000)));
    let json = world.trigger(&["delay", "--on", "orderquery", "--json"]).with(0).json();
    assert_eq!((json["do"].as_str(), json["delay_ms"].as_u64()), (Some("late"), Some(10_000)));
    assert_eq!(world.trigger(&["faults", "--json"]).with(0).json()["faults"].as_array().unwrap().len(), 4);
    assert_eq!(world.trigger(&["clear"]).with(0).stdout, "no faults\n");
    // The sandbox's own no: a query cannot be delivered twice.
    assert!(world.trigger(&["duplicate", "--on", "orderquery"]).with(1).stderr.starts_with("refused: "));
}

#[test]
fn the_clock_goes_forward() {
    let world = World::start();
    let json = world.trigger(&["clock", "+1h", "--json"]).with(0).json();
    assert_eq!(json["offset_ms"], 3_600_000);
    assert!(world.trigger(&["clock", "1d"]).with(0).stdout.starts_with("it is "));
    assert!(world.trigger(&["clock", "--", "-1h"]).with(2).stderr.contains("is no length of time"));
}

#[test]
fn what_is_no_sandbox_is_told_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    let ended = payctl(&["trigger", "--sandbox-url", &url, "faults"]).with(2);
    assert!(ended.stderr.contains("no sandbox answers at "), "{}", ended.stderr);
}

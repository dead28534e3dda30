use std::time::Duration;

use proto::gateway::v1::charge_response::Outcome;
use tokio::sync::watch;
use wechat_pay::v2::{ApiKey, SignType, sign};

use crate::{
    counter::{PAY_CODE, TAKEN},
    fake::{Fake, Received, Reply},
    harness::{APP_ID, Gateway, KEY, MCH_ID, NUMBER, not_paid, refunding, refusal, success},
};

const EVERY: [&str; 4] = ["--wechat-report-per-mille", "1000", "--wechat-report-ip", "203.0.113.1"];
const TAKEN_REPORT: &str = "<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code></xml>";

fn is_report(received: &Received) -> bool {
    received.line().starts_with("POST /payitil/report HTTP/1.1")
}

/// Answers calls with `call` and reports with `report`.
async fn wechat(call: Reply, report: Reply) -> Fake {
    Fake::start(move |received| if is_report(received) { report.clone() } else { call.clone() }).await
}

fn reports(fake: &Fake) -> Vec<Received> {
    fake.received().into_iter().filter(is_report).collect()
}

#[tokio::test]
async fn a_call_is_reported_with_how_it_went() {
    let fake = wechat(refusal("USERPAYING", "需要用户输入支付密码"), Reply::ok(TAKEN_REPORT)).await;
    let gateway = Gateway::of(refunding(), &fake.url, &EVERY).await;
    assert!(matches!(gateway.charge(gateway.charge_request()).await, Outcome::Done(_)));
    gateway.measures("provider_reports_total{outcome=\"taken\"} 1").await;
    let [report] = reports(&fake).try_into().expect("one report");
    assert_eq!(sign::verify(&report.fields, &ApiKey::parse(KEY).expect("a key"), SignType::Md5), Ok(()));
    for (name, value) in [
        ("appid", APP_ID),
        ("mch_id", MCH_ID),
        ("interface_url", format!("{}pay/micropay", fake.url).as_str()),
        ("return_code", "SUCCESS"),
        ("result_code", "FAIL"),
        ("err_code", "USERPAYING"),
        ("err_code_des", "需要用户输入支付密码"),
        ("out_trade_no", NUMBER),
        ("user_ip", "203.0.113.1"),
    ] {
        assert_eq!(report.fields.get(name), Some(value), "{name}");
    }
    assert!(report.fields.get("execute_time").is_some_and(|ms| ms.parse::<u64>().is_ok()));
    assert!(report.fields.iter().all(|(_, value)| !value.contains(PAY_CODE)));
}

#[tokio::test]
async fn a_call_without_answer_is_reported_too() {
    let fake = wechat(Reply::HangUp, Reply::ok(TAKEN_REPORT)).await;
    let gateway = Gateway::of(refunding(), &fake.url, &EVERY).await;
    gateway.unknown().await;
    gateway.measures("provider_reports_total{outcome=\"taken\"} 1").await;
    let [report] = reports(&fake).try_into().expect("one report");
    let told = ["return_code", "return_msg", "result_code"].map(|name| report.fields.get(name));
    assert_eq!(told, [Some("FAIL"), Some("transport"), Some("FAIL")]);
}

#[tokio::test]
async fn a_call_that_is_given_up_is_reported_as_late() {
    let (gate, _) = watch::channel(false);
    let fake = wechat(not_paid().held(&gate), Reply::ok(TAKEN_REPORT)).await;
    let settings = [&EVERY[..], &["--provider-timeout-ms", "200"]].concat();
    let gateway = Gateway::of(refunding(), &fake.url, &settings).await;
    assert_eq!(gateway.unknown().await.why, "timeout");
    gateway.measures("provider_reports_total{outcome=\"taken\"} 1").await;
    let [report] = reports(&fake).try_into().expect("one report");
    assert_eq!(report.fields.get("return_msg"), Some("timeout"));
}

#[tokio::test]
async fn nothing_is_reported_unless_it_is_asked_for() {
    let fake = wechat(success(&TAKEN), Reply::ok(TAKEN_REPORT)).await;
    let gateway = Gateway::of(refunding(), &fake.url, &[]).await;
    gateway.charge(gateway.charge_request()).await;
    // A second call is answered after whatever a report of the first would have sent.
    gateway.charge(gateway.charge_request()).await;
    assert!(reports(&fake).is_empty());
    assert!(!gateway.page("/metrics").await.1.contains("provider_reports_total{"));
}

#[tokio::test]
async fn the_share_that_is_asked_for_is_reported() {
    let fake = wechat(not_paid(), Reply::ok(TAKEN_REPORT)).await;
    let gateway = Gateway::of(refunding(), &fake.url, &["--wechat-report-per-mille", "250"]).await;
    for _ in 0..8 {
        gateway.query().await;
    }
    gateway.measures("provider_reports_total{outcome=\"taken\"} 2").await;
    assert_eq!(reports(&fake).len(), 2);
}

#[tokio::test]
async fn reports_that_hang_delay_no_call_are_dropped_when_too_many_wait_and_hold_no_stop_up() {
    let (gate, _) = watch::channel(false);
    let fake = wechat(not_paid(), Reply::ok(TAKEN_REPORT).held(&gate)).await;
    let gateway = Gateway::of(refunding(), &fake.url, &EVERY).await;
    // One hangs, 256 wait, and the others have no place. A call that waited for its report would never end.
    let calls = async {
        for _ in 0..300 {
            gateway.query().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), calls).await.expect("no call waits for a report");
    let dropped = gateway.page("/metrics").await.1;
    assert!(dropped.contains("provider_reports_total{outcome=\"dropped\"} "), "{dropped}");
    gateway.measures("provider_calls_total{operation=\"query\",outcome=\"done\",detail=\"done\"} 300").await;
    gateway.tasks.stop().cancel();
    let stopped = tokio::time::timeout(Duration::from_mins(1), gateway.tasks.clone().run()).await;
    stopped.expect("it stops").expect("a clean end");
}

#[tokio::test]
async fn a_report_that_fails_or_is_refused_is_counted_and_changes_nothing() {
    for report in [
        Reply::HangUp,
        Reply::status("503 Service Unavailable", "", ""),
        Reply::ok("<xml><return_code>FAIL</return_code></xml>"),
    ] {
        let fake = wechat(success(&TAKEN), report).await;
        let backup = Fake::always(Reply::HangUp).await;
        let settings = [&EVERY[..], &["--wechat-v2-backup-url", backup.url.as_str()]].concat();
        let gateway = Gateway::of(refunding(), &fake.url, &settings).await;
        for _ in 0..2 {
            assert!(matches!(gateway.charge(gateway.charge_request()).await, Outcome::Done(_)));
        }
        gateway.measures("provider_reports_total{outcome=\"failed\"} 2").await;
        assert!(backup.received().is_empty(), "the host of calls does not rest for a report's sake");
    }
}

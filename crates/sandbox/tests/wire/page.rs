use sandbox::control::{CallbackState, Pay, RefundState};
use serde_json::json;

use crate::harness::{ACME, Bench, Receiver, rule};

async fn page(bench: &Bench) -> String {
    bench.http.get(&bench.url).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn the_page_shows_an_open_payment_and_its_button_pays_it() {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[]).await;
    bench.place(&ACME, "A00000001", &[("notify_url", &receiver.url), ("body", "<b>茶</b>")]).await;
    let before = page(&bench).await;
    assert!(before.contains("A00000001") && before.contains("action=\"/pay\""));
    assert!(before.contains("&lt;b&gt;茶") && !before.contains("<b>茶"));
    let form = [("out_trade_no", "A00000001"), ("merchant", ACME.name)];
    let answer = bench.http.post(format!("{}/pay", bench.url)).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert!(answer.headers()["location"].to_str().unwrap().starts_with("/?said=paid"));
    let callback = bench.callback(0, |callback| callback.state == CallbackState::Delivered).await;
    let after = page(&bench).await;
    assert!(after.contains(&callback.transaction_id) && after.contains("delivered"));
    assert!(!after.contains("action=\"/pay\""));
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "SUCCESS");
}

#[tokio::test]
async fn a_button_that_cannot_pay_says_why() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    bench.pay("A00000001", &Pay::default()).await;
    let form = [("out_trade_no", "A00000001"), ("merchant", ACME.name)];
    let answer = bench.http.post(format!("{}/pay", bench.url)).form(&form).send().await.unwrap();
    let said = format!("{}{}", bench.url, answer.headers()["location"].to_str().unwrap());
    assert!(bench.http.get(said).send().await.unwrap().text().await.unwrap().contains("not paid: the order is paid"));
}

#[tokio::test]
async fn the_page_shows_a_refund_and_its_buttons_settle_it() {
    let bench = Bench::start().await;
    bench.settle_delay(None).await;
    bench.sell(&ACME, "A00000001", 1_000).await;
    bench.refunded("A00000001", "R-1", 1_000, 300).await;
    let press = async |state: &str| {
        let form = [("out_refund_no", "R-1"), ("merchant", ACME.name), ("state", state)];
        let answer = bench.http.post(format!("{}/settle", bench.url)).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    let before = page(&bench).await;
    assert!(before.contains("R-1") && before.contains("PROCESSING"));
    assert_eq!(before.matches("action=\"/settle\"").count(), 3);
    assert!(press("CHANGE").await.contains("is+CHANGE"));
    assert_eq!(page(&bench).await.matches("action=\"/settle\"").count(), 2);
    assert!(press("SUCCESS").await.contains("is+SUCCESS"));
    assert!(press("REFUNDCLOSE").await.contains("not+settled"));
    assert!(!page(&bench).await.contains("action=\"/settle\""));
    assert_eq!(bench.known_refund("R-1").await.unwrap().state, RefundState::Success);
}

#[tokio::test]
async fn the_pages_buttons_move_the_clock() {
    let bench = Bench::start().await;
    let url = format!("{}/advance", bench.url);
    bench.http.post(&url).form(&[("by", "3600")]).send().await.unwrap();
    assert_eq!(bench.clock().await.offset_ms, 3_600_000);
    bench.http.post(&url).form(&[("by", "morning")]).send().await.unwrap();
    let now = wechat_pay::time::print_spaced(bench.clock().await.now);
    assert!(now[11..].starts_with("10:"), "{now}");
    let offset_ms = bench.clock().await.offset_ms;
    bench.http.post(&url).form(&[("by", "a while")]).send().await.unwrap();
    assert_eq!(bench.clock().await.offset_ms, offset_ms);
}

#[tokio::test]
async fn the_page_shows_faults_with_their_hits_and_clears_them() {
    let bench = Bench::start().await;
    bench
        .fault(rule("orderquery", "A00000001", json!({ "do": "error_code", "code": "SYSTEMERROR", "times": 7 })))
        .await;
    bench.trade_state(&ACME, "A00000001").await;
    assert!(page(&bench).await.contains("1 of 7"));
    bench.http.post(format!("{}/clear_faults", bench.url)).send().await.unwrap();
    assert!(page(&bench).await.contains("Nothing goes wrong on purpose."));
}

use std::time::Duration;

use reqwest::Response;

use crate::harness::{ACME, Bench, TEA};

const NATIVE: [(&str, &str); 4] =
    [("trade_type", "NATIVE"), ("product_id", "tea"), ("openid", ""), ("body", "<i>茶</i>")];
const SCENE: &str = r#"{"h5_info":{"type":"Wap","wap_url":"https://shop.example.com","wap_name":"Tea"}}"#;

async fn get(bench: &Bench, path: &str) -> String {
    bench.http.get(format!("{}{path}", bench.url)).send().await.unwrap().text().await.unwrap()
}

async fn post(bench: &Bench, path: &str, form: &[(&str, &str)]) -> Response {
    bench.http.post(format!("{}{path}", bench.url)).form(form).send().await.unwrap()
}

fn location(response: &Response) -> String {
    assert_eq!(response.status(), 303);
    response.headers()["location"].to_str().unwrap().to_owned()
}

async fn pay(bench: &Bench, prepay_id: &str, how: &str) -> String {
    let form = [("prepay_id", prepay_id), ("how", how), ("in_cashier", "true")];
    let response = post(bench, "/phone/pay", &form).await;
    get(bench, &location(&response)).await
}

#[tokio::test]
async fn the_phone_lists_what_is_open_by_kind_and_links_to_the_pay_code() {
    let bench = Bench::start().await;
    assert_eq!(get(&bench, "/phone").await.matches("None.").count(), 3);
    bench.place(&ACME, "A00000001", &[]).await;
    bench.place(&ACME, "A00000002", &[("trade_type", "MWEB"), ("scene_info", SCENE)]).await;
    let native = bench.place(&TEA, "A00000003", &NATIVE).await;
    let page = get(&bench, "/phone").await;
    assert_eq!(page.matches("action=\"/phone/scan\"").count(), 4);
    assert!(page.contains(native.text("code_url").unwrap()) && page.contains("href=\"/phone/pay-code\""));
    assert!(page.contains("&lt;i&gt;茶") && !page.contains("<i>茶") && !page.contains("<script"));
    assert!(get(&bench, "/").await.contains("href=\"/phone\""));
}

#[tokio::test]
async fn a_scanned_code_shows_what_is_sold_by_whom_and_the_button_pays_it() {
    let bench = Bench::start().await;
    let native = bench.place(&TEA, "A00000001", &NATIVE).await;
    let scanned = post(&bench, "/phone/scan", &[("text", native.text("code_url").unwrap())]).await;
    let cashier = get(&bench, &location(&scanned)).await;
    for shown in ["¥1.00", "&lt;i&gt;茶&lt;/i&gt;", TEA.name, "A00000001"] {
        assert!(cashier.contains(shown), "{shown}");
    }
    let prepay_id = native.text("prepay_id").unwrap();
    assert!(pay(&bench, prepay_id, "pay").await.contains("paid ¥1.00 for A00000001"));
    assert_eq!(bench.trade_state(&TEA, "A00000001").await, "SUCCESS");
    assert!(pay(&bench, prepay_id, "pay").await.contains("not paid: the order is paid"));
    assert!(get(&bench, &format!("/phone/cashier?prepay_id={prepay_id}")).await.contains("the order is paid"));
}

#[tokio::test]
async fn a_declined_card_and_a_cashier_that_was_left_leave_the_order_open() {
    let bench = Bench::start().await;
    let placed = bench.place(&ACME, "A00000001", &[]).await;
    let prepay_id = placed.text("prepay_id").unwrap();
    for (how, said) in [("declined", "declined the card"), ("cancel", "left the cashier")] {
        assert!(pay(&bench, prepay_id, how).await.contains(said));
        assert_eq!(bench.trade_state(&ACME, "A00000001").await, "NOTPAY");
    }
    assert!(pay(&bench, prepay_id, "pay").await.contains("paid ¥1.00"));
}

#[tokio::test]
async fn the_owner_of_the_phone_pays_as_one_person_for_each_app() {
    let bench = Bench::start().await;
    let mut payers = Vec::new();
    for (account, number) in [(ACME, "A00000001"), (ACME, "A00000002"), (TEA, "A00000003")] {
        let placed = bench.place(&account, number, &NATIVE).await;
        pay(&bench, placed.text("prepay_id").unwrap(), "pay").await;
        let paid = bench.post("/pay/orderquery", &account.signed(&[("out_trade_no", number)])).await;
        payers.push(paid.text("openid").unwrap().to_owned());
    }
    assert!(payers[0] == payers[1] && payers[0] != payers[2], "{payers:?}");
}

#[tokio::test]
async fn an_open_cashier_pays_an_order_that_was_closed_meanwhile() {
    let bench = Bench::start().await;
    let placed = bench.place(&ACME, "A00000001", &[]).await;
    bench.advance(Duration::from_mins(6)).await;
    assert_eq!(bench.close(&ACME, "A00000001").await, "SUCCESS");
    assert!(pay(&bench, placed.text("prepay_id").unwrap(), "pay").await.contains("paid ¥1.00"));
}

#[tokio::test]
async fn what_cannot_be_paid_is_said_in_words_that_are_no_markup() {
    let bench = Bench::start().await;
    let page = post(&bench, "/phone/scan", &[("text", "<script>alert(1)</script>")]).await.text().await.unwrap();
    assert!(page.contains("no code of WeChat Pay") && !page.contains("<script"));
    let page = get(&bench, "/phone?said=%3Cscript%3E").await;
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"));
    assert!(get(&bench, "/phone/cashier?prepay_id=wx1").await.contains("does not know"));
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_no_web_page() {
    let bench = Bench::start().await;
    let placed = bench.place(&ACME, "A00000001", &[]).await;
    let form =
        [("prepay_id", placed.text("prepay_id").unwrap()), ("how", "cancel"), ("redirect_url", "javascript:alert(1)")];
    assert!(location(&post(&bench, "/phone/pay", &form).await).starts_with("/phone?said="));
}

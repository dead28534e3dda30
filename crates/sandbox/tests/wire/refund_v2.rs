use std::time::Duration;

use wechat_pay::v2::sign::verify_pinned;

use crate::harness::{ACME, Bench, outcome};

const PATH: &str = "/secapi/pay/refundv2";
const QUERY: &str = "/pay/refundqueryv2";

/// A bench with an order of ten yuan: two teas of three yuan and a cup of four.
async fn sold() -> Bench {
    let bench = Bench::start().await;
    let detail = r#"{"cost_price":1000,"goods_detail":[
        {"goods_id":"tea","goods_name":"茶","quantity":2,"price":300},{"goods_id":"cup","quantity":1,"price":400}]}"#;
    let changes = [("total_fee", "1000"), ("version", "1.0"), ("detail", detail)];
    bench.place(&ACME, "A00000001", &changes).await;
    bench.pay("A00000001", &sandbox::control::Pay::default()).await;
    bench
}

/// So many of one thing.
fn goods(goods_id: &str, quantity: i64, price: i64, amount: i64) -> String {
    format!(
        r#"{{"goods_detail":[{{"goods_id":"{goods_id}","refund_amount":{amount},"refund_quantity":{quantity},"price":{price}}}]}}"#
    )
}

/// What a refund of so many fen was answered, a minute after the one before.
async fn refund(bench: &Bench, out_refund_no: &str, fen: &str, detail: &str) -> String {
    bench.advance(Duration::from_mins(1)).await;
    let fields = [
        ("out_trade_no", "A00000001"),
        ("out_refund_no", out_refund_no),
        ("total_fee", "1000"),
        ("refund_fee", fen),
        ("detail", detail),
    ];
    outcome(&bench.post_certified(&ACME, PATH, &fields).await)
}

#[tokio::test]
async fn single_items_go_back_as_often_as_they_were_sold() {
    let bench = sold().await;
    assert_eq!(refund(&bench, "R1", "300", &goods("tea", 1, 300, 300)).await, "SUCCESS");
    assert_eq!(refund(&bench, "R2", "600", &goods("tea", 2, 300, 600)).await, "PARAM_ERROR");
    assert_eq!(refund(&bench, "R2", "300", &goods("tea", 1, 300, 300)).await, "SUCCESS");
    assert_eq!(refund(&bench, "R3", "300", &goods("tea", 1, 300, 300)).await, "PARAM_ERROR");
    assert_eq!(refund(&bench, "R3", "400", &goods("cup", 1, 400, 400)).await, "SUCCESS");
}

#[tokio::test]
async fn what_was_closed_can_go_back_again() {
    let bench = sold().await;
    bench.settle_delay(None).await;
    assert_eq!(refund(&bench, "R1", "600", &goods("tea", 2, 300, 600)).await, "SUCCESS");
    bench.settle("R1", sandbox::control::RefundState::RefundClose).await;
    assert_eq!(refund(&bench, "R2", "600", &goods("tea", 2, 300, 600)).await, "SUCCESS");
}

#[tokio::test]
async fn what_goes_back_must_have_been_sold_so() {
    let bench = sold().await;
    let long = "x".repeat(6_001);
    for detail in [
        goods("coffee", 1, 300, 300),
        goods("tea", 1, 299, 299),
        goods("tea", 3, 300, 300),
        goods("cup", 1, 400, 401),
        goods("tea", 2, 300, 500),
        goods("tea", 0, 300, 300),
        goods("tea", 1, 300, 0),
        r#"{"goods_detail":[]}"#.to_owned(),
        r#"{"goods_detail":[{"goods_id":"tea"}]}"#.to_owned(),
        "tea".to_owned(),
        long,
    ] {
        assert_eq!(refund(&bench, "R1", "400", &detail).await, "PARAM_ERROR", "{detail}");
    }
    assert_eq!(bench.known_refund("R1").await, None);
}

#[tokio::test]
async fn only_a_full_refund_needs_no_goods() {
    let bench = sold().await;
    assert_eq!(refund(&bench, "R1", "400", "").await, "LACK_PARAMS");
    assert_eq!(refund(&bench, "R1", "1000", "").await, "SUCCESS");
}

#[tokio::test]
async fn the_same_number_with_other_goods_is_another_refund() {
    let bench = sold().await;
    let detail = goods("tea", 1, 300, 300);
    assert_eq!(refund(&bench, "R1", "300", &detail).await, "SUCCESS");
    assert_eq!(refund(&bench, "R1", "300", &detail).await, "SUCCESS");
    assert_eq!(refund(&bench, "R1", "300", &goods("tea", 1, 300, 200)).await, "INVALID_REQUEST");
    assert_eq!(bench.known_refund("R1").await.unwrap().requests, 2);
}

#[tokio::test]
async fn of_an_order_that_does_not_say_what_it_sells_only_the_sum_is_checked() {
    let bench = Bench::start().await;
    bench.sell(&ACME, "A00000001", 1_000).await;
    assert_eq!(refund(&bench, "R1", "400", &goods("coffee", 1, 401, 401)).await, "PARAM_ERROR");
    assert_eq!(refund(&bench, "R1", "400", &goods("coffee", 1, 400, 400)).await, "SUCCESS");
}

#[tokio::test]
async fn its_query_wants_the_number_of_a_refund() {
    let bench = sold().await;
    refund(&bench, "R1", "300", &goods("tea", 1, 300, 300)).await;
    let ask = async |fields: &[(&str, &str)]| bench.post(QUERY, &ACME.signed(fields)).await;
    let answer = ask(&[("out_refund_no", "R1")]).await;
    assert_eq!((outcome(&answer).as_str(), answer.text("out_refund_no_0")), ("SUCCESS", Some("R1")));
    assert!(verify_pinned(&answer, &ACME.api_key(), &[ACME.sign_type]).is_ok());
    let refund_id = answer.text("refund_id_0").unwrap().to_owned();
    assert_eq!(outcome(&ask(&[("refund_id", &refund_id)]).await), "SUCCESS");
    assert_eq!(outcome(&ask(&[("out_trade_no", "A00000001")]).await), "LACK_PARAMS");
    assert_eq!(outcome(&ask(&[("out_refund_no", "R9")]).await), "REFUNDNOTEXIST");
}

#[tokio::test]
async fn it_needs_the_certificate() {
    let bench = sold().await;
    let body = wechat_pay::v2::xml::write("xml", &ACME.signed(&[])).into_bytes();
    assert_eq!(bench.send(PATH, body).await.unwrap().status(), 400);
}

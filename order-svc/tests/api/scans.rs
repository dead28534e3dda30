//! Scans of product codes: the same scan is the same order, the same attempt and the same answer.

use std::time::{Duration, Instant};

use proto::bus::subject;
use proto::gateway::v1::{NotDone, PaymentMethod, not_done, prepay_response};
use proto::order::v1::native_scan_answer::Answer;
use proto::order::v1::*;

use crate::gateway::{MERCHANT, MINI};
use crate::harness::{World, id, of, scan_of};
use crate::product_codes::{product, sell};

async fn ask(world: &World, scan: &NativeScan) -> Answer {
    let body = serde_json::to_vec(scan).expect("JSON");
    let request = async_nats::Request::new().payload(body.into()).timeout(Some(Duration::from_mins(1)));
    let answer = world.bus.client().send_request(subject::native_scanned(MERCHANT), request).await.expect("an answer");
    let answer: NativeScanAnswer = serde_json::from_slice(&answer.payload).expect("an answer");
    answer.answer.expect("something is said")
}

fn refused(words: &str) -> Answer {
    Answer::Refusal(words.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_makes_an_order_of_the_product_and_opens_its_cashier() {
    let world = World::start().await;
    let product = sell(&world, product("pot-7")).await;
    let answer = ask(&world, &scan_of(&product, "n1")).await;
    let sent = world.gateway.prepays();
    assert_eq!(sent.len(), 1);
    assert_eq!(answer, Answer::PrepayId(format!("wx{}", sent[0].out_trade_no)));
    assert_eq!((sent[0].method(), sent[0].app_id.as_str()), (PaymentMethod::Native, MINI));
    assert_eq!((sent[0].product_id.as_str(), sent[0].amount_fen), (product.product_id.as_str(), 250));
    assert_eq!((sent[0].payer_ip.as_str(), sent[0].openid.as_str()), ("203.0.113.9", ""));
    assert_eq!(sent[0].particulars, product.particulars);

    let created = world.message("ORDER", "order.v1.order.created.shop").await;
    assert_eq!((&created["productCode"], &created["attach"]), (&product.name.clone().into(), &"桌 7".into()));
    let order = world.order(created["order"].as_str().expect("a name")).await;
    assert_eq!((order.product_code.as_str(), order.amount_fen), (product.name.as_str(), 250));
    assert_eq!(order.particulars, product.particulars);
    world.paid(|_| {}).await;
    let paid = world.message("ORDER", "order.v1.order.paid.shop").await;
    assert_eq!(paid["productCode"], product.name);
    // Nothing of the payer is kept: neither in the order nor beside it.
    let rows = "SELECT count(*) FROM orders, payments, requests WHERE rpc = 'NativeScan'";
    assert_eq!(world.count(rows).await, 1);
    let of_payer = "SELECT count(*) FROM orders, payments, requests
                    WHERE concat(orders, payments, requests) LIKE '%oUpF8uMuAJO%' OR position('oUpF8uMuAJO'::bytea IN response) <> 0";
    assert_eq!(world.count(of_payer).await, 0);
    let of_terminal = "SELECT count(*) FROM orders, payments, requests
                       WHERE rpc = 'NativeScan' AND payments.payer_ip = '203.0.113.9' AND position('wx'::bytea IN response) <> 0";
    assert_eq!(world.count(of_terminal).await, 1, "what was looked through holds what is kept");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_scan_is_one_order_also_when_it_comes_many_times_at_once() {
    let world = World::start().await;
    let product = sell(&world, product("pot-7")).await;
    let scan = scan_of(&product, "n1");
    let answers = futures::future::join_all((0..8).map(|_| ask(&world, &scan))).await;
    assert!(matches!(answers[0], Answer::PrepayId(_)), "{answers:?}");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(ask(&world, &scan).await, answers[0]);
    assert_eq!(world.gateway.prepays().len(), 1);
    assert_eq!(world.count("SELECT count(*) FROM orders").await, 1);

    let other = ask(&world, &scan_of(&product, "n2")).await;
    assert_ne!(other, answers[0], "another scan is another order");
    let friend = NativeScan { openid: "oFriend".into(), ..scan };
    assert_ne!(ask(&world, &friend).await, answers[0], "and so is another payer's");
    assert_eq!(world.count("SELECT count(*) FROM orders").await, 3);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_whose_answer_was_lost_is_sent_again_with_the_same_content() {
    let world = World::start().await;
    let product = sell(&world, product("pot-7")).await;
    let scan = scan_of(&product, "n1");
    world.gateway.lose_next();
    assert_eq!(ask(&world, &scan).await, refused("系统繁忙，请稍后重新扫码"));
    let Answer::PrepayId(prepay_id) = ask(&world, &scan).await else { panic!("the second is answered") };
    let sent = world.gateway.prepays();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
    assert_eq!(prepay_id, format!("wx{}", sent[0].out_trade_no));
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_scan_broke_off_before_its_payment_is_paid_by_the_next_repetition() {
    let world = World::start().await;
    let product = sell(&world, product("pot-7")).await;
    let scan = scan_of(&product, "n1");
    ask(&world, &scan).await;
    // As if the process had died between the order and its attempt.
    for sql in ["DELETE FROM requests WHERE rpc = 'NativeScan'", "DELETE FROM payments"] {
        sqlx::query(sql).execute(&world.pool).await.expect("gone");
    }
    assert!(matches!(ask(&world, &scan).await, Answer::PrepayId(_)));
    assert_eq!(world.count("SELECT count(*) FROM orders").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_provider_costs_the_payer_four_seconds_and_the_next_repetition_nothing() {
    let world = World::start().await;
    let product = sell(&world, product("pot-7")).await;
    let scan = scan_of(&product, "n1");
    world.gateway.hold(true);
    let began = Instant::now();
    assert_eq!(ask(&world, &scan).await, refused("系统繁忙，请稍后重新扫码"));
    assert!(began.elapsed() < Duration::from_secs(30), "it does not wait for the provider: {:?}", began.elapsed());
    world.gateway.hold(false);
    let answer = world
        .until("the scan is answered", async || match ask(&world, &scan).await {
            Answer::PrepayId(prepay_id) => Some(prepay_id),
            Answer::Refusal(_) => None,
        })
        .await;
    let sent = world.gateway.prepays();
    assert!(sent.iter().all(|request| *request == sent[0]), "{sent:?}");
    assert_eq!(answer, format!("wx{}", sent[0].out_trade_no));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_reads_why_there_is_no_cashier_and_nothing_is_written() {
    let world = World::start().await;
    let product = sell(&world, product("pot-7")).await;
    let scan = scan_of(&product, "n1");
    for wrong in [
        NativeScan { product_id: "tea".into(), ..scan.clone() },
        NativeScan { product_id: "01980000000070008000000000000001".into(), ..scan.clone() },
        NativeScan { mch_id: "1900000002".into(), ..scan.clone() },
        NativeScan { app_id: "wxaccount".into(), ..scan.clone() },
        NativeScan { merchant: "acme-tea".into(), ..scan.clone() },
        NativeScan { openid: String::new(), ..scan.clone() },
        NativeScan { nonce_str: String::new(), ..scan.clone() },
    ] {
        assert_eq!(ask(&world, &wrong).await, refused("商品不存在"), "{wrong:?}");
    }
    let close = CloseProductCodeRequest { request_id: id(), name: product.name.clone() };
    world.client.clone().close_product_code(of("shop", close)).await.expect("closed");
    assert_eq!(ask(&world, &scan).await, refused("商品已下架"));
    assert_eq!(world.count("SELECT count(*) FROM orders").await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_provider_and_an_order_that_is_over_are_told_as_such() {
    let world = World::start().await;
    let product = sell(&world, product("pot-7")).await;
    let no = NotDone { kind: not_done::Kind::Refused.into(), provider_code: "NOAUTH".into(), ..NotDone::default() };
    world.gateway.answer_next(prepay_response::Outcome::NotDone(no));
    let scan = scan_of(&product, "n1");
    assert_eq!(ask(&world, &scan).await, refused("暂时无法支付，请联系商家"));
    assert_eq!(ask(&world, &scan).await, refused("暂时无法支付，请联系商家"), "the same scan, the same answer");
    assert_eq!(world.gateway.prepays().len(), 1);

    let late = scan_of(&product, "n2");
    world.gateway.lose_next();
    ask(&world, &late).await;
    world.hand.advance(Duration::from_secs(29 * 60 + 30));
    assert_eq!(ask(&world, &late).await, refused("本次扫码已失效，请重新扫码"));
    world.end().await;
}

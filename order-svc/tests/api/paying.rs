//! Every method with a cashier: what is sent, what opens it, and what a repetition sends.

use proto::gateway::v1::PaymentMethod;
use proto::order::v1::pay_order_request::Method;
use proto::order::v1::pay_order_response::Invocation;
use proto::order::v1::*;

use crate::gateway::{MERCHANT, MINI, WEB};
use crate::harness::{World, id, pay_order, reason, wrong_fields};

fn particulars() -> Particulars {
    let items = vec![GoodsItem {
        goods_id: "tea".into(),
        name: "乌龙茶".into(),
        quantity: 2,
        price_fen: 50,
        ..GoodsItem::default()
    }];
    Particulars {
        attach: "门店 7".into(),
        goods: Some(Goods { items, ..Goods::default() }),
        no_credit: true,
        store: Some(Store { id: "SZ001".into(), ..Store::default() }),
        ..Particulars::default()
    }
}

fn page() -> H5 {
    H5 {
        scene: Some(h5::Scene::Page(H5Page { url: "https://shop.example/tea".into(), name: "茶店".into() })),
        redirect_url: "https://shop.example/done".into(),
        ..H5::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qr_code_is_sent_with_all_that_the_order_tells_and_answered_with_its_pictures() {
    let world = World::start().await;
    let order = world.ordered(|request| request.particulars = Some(particulars())).await;
    assert_eq!(order.particulars, Some(particulars()));
    let images = vec![QrImage::Svg.into(), QrImage::Png.into()];
    let method = Method::Native(Native { app_id: MINI.into(), images, ..Native::default() });
    let request = pay_order(&order, method);
    let answer = world.pay(request.clone()).await.expect("prepaid");

    let sent = world.gateway.prepays();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].method(), sent[0].app_id.as_str()), (PaymentMethod::Native, MINI));
    assert_eq!(sent[0].product_id, order.name.trim_start_matches("orders/").replace('-', ""));
    assert_eq!(sent[0].particulars, Some(particulars()));
    assert_eq!((sent[0].openid.as_str(), sent[0].sub_mch_id.as_str()), ("", ""));

    let Some(Invocation::Native(native)) = &answer.invocation else { panic!("{answer:?}") };
    assert_eq!(native.code_url, format!("weixin://wxpay/bizpayurl?pr={}", sent[0].out_trade_no));
    assert!(native.qr_svg.starts_with("<svg") && native.qr_png.starts_with(b"\x89PNG"));
    assert_eq!(answer.payment.as_ref().map(|payment| payment.method.as_str()), Some("native"));
    assert_eq!(answer.usable_until, order.expire_time, "never longer than the order");
    assert_eq!(world.pay(request).await.expect("the same again"), answer);
    assert_eq!(world.gateway.prepays().len(), 1);
    assert_eq!(world.order(&order.name).await.particulars, Some(particulars()));

    let created = world.message("ORDER", "order.v1.order.created.shop").await;
    assert_eq!(created["attach"], "门店 7");
    world.paid(|_| {}).await;
    let paid = world.message("ORDER", "order.v1.order.paid.shop").await;
    assert_eq!((&paid["attach"], &paid["order"]), (&"门店 7".into(), &order.name.clone().into()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_sent_again_with_the_same_content() {
    let world = World::start().await;
    let native = Method::Native(Native { app_id: MINI.into(), product_id: "tea-1".into(), ..Native::default() });
    for method in [native, Method::App(NativeApp::default()), Method::H5(page())] {
        let order = world.ordered(|request| request.particulars = Some(particulars())).await;
        let request = pay_order(&order, method);
        world.gateway.lose_next();
        let before = world.gateway.prepays().len();
        assert_eq!(reason(world.pay(request.clone()).await), "PROVIDER_UNKNOWN");
        let answer = world.pay(request).await.expect("sent again");
        let sent = world.gateway.prepays().split_off(before);
        assert_eq!(sent.len(), 2);
        assert_eq!(sent[0], sent[1], "the same number with the same content");
        assert_eq!(answer.payment.expect("an attempt").out_trade_no, sent[0].out_trade_no);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_and_a_browser_hear_what_opens_their_cashier() {
    let world = World::start().await;
    let order = world.ordered(|_| {}).await;
    let answer = world.pay(pay_order(&order, Method::App(NativeApp::default()))).await.expect("prepaid");
    let sent = world.gateway.prepays().pop().expect("it was sent");
    assert_eq!((sent.method(), sent.app_id.as_str()), (PaymentMethod::App, "wxapp"));
    assert!(
        matches!(answer.invocation, Some(Invocation::App(app)) if app.prepayid == format!("wx{}", sent.out_trade_no))
    );

    let order = world.ordered(|_| {}).await;
    let answer = world.pay(pay_order(&order, Method::H5(page()))).await.expect("prepaid");
    let sent = world.gateway.prepays().pop().expect("it was sent");
    assert_eq!((sent.method(), sent.app_id.as_str()), (PaymentMethod::H5, WEB));
    assert_eq!(sent.h5, Some(page()));
    assert!(matches!(answer.invocation, Some(Invocation::H5(h5)) if h5.url.starts_with("https://wx.tenpay.invalid/")));

    let private = PayOrderRequest { payer_ip: "10.0.0.7".into(), ..pay_order(&order, Method::H5(page())) };
    assert_eq!(wrong_fields(world.pay(private).await), ["payer_ip"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oauth_code_becomes_the_payer_under_the_official_account() {
    let world = World::start().await;
    let order = world.ordered(|_| {}).await;
    let method = Jsapi { payer: Some(jsapi::Payer::OauthCode("081x".into())), ..Jsapi::default() };
    world.pay(pay_order(&order, Method::Jsapi(method))).await.expect("prepaid");
    let sent = world.gateway.prepays().pop().expect("it was sent");
    assert_eq!((sent.method(), sent.openid.as_str()), (PaymentMethod::Jsapi, "o-wxaccount-081x"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_does_not_fit_is_refused_before_anything_is_written() {
    let world = World::start().await;
    let order = world.ordered(|_| {}).await;
    let several = world.pay(pay_order(&order, Method::Native(Native::default()))).await;
    assert!(several.as_ref().is_err_and(|status| status.message().contains("name one in app_id")), "{several:?}");
    assert_eq!(reason(several), "METHOD_NOT_AVAILABLE");
    let other = Method::App(NativeApp { app_id: MINI.into() });
    assert_eq!(reason(world.pay(pay_order(&order, other)).await), "METHOD_NOT_AVAILABLE");
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_particulars_are_told_by_their_paths_and_no_order_is_written() {
    let world = World::start().await;
    let mut told = particulars();
    told.goods.as_mut().expect("goods").items.push(GoodsItem { goods_id: "milk".into(), ..GoodsItem::default() });
    let request = CreateOrderRequest {
        request_id: id(),
        order_no: id(),
        merchant: MERCHANT.into(),
        amount_fen: 100,
        description: "茶".into(),
        particulars: Some(told),
        ..CreateOrderRequest::default()
    };
    assert_eq!(wrong_fields(world.create(request).await), ["particulars.goods.items[1].quantity"]);
    assert_eq!(world.count("SELECT count(*) FROM orders").await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_leaves_while_its_request_id_is_taken_leaves_no_id_that_nobody_works_on() {
    let world = World::start().await;
    let native = Method::Native(Native { app_id: MINI.into(), ..Native::default() });
    // It takes its id with the attempt; a code takes its id first.
    let oauth = Jsapi { payer: Some(jsapi::Payer::OauthCode("081x".into())), ..Jsapi::default() };
    let mut calls = Vec::new();
    for method in [native, Method::Jsapi(oauth)] {
        calls.push(pay_order(&world.ordered(|_| {}).await, method));
    }
    // The commit that takes the id waits for this test.
    world
        .change(
            "CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER wait_for_test AFTER INSERT ON requests DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION wait_for_test()",
        )
        .await;
    for (sent, call) in (1..).zip(calls) {
        let mut gate = world.pool.acquire().await.expect("a connection");
        sqlx::query("SELECT pg_advisory_lock(77)").execute(&mut *gate).await.expect("it is free");
        let name = call.name.clone();
        {
            let paying = world.pay(call);
            let waits = world.until("the commit waits", async || {
                let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
                (world.count(waiting).await == 1).then_some(())
            });
            tokio::select! {
                answer = paying => panic!("nobody can have been answered: {answer:?}"),
                () = waits => {}
            }
        }
        // On the same connection, so that the service knows by then that the caller has left.
        world.order(&name).await;
        sqlx::query("SELECT pg_advisory_unlock(77)").execute(&mut *gate).await.expect("it is held");
        drop(gate);
        world.until("it is sent", async || (world.gateway.prepays().len() == sent).then_some(())).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_by_a_method_of_a_later_release_is_left_to_it_and_holds_up_nobody() {
    let world = World::start().await;
    let mut numbers = Vec::new();
    for _ in 0..2 {
        let order = world.ordered(|_| {}).await;
        let native = Method::Native(Native { app_id: MINI.into(), ..Native::default() });
        world.pay(pay_order(&order, native)).await.expect("prepaid");
        numbers.push(world.gateway.prepays().pop().expect("it was sent").out_trade_no);
    }
    world
        .change(
            "ALTER TABLE payments DROP CONSTRAINT payments_method_check;
             UPDATE payments SET method = 'palm' WHERE payment_id = (SELECT payment_id FROM payments ORDER BY payment_id LIMIT 1)",
        )
        .await;
    world.hand.advance(std::time::Duration::from_secs(30));
    let asked = world.until("the other is asked about", async || world.gateway.payment_queries().pop()).await;
    assert_eq!(asked.out_trade_no, numbers[1]);
    let untouched =
        "SELECT count(*) FROM payments WHERE method = 'palm' AND last_ask_at IS NULL AND claimed_until IS NULL";
    assert_eq!(world.count(untouched).await, 1);
    world.end().await;
}

//! Pay codes that are taken back, and what is believed of them.

use std::time::Duration;

use proto::event::PaymentPaid;
use proto::gateway::v1::{PaymentStatus, payment_status};
use proto::order::v1::order::State as OrderState;
use proto::order::v1::pay_order_request::Method;
use proto::order::v1::payment::State;
use proto::order::v1::*;

use crate::gateway::{MERCHANT, MINI};
use crate::harness::{World, id, of, pay_order};

/// Longer than a payer has.
const TOO_LONG: Duration = Duration::from_secs(46);

fn scan(order: &Order) -> PayOrderRequest {
    let code = PayCode { app_id: MINI.into(), auth_code: "134567890123456789".into() };
    pay_order(order, Method::PayCode(code))
}

/// An order whose payer enters a password.
async fn charged(world: &World) -> Order {
    let order = world.ordered(|_| {}).await;
    world.gateway.says(PaymentStatus { state: payment_status::State::Paying.into(), ..PaymentStatus::default() });
    let answer = world.pay(scan(&order)).await.expect("it is under way");
    assert_eq!(answer.payment.map(|payment| payment.state()), Some(State::Pending));
    assert!(world.gateway.charges().iter().all(|charge| charge.leave_before.is_some()), "it leaves in time or never");
    order
}

/// The merchant's file names no certificate any more, and order-svc knows.
async fn loses_its_certificate(world: &World) {
    world.gateway.miss_certificates(true);
    let before = world.gateway.listings();
    // Whoever asks for the second time has read the first answer.
    world.until("the list is read again", async || (before + 2 <= world.gateway.listings()).then_some(())).await;
}

async fn attempt(world: &World, order: &Order) -> Payment {
    world.order(&order.name).await.payments.pop().expect("an attempt was written")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_cannot_be_reversed_for_want_of_a_certificate_is_not_marked_and_its_payer_is_believed() {
    let world = World::start().await;
    let order = charged(&world).await;
    loses_its_certificate(&world).await;
    world.hand.advance(TOO_LONG);
    let asked = world.gateway.payment_queries().len();
    world.until("it is asked about", async || (asked < world.gateway.payment_queries().len()).then_some(())).await;
    world.hand.advance(Duration::from_secs(20));
    let asked = world.gateway.payment_queries().len();
    world.until("and again", async || (asked < world.gateway.payment_queries().len()).then_some(())).await;
    assert_eq!((attempt(&world, &order).await.reversing, world.gateway.reversals().len()), (false, 0));

    world.gateway.says_paid("SUCCESS");
    world.hand.advance(Duration::from_secs(20));
    let paid = world.order_becomes(&order.name, OrderState::Paid).await;
    assert_eq!(paid.payments[0].state(), State::Succeeded);
    assert_eq!(world.gateway.reversals(), []);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_is_reversed_once_its_merchant_has_a_certificate_again() {
    let world = World::start().await;
    let order = charged(&world).await;
    loses_its_certificate(&world).await;
    world.hand.advance(TOO_LONG);
    let asked = world.gateway.payment_queries().len();
    world.until("it is asked about", async || (asked < world.gateway.payment_queries().len()).then_some(())).await;
    world.gateway.miss_certificates(false);
    world
        .until("it is taken back", async || {
            world.hand.advance(Duration::from_secs(20));
            (!world.gateway.reversals().is_empty()).then_some(())
        })
        .await;
    assert!(attempt(&world, &order).await.reversing);
    assert!(world.gateway.reversals().iter().all(|reversal| reversal.leave_before.is_some()));
    world.end().await;
}

/// What a process leaves that has begun to take every charge back.
const MARKED: &str =
    "UPDATE payments SET reversing_at = now(), reverses = 1, reverse_sent_at = now(), reverse_sent_on_db = now()";

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_of_a_charge_that_was_taken_back_and_has_ended_is_a_dead_letter() {
    let world = World::start().await;
    let order = charged(&world).await;
    world.change(MARKED).await;
    world.change("UPDATE payments SET state = 'CLOSED', next_ask_at = NULL").await;
    let charge = world.gateway.charges().pop().expect("it was charged");
    let fact = PaymentPaid {
        merchant: MERCHANT.to_owned(),
        provider: "wechat-v2".to_owned(),
        out_trade_no: charge.out_trade_no.clone(),
        transaction_id: "4200".to_owned(),
        amount_fen: charge.amount_fen,
        currency: "CNY".to_owned(),
        mch_id: charge.mch_id,
        app_id: charge.app_id,
        paid_time: Some(proto::time::to_wire(world.clock.now())),
        ..PaymentPaid::default()
    };
    world.publish(&fact).await;
    let dead = world.message("DEAD", "dead.v1.order-svc-pay").await;
    assert_eq!(dead["outTradeNo"], charge.out_trade_no);
    let seen = world.order(&order.name).await;
    assert_eq!((seen.state(), seen.payments[0].state()), (OrderState::Pending, State::Closed));
    assert_eq!(world.count("SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL").await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_is_taken_back_and_was_refunded_elsewhere_is_never_kept_and_waits_for_a_person() {
    let world = World::start().await;
    let order = charged(&world).await;
    world.change(MARKED).await;
    world.change("UPDATE payments SET reverse_too_late = true").await;
    world.gateway.says_paid("REFUND");
    world.hand.advance(TOO_LONG);
    world
        .until("it is disputed", async || {
            let sql = "SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL AND next_ask_at IS NULL";
            (world.count(sql).await == 1).then_some(())
        })
        .await;
    let seen = world.order(&order.name).await;
    assert_eq!((seen.state(), seen.payments[0].state()), (OrderState::Pending, State::Pending));
    assert_eq!(world.gateway.reversals(), []);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_attempt_has_ended_hears_the_same_refusal_whatever_becomes_of_its_order() {
    let world = World::start().await;
    let native = |order: &Order| pay_order(order, Method::Native(Native { app_id: MINI.into(), ..Native::default() }));
    for request_of in [&scan as &dyn Fn(&Order) -> PayOrderRequest, &native] {
        let order = world.ordered(|_| {}).await;
        let request = request_of(&order);
        world.gateway.lose_next();
        // A charge is under way, a prepay is unknown.
        let _ = world.pay(request.clone()).await;
        world
            .change(
                "UPDATE payments SET state = 'CLOSED', next_ask_at = NULL, sending_until = NULL
                 WHERE state IN ('CREATED', 'PENDING')",
            )
            .await;
        let first = world.pay(request.clone()).await.expect_err("its attempt has ended");
        assert_eq!(svc_kit::refusal::reason_of(&first).as_deref(), Some("PROVIDER_REFUSED"));
        let close = CloseOrderRequest { request_id: id(), name: order.name.clone() };
        world.client.clone().close_order(of("shop", close)).await.expect("it is given up");
        world.order_becomes(&order.name, OrderState::Closed).await;
        let second = world.pay(request).await.expect_err("its attempt has ended");
        assert_eq!(
            (second.code(), second.message(), second.details()),
            (first.code(), first.message(), first.details())
        );
    }
    world.end().await;
}

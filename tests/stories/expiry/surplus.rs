//! An order keeps one payment. Attempts that it does not need are closed, and money that it cannot keep is a surplus.

use e2e::{
    Options, eventually,
    sandbox_client::{Fault, FaultPoint, Pay, once},
    selling::{Order, PaymentState, State},
    story,
};
use proto::order::v1;

use super::{CLOSABLE, IN_CASHIER, LIFE_S, PAST_LIFE, at_wechat, fact, states};

#[test]
fn money_that_comes_after_the_close_is_a_surplus() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).expires_in_s(LIFE_S).await;
        let cashier = order.pay_by_openid().await;
        world.pass(PAST_LIFE).await;
        let closed = order.becomes(State::Closed).await;

        // A payment may come twice over: still one surplus.
        world.sandbox.fault(once(FaultPoint::Callback, Fault::Duplicate { copies: 1 })).await;
        let paid = cashier.pay_as(IN_CASHIER()).await;
        let payment = surplus_of(&order).await;
        assert_eq!((payment.transaction_id.as_str(), payment.amount_fen), (paid.transaction_id.as_str(), 100));
        assert!(payment.paid_time.is_some());
        let after = order.now().await;
        assert_eq!((after.state(), &after.close_time), (State::Closed, &closed.close_time));

        let told = fact(world, "order.v1.payment.surplus.shop", &order).await;
        assert_eq!(told.id, format!("surplus:{}", uuid_of(&payment.name)));
        assert_eq!((told.text("transactionId"), told.text("amountFen")), (paid.transaction_id.as_str(), "100"));
        assert_eq!(world.facts("order.v1.order.paid.>").await, []);
    });
}

#[test]
fn of_two_attempts_that_are_both_paid_one_is_kept_and_one_is_a_surplus() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let (first, second) = (order.pay_by_openid().await, order.jsapi().await);
        assert_ne!(first.out_trade_no(), second.out_trade_no());
        tokio::join!(first.pay(), second.pay());

        let paid = order.becomes(State::Paid).await;
        let surplus = surplus_of(&order).await;
        let kept = order.now().await.payments.into_iter().find(|payment| !payment.surplus).expect("one is kept");
        assert_eq!((kept.state(), &kept.name), (PaymentState::Succeeded, &paid.paid_payment));
        assert_ne!(surplus.name, kept.name);

        let paid_fact = fact(world, "order.v1.order.paid.shop", &order).await;
        let surplus_fact = fact(world, "order.v1.payment.surplus.shop", &order).await;
        assert_eq!(
            (paid_fact.text("payment"), surplus_fact.text("payment")),
            (kept.name.as_str(), surplus.name.as_str())
        );
    });
}

#[test]
fn once_one_attempt_is_paid_the_other_is_closed_at_the_provider() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let (left, paid) = (order.pay_by_openid().await, order.pay_by_openid().await);
        paid.pay().await;
        order.becomes(State::Paid).await;
        world.pass(CLOSABLE).await;

        let order = &order;
        let after = eventually("the other attempt is closed", async || {
            let now = order.now().await;
            if states(&now) == [PaymentState::Closed, PaymentState::Succeeded] { Ok(now) } else { Err(now) }
        });
        assert_eq!(after.await.state(), State::Paid);
        assert_eq!(at_wechat(world, &left).await, "CLOSED");
        assert!(world.sandbox.pay_as(left.out_trade_no(), &Pay::default()).await.is_err(), "nobody can pay it");
        assert_eq!(world.facts("order.v1.order.closed.>").await, []);
        assert_eq!(world.facts("order.v1.payment.surplus.>").await, []);
    });
}

#[test]
fn an_attempt_is_closed_at_the_provider_once_the_payer_has_started_another() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let (old, new) = (order.pay_by_openid().await, order.pay_by_openid().await);
        world.pass(PAST_LIFE).await;
        eventually("the old attempt is closed", async || {
            states(&order.now().await) == [PaymentState::Closed, PaymentState::Pending]
        })
        .await;
        assert_eq!(at_wechat(world, &old).await, "CLOSED");
        assert_eq!(at_wechat(world, &new).await, "NOTPAY");

        new.pay().await;
        let paid = order.becomes(State::Paid).await;
        assert_eq!(paid.paid_payment, new.payment().name);
        fact(world, "order.v1.order.paid.shop", &order).await;
    });
}

/// Waits for the surplus payment of an order.
async fn surplus_of(order: &Order) -> v1::Payment {
    let payment = eventually("a payment is a surplus", async || {
        order.now().await.payments.into_iter().find(|payment| payment.surplus)
    });
    let payment = payment.await;
    assert_eq!(payment.state(), PaymentState::Succeeded);
    payment
}

fn uuid_of(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

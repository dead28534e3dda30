//! WeChat's callback does not come, or comes late, or comes too often.

use std::time::Duration;

use e2e::{
    Options, eventually,
    sandbox_client::{AnswerClass, Fault, FaultPoint, FaultRule, always, once},
    selling::State,
    story,
};
use proto::event::{PaymentPaid, Source};

#[test]
fn a_payment_whose_callback_is_lost_is_found_by_asking() {
    story(Options::default().asking(Options::REAL_SCHEDULE), async |world| {
        let lost = world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        cashier.attempted(1).await;
        assert!(1 <= world.sandbox.hits(&lost).await);

        world.pass(Duration::from_mins(1)).await;
        cashier.order().becomes(State::Paid).await;
        world.tells("pay.v1.payment.paid.>", 1).await;
        let facts = world.facts("pay.v1.payment.paid.>").await;
        assert_eq!(facts[0].event::<PaymentPaid>().source(), Source::Query);
    });
}

#[test]
fn a_team_that_does_not_want_to_wait_asks_with_refresh() {
    story(Options::default(), async |world| {
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        assert_eq!(cashier.order().now().await.state(), State::Pending);
        cashier.order().becomes_when_asked(State::Paid).await;
    });
}

#[test]
fn a_callback_that_comes_hours_after_everything_changes_nothing() {
    story(Options::default(), async |world| {
        let hours = Fault::Delay { delay_ms: 5 * 60 * 60 * 1000 };
        let delayed = world.sandbox.fault(once(FaultPoint::Callback, hours)).await;
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        eventually("the callback is put off", async || world.sandbox.hits(&delayed).await == 1).await;
        let paid = cashier.order().becomes_when_asked(State::Paid).await;

        world.pass(Duration::from_hours(6)).await;
        cashier.delivered().await;
        assert_eq!(cashier.order().now().await, paid);
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 1);
        assert_eq!(world.facts("order.v1.order.paid.>").await.len(), 1);
    });
}

#[test]
fn a_callback_that_comes_many_times_pays_once() {
    story(Options::default(), async |world| {
        let many = world.sandbox.fault(once(FaultPoint::Callback, Fault::Duplicate { copies: 9 })).await;
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        let callback = cashier.delivered().await;
        assert_eq!(world.sandbox.hits(&many).await, 1);
        assert!(10 <= callback.attempts.len(), "{callback:?}");
        let paid = cashier.order().becomes(State::Paid).await;
        assert_eq!((paid.version, paid.payments.len()), (cashier.order().now().await.version, 1));
        world.tells("order.v1.order.paid.>", 1).await;
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 1);
    });
}

#[test]
fn callbacks_that_overtake_each_other_pay_their_own_orders() {
    story(Options::default(), async |world| {
        let first = world.open_cashier(100).await;
        let second = world.open_cashier(200).await;
        let held = FaultRule {
            out_trade_no: Some(first.out_trade_no().to_owned()),
            ..once(FaultPoint::Callback, Fault::Reorder)
        };
        let held = world.sandbox.fault(held).await;
        first.pay().await;
        eventually("the first callback is held", async || world.sandbox.hits(&held).await == 1).await;
        second.pay().await;
        second.order().becomes(State::Paid).await;
        let paid = first.order().becomes(State::Paid).await;
        assert_eq!(paid.amount_fen, 100);
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 2);
    });
}

#[test]
fn a_callback_that_was_lost_once_comes_again_on_the_official_schedule() {
    story(Options::default(), async |world| {
        world.sandbox.fault(once(FaultPoint::Callback, Fault::Lose)).await;
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        cashier.attempted(1).await;
        world.pass(Duration::from_secs(15)).await;
        cashier.order().becomes(State::Paid).await;
        let callback = cashier.delivered().await;
        assert_eq!(callback.attempts[0].answer, AnswerClass::NotSent, "{callback:?}");
        assert!(2 <= callback.attempts.len(), "{callback:?}");
    });
}

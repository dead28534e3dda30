//! The way from pay-gateway to WeChat breaks off, is refused or falls silent: whatever was asked is unknown, never failed.

use std::time::{Duration, Instant};

use e2e::{
    Link, Options, Part, World,
    proxy::{Direction, Fault},
    sandbox_client::{Fault as WechatFault, FaultPoint, always},
    selling::{Cashier, Order, Paying, PaymentState, State},
    story,
};
use proto::{error::ErrorReason, order::v1::Payment};
use tonic::Code;

use super::BOUNDED;
use crate::{
    refused::refused,
    restart::{is_paid_once, is_told},
};

/// Before the first byte, in the status line, among the headers, in the XML.
const PLACES_IN_AN_ANSWER: [u64; 4] = [0, 5, 60, 250];

#[test]
fn a_prepay_whose_answer_breaks_off_anywhere_is_unknown_and_never_failed() {
    story(to_wechat(), async |world| {
        let link = world.link(Link::PayGatewayToSandbox);
        for (struck, bytes) in (1..).zip(PLACES_IN_AN_ANSWER) {
            let order = world.create_order(100).await;
            let paying = order.pay_by_openid();
            link.cut_after(Direction::ToClient, bytes);
            let number = is_unknown(&order, &paying).await;
            assert_eq!(link.observed(Fault::CutAfter), struck, "after {bytes} bytes");
            let sent = world.sandbox.order(&number).await.expect("WeChat has accepted it");
            assert_eq!((sent.trade_state.as_str(), sent.prepays), ("NOTPAY", 1));
            let cashier = paying.await;
            assert_eq!(cashier.out_trade_no(), number);
            is_paid(world, &cashier).await;
        }
    });
}

#[test]
fn a_prepay_that_breaks_off_on_its_way_is_unknown_and_reaches_wechat_by_the_same_request() {
    story(to_wechat(), async |world| {
        let link = world.link(Link::PayGatewayToSandbox);
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        // The head has passed, and not all of the body.
        link.cut_after(Direction::ToServer, 300);
        let number = is_unknown(&order, &paying).await;
        assert_eq!(link.observed(Fault::CutAfter), 1);
        assert_eq!(world.sandbox.order(&number).await, None, "WeChat cannot believe half a message");
        let cashier = paying.await;
        assert_eq!(cashier.out_trade_no(), number);
        is_paid(world, &cashier).await;
    });
}

#[test]
fn a_provider_that_refuses_connections_decides_nothing() {
    story(to_wechat(), async |world| {
        let link = world.link(Link::PayGatewayToSandbox);
        link.refuse();
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        let number = is_unknown(&order, &paying).await;
        assert!(1 <= link.observed(Fault::Refuse));
        link.pass();
        let cashier = paying.await;
        assert_eq!(cashier.out_trade_no(), number);
        is_paid(world, &cashier).await;
    });
}

#[test]
fn a_provider_that_falls_silent_is_unknown_in_bounded_time_and_a_late_prepay_changes_nothing() {
    story(to_wechat().setting(Part::PayGateway, "PROVIDER_TIMEOUT_MS", 2_000), async |world| {
        let link = world.link(Link::PayGatewayToSandbox);
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        link.black_hole();
        let began = Instant::now();
        let number = is_unknown(&order, &paying).await;
        assert!(began.elapsed() < BOUNDED, "{:?}", began.elapsed());
        assert!(1 <= link.observed(Fault::BlackHole));
        link.pass();
        let cashier = paying.await;
        assert_eq!(cashier.out_trade_no(), number);
        is_paid(world, &cashier).await;
    });
}

#[test]
fn a_question_whose_answer_breaks_off_decides_nothing_and_a_later_one_pays() {
    story(to_wechat(), async |world| {
        world.sandbox.fault(always(FaultPoint::Callback, WechatFault::Lose)).await;
        let link = world.link(Link::PayGatewayToSandbox);
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        for (struck, bytes) in (1..).zip(PLACES_IN_AN_ANSWER) {
            link.cut_after(Direction::ToClient, bytes);
            let asked = cashier.order().refreshed().await;
            assert_eq!(link.observed(Fault::CutAfter), struck, "after {bytes} bytes");
            assert_eq!((asked.state(), asked.payments[0].state()), (State::Pending, PaymentState::Pending));
            // An attempt is asked about at most once per second.
            world.pass(Duration::from_secs(2)).await;
        }
        cashier.order().becomes_when_asked(State::Paid).await;
        is_paid_once(world, &cashier).await;
    });
}

/// Opening the cashier ends without an answer; the number of the attempt, which stays open.
async fn is_unknown(order: &Order, paying: &Paying) -> String {
    refused(paying.attempt().await, Code::Unavailable, ErrorReason::ProviderUnknown);
    let payments = order.now().await.payments;
    assert_eq!(payments.iter().map(Payment::state).collect::<Vec<_>>(), [PaymentState::Created]);
    payments[0].out_trade_no.clone()
}

async fn is_paid(world: &World, cashier: &Cashier) {
    cashier.pay().await;
    is_told(world, cashier.out_trade_no()).await;
    assert_eq!(is_paid_once(world, cashier).await.payments.len(), 1);
}

fn to_wechat() -> Options {
    Options::default().through(Link::PayGatewayToSandbox)
}

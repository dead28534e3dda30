//! WeChat is as strict with us as its documents say: refusals that come from its own rules, and not from a fault.

use std::{fs, path::Path, time::Duration};

use e2e::{
    Options, Part, World,
    sandbox_client::RefundRate,
    selling::{MERCHANT, MINI_PROGRAM, OTHER_MERCHANT, Order, PaymentState, RefundState, State, Waiting},
    story,
    tools::Outcome as _,
};
use proto::{
    error::ErrorReason,
    gateway::v1::{CreateRefundRequest, PaymentMethod, PrepayRequest, not_done::Kind},
    order::v1::{MiniProgram, mini_program::Payer, pay_order_request::Method},
    time::to_wire,
};
use tonic::Code;

use crate::{
    refund::{A_MINUTE, sold},
    refused::{metadata, refused, wrong_fields},
    tools::OTHER_MINI_PROGRAM,
};

/// WeChat's number of the usual merchant.
const MCH_ID: &str = "1900000109";

/// What is sent for an attempt of an order, in our words.
async fn prepay_of(order: &Order) -> PrepayRequest {
    let now = order.now().await;
    PrepayRequest {
        merchant: now.merchant,
        mch_id: MCH_ID.to_owned(),
        app_id: MINI_PROGRAM.to_owned(),
        out_trade_no: now.payments[0].out_trade_no.clone(),
        amount_fen: now.amount_fen,
        description: now.description,
        expire_time: now.expire_time,
        payer_ip: "203.0.113.7".to_owned(),
        openid: "oSomebody0000000000000000001".to_owned(),
        method: PaymentMethod::MiniProgram.into(),
        ..PrepayRequest::default()
    }
}

async fn prepaid(world: &World, request: PrepayRequest) -> proto::gateway::v1::PrepayResponse {
    world.gateway().prepay(request).await.expect("an outcome").into_inner()
}

#[test]
fn the_openid_of_another_app_is_refused_and_the_right_one_pays() {
    story(Options::default(), async |world| {
        let elsewhere = world.sandbox.login_code(OTHER_MINI_PROGRAM).await.openid;
        let order = world.create_order(100).await;
        let pay = |openid: &str| {
            let payer = Some(Payer::Openid(openid.to_owned()));
            order.pay_by(Method::MiniProgram(MiniProgram { app_id: MINI_PROGRAM.to_owned(), payer }))
        };
        let no = refused(pay(&elsewhere).attempt().await, Code::FailedPrecondition, ErrorReason::ProviderRefused);
        assert_eq!(metadata(&no, "provider_code"), "PARAM_ERROR");
        assert_eq!(world.sandbox.ledger().await.orders, []);
        let here = world.sandbox.login_code(MINI_PROGRAM).await.openid;
        let cashier = pay(&here).await;
        cashier.pay().await;
        order.becomes(State::Paid).await;
    });
}

#[test]
fn a_number_stands_for_one_content_and_a_paid_or_closed_one_is_dead() {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        let same = prepay_of(cashier.order()).await;
        for changed in [
            PrepayRequest { amount_fen: 101, ..same.clone() },
            PrepayRequest { description: "something else".to_owned(), ..same.clone() },
        ] {
            // It was accepted before, with other content, and only a question can tell what became of that.
            assert_eq!(prepaid(world, changed).await.unknown().why, "number_in_use");
        }
        assert_eq!(world.sandbox.order(cashier.out_trade_no()).await.expect("it is there").amount_fen, 100);
        cashier.pay().await;
        cashier.order().becomes(State::Paid).await;
        assert_eq!(prepaid(world, same).await.no().kind(), Kind::AlreadyPaid);

        let closed = world.open_cashier(100).await;
        let same = prepay_of(closed.order()).await;
        world.pass(Duration::from_mins(6)).await;
        closed.order().close().await;
        closed.order().becomes(State::Closed).await;
        assert_eq!(prepaid(world, same).await.no().kind(), Kind::AlreadyClosed);
    });
}

#[test]
fn a_refunds_number_stands_for_one_content() {
    story(Options::default(), async |world| {
        let sold = sold(world, 100).await;
        let refund = sold.order().refund(40).await;
        refund.becomes(RefundState::Succeeded).await;
        let request = CreateRefundRequest {
            merchant: MERCHANT.to_owned(),
            mch_id: MCH_ID.to_owned(),
            app_id: MINI_PROGRAM.to_owned(),
            transaction_id: sold.order().now().await.payments[0].transaction_id.clone(),
            out_refund_no: refund.out_refund_no().to_owned(),
            total_fen: 100,
            amount_fen: 41,
            ..CreateRefundRequest::default()
        };
        let changed = world.gateway().create_refund(request).await.expect("an outcome").into_inner();
        changed.outcome().expect_err("it is not another refund");
        let there = world.sandbox.refunds(sold.out_trade_no()).await;
        assert_eq!((there.len(), there[0].amount_fen, there[0].requests), (1, 40, 1));
    });
}

#[test]
fn an_account_whose_key_wechat_does_not_know_opens_nothing_until_it_is_mended() {
    story(Options::default(), async |world| {
        let right = world.folder().join("merchants");
        let wrong = world.folder().join("merchants-of-pay-gateway");
        fs::create_dir(&wrong).expect("the world's folder is ours");
        for entry in fs::read_dir(&right).expect("it is there") {
            let entry = entry.expect("it can be read");
            fs::copy(entry.path(), wrong.join(entry.file_name())).expect("the world's folder is ours");
        }
        fs::write(wrong.join(format!("{MERCHANT}.key")), "AnotherKeyThanTheOneOfWeChat0001").expect("it is ours");
        pay_gateway_reads(world, &wrong).await;

        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        for _ in 0..2 {
            refused(paying.attempt().await, Code::FailedPrecondition, ErrorReason::ProviderRefused);
        }
        let attempts = order.now().await.payments;
        assert_eq!((attempts.len(), attempts[0].state()), (1, PaymentState::Created));
        assert_eq!(world.sandbox.ledger().await.orders, []);

        pay_gateway_reads(world, &right).await;
        let cashier = paying.await;
        assert_eq!(cashier.out_trade_no(), attempts[0].out_trade_no);
        cashier.pay().await;
        order.becomes(State::Paid).await;
    });
}

/// Restarts pay-gateway with other merchant files than everybody else's.
async fn pay_gateway_reads(world: &mut World, merchants: &Path) {
    world.stop(Part::PayGateway);
    let merchants = merchants.to_str().expect("our folders are text").to_owned();
    world.options_mut().settings.push((Part::PayGateway, "MERCHANTS_DIR".to_owned(), merchants));
    world.start(Part::PayGateway).await;
}

#[test]
fn a_refund_that_wechat_does_not_take_now_waits_its_minute_and_goes_through() {
    story(Options::default(), async |world| {
        let sold = sold(world, 100).await;
        world.sandbox.set_refund_rate(RefundRate { per_second: 0, failing_per_second: 6 }).await;
        let refund = sold.order().refund(100).await;
        assert_eq!(refund.waits_for(Waiting::Rate).await.provider_code, "FREQUENCY_LIMITED");
        assert_eq!(world.sandbox.refund(refund.out_refund_no()).await, None);
        world.sandbox.set_refund_rate(RefundRate::default()).await;
        world.pass(A_MINUTE).await;
        refund.becomes(RefundState::Succeeded).await;
        assert_eq!(world.sandbox.refund(refund.out_refund_no()).await.expect("WeChat has it").requests, 1);
    });
}

#[test]
fn a_refund_from_an_empty_account_waits_and_goes_through_under_its_number() {
    story(Options::default(), async |world| {
        let other = world.canteen().create_order(100).merchant(OTHER_MERCHANT).await.pay_by_openid().await;
        other.pay().await;
        other.order().becomes(State::Paid).await;
        world.sandbox.set_balance(OTHER_MERCHANT, Some(99)).await;
        let refund = other.order().refund(100).await;
        assert_eq!(refund.waits_for(Waiting::Balance).await.provider_code, "NOTENOUGH");
        assert_eq!(world.sandbox.refund(refund.out_refund_no()).await, None);
        world.sandbox.set_balance(OTHER_MERCHANT, Some(100)).await;
        world.pass(Duration::from_mins(12)).await;
        refund.becomes(RefundState::Succeeded).await;
    });
}

#[test]
fn an_expiry_within_a_minute_is_refused_before_wechat_would() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        order.pay_by_openid().await;
        let soon = world.sandbox.clock().await.now + jiff::SignedDuration::from_secs(30);
        let request = PrepayRequest {
            out_trade_no: "0123456789abcdef0123456789abcdef".to_owned(),
            expire_time: Some(to_wire(soon)),
            ..prepay_of(&order).await
        };
        wrong_fields(world.gateway().prepay(request).await, &["expire_time"]);
        assert_eq!(world.sandbox.ledger().await.orders.len(), 1);
    });
}

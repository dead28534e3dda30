//! What WeChat tells us of refunds is signed by nobody. It is a reason to ask, and the answer is what counts.

use std::{fs, time::Duration};

use e2e::{
    Part, World, eventually,
    sandbox_client::{Fault, FaultPoint, FaultRule, RefundState as AtWechat, always},
    selling::{MERCHANT, MINI_PROGRAM, Refund, RefundState, State},
    story,
};
use wechat_pay::v2::{
    ApiKey, Fields,
    refund_notice::{SealKey, seal},
    xml,
};

use super::{arrives, at_wechat, by_notices, money, sold, told, told_by_provider};

/// When the real schedule has asked twice about an accepted refund.
const BY_SCHEDULE: Duration = Duration::from_mins(1);

#[test]
fn when_every_notice_is_lost_the_schedule_finds_what_became_of_a_refund() {
    story(e2e::Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let lost = world.sandbox.fault(always(FaultPoint::RefundCallback, Fault::Lose)).await;
        let mut refunds = Vec::new();
        for (ending, expected) in [
            (AtWechat::Success, RefundState::Succeeded),
            (AtWechat::Change, RefundState::Abnormal),
            (AtWechat::RefundClose, RefundState::Closed),
        ] {
            let refund = sold(world, 100).await.order().refund(100).await;
            refund.becomes(RefundState::Processing).await;
            world.sandbox.settle(refund.out_refund_no(), ending).await;
            refunds.push((refund, expected));
        }
        eventually("each notice is lost", async || 3 <= world.sandbox.hits(&lost).await).await;
        world.pass(BY_SCHEDULE).await;
        for (refund, expected) in &refunds {
            refund.becomes(*expected).await;
        }
        assert_eq!(world.facts("pay.v1.refund.noticed.>").await, []);
        let fact = told_by_provider(world, "pay.v1.refund.succeeded.acme-mini", &refunds[0].0).await;
        assert_eq!(fact.text("source"), "SOURCE_QUERY");
        // And who asks by hand is answered at once.
        let refund = sold(world, 100).await.order().refund(1).await;
        refund.becomes(RefundState::Processing).await;
        world.sandbox.settle(refund.out_refund_no(), AtWechat::Success).await;
        refund.becomes_when_asked(RefundState::Succeeded).await;
    });
}

#[test]
fn notices_that_come_twice_out_of_order_or_spoiled_change_nothing_wrongly() {
    story(by_notices(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let tampered =
            |field: &str, value: &str| Fault::Tamper { field: Some(field.to_owned()), value: Some(value.to_owned()) };
        let mut refunds = Vec::new();
        for (fault, times) in [
            (Fault::Duplicate { copies: 5 }, 1),
            (Fault::Forge, 1),
            (tampered("refund_status", "REFUNDCLOSE"), 1),
            (tampered("refund_fee", "1"), 1),
            (tampered("out_refund_no", "00000000000000000000000000000000"), 1),
            (tampered("success_time", "2001-01-01 00:00:00"), 1),
        ] {
            let sold = sold(world, 100).await;
            let number = Some(sold.out_trade_no().to_owned());
            let rule = FaultRule { out_trade_no: number, times, ..always(FaultPoint::RefundCallback, fault.clone()) };
            let rule = world.sandbox.fault(rule).await;
            let refund = sold.order().refund(100).await;
            refund.becomes(RefundState::Processing).await;
            world.sandbox.settle(refund.out_refund_no(), AtWechat::Success).await;
            eventually("the notice is spoiled", async || 1 <= world.sandbox.hits(&rule).await).await;
            refunds.push((refund, fault));
        }
        // WeChat comes again with what was refused.
        world.pass(Duration::from_secs(20)).await;
        for (refund, fault) in &refunds {
            let back = refund.becomes_when_asked(RefundState::Succeeded).await;
            let there = at_wechat(world, refund).await;
            assert_eq!(back.success_time, there.settled_at.map(proto::time::to_wire), "{fault:?}");
            assert_eq!(money(refund.order()).await, (State::Refunded, 100, 0), "{fault:?}");
            told(world, "order.v1.order.refunded.shop", refund).await;
        }
        world.tells("pay.v1.refund.succeeded.>", refunds.len()).await;
        assert_eq!(world.facts("pay.v1.refund.closed.>").await, []);
        assert_eq!(world.facts("order.v1.refund.failed.>").await, []);
    });
}

#[test]
fn an_old_notice_that_comes_after_the_last_one_takes_nothing_back() {
    story(by_notices(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let sold = sold(world, 100).await;
        let number = Some(sold.out_trade_no().to_owned());
        let refund = sold.order().refund(100).await;
        refund.becomes(RefundState::Processing).await;
        // That it bounced is told later than that it arrived in the end.
        let held = FaultRule {
            out_trade_no: number,
            times: 1,
            ..always(FaultPoint::RefundCallback, Fault::Delay { delay_ms: 60_000 })
        };
        let held = world.sandbox.fault(held).await;
        world.sandbox.settle(refund.out_refund_no(), AtWechat::Change).await;
        eventually("it is held", async || world.sandbox.hits(&held).await == 1).await;
        arrives(world, &refund).await;
        let back = refund.now().await;
        world.pass(Duration::from_secs(70)).await;
        world.sandbox.refund_delivered(refund.out_refund_no(), AtWechat::Change).await;
        world.tells("pay.v1.refund.noticed.acme-mini", 2).await;
        assert_eq!(refund.refreshed().await, back);
        assert_eq!(world.facts("order.v1.refund.failed.>").await, []);
    });
}

#[test]
fn a_notice_that_somebody_forges_with_our_key_only_lets_us_ask() {
    story(by_notices(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let sold = sold(world, 100).await;
        let refund = sold.order().refund(100).await;
        refund.becomes(RefundState::Processing).await;
        let asked = [("outcome", "STATE_PROCESSING")];
        for (count, word) in (1..).zip(["SUCCESS", "REFUNDCLOSE", "CHANGE", "SOMETHING_NEW"]) {
            forge(world, &refund, sold.out_trade_no(), word).await;
            world.counts(Part::OrderSvc, "refund_queries_total", &asked, count).await;
            assert_eq!(refund.now().await.state(), RefundState::Processing, "{word}");
        }
        assert_eq!(money(sold.order()).await, (State::Paid, 0, 100));
        // The truth is heard when it comes.
        world.sandbox.settle(refund.out_refund_no(), AtWechat::Success).await;
        refund.becomes_when_asked(RefundState::Succeeded).await;
        world.tells("pay.v1.refund.succeeded.>", 1).await;
    });
}

/// Somebody who holds the account's key says that a refund came to this state.
async fn forge(world: &World, refund: &Refund, out_trade_no: &str, status: &str) {
    let merchants = world.folder().join("merchants");
    let key = fs::read_to_string(merchants.join(format!("{MERCHANT}.key"))).expect("it is there");
    let key = SealKey::of(&ApiKey::parse(key.trim()).expect("it is a key"));
    let told = refund.now().await;
    let transaction = refund.order().now().await.payments[0].transaction_id.clone();
    let inner: Fields = [
        ("out_refund_no", refund.out_refund_no()),
        ("out_trade_no", out_trade_no),
        ("refund_fee", "100"),
        ("refund_id", &told.refund_id),
        ("refund_status", status),
        ("settlement_refund_fee", "100"),
        ("settlement_total_fee", "100"),
        ("success_time", ""),
        ("total_fee", "100"),
        ("transaction_id", &transaction),
    ]
    .into_iter()
    .collect();
    let mut outer: Fields =
        [("return_code", "SUCCESS"), ("appid", MINI_PROGRAM), ("mch_id", "1900000109"), ("nonce_str", "forged")]
            .into_iter()
            .collect();
    outer.insert("req_info", seal(&inner, &key));
    let url = format!("{}/notify/wechat-v2/{MERCHANT}/refund", world.addresses().notify.url());
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    let answer = client.post(url).body(xml::write("xml", &outer)).send().await.expect("an answer");
    let code = answer.status();
    let text = answer.text().await.expect("a text");
    assert!(code.is_success() && text.contains("SUCCESS"), "{code} {text}");
}

//! What reconciliation asks for, in a whole world: WeChat is asked, its word goes down the normal road, and the books follow.

use e2e::{
    Options, eventually,
    repairing::repair,
    sandbox_client::{Fault, FaultPoint, FaultRule, RefundState as AtWechat, once},
    selling::{Cause, RefundState, State},
    story,
};
use proto::event::{
    OrderRefunded, PaymentPaid, RefundAccepted, RepairAction, RepairRequested, Source, repair_answered::Outcome,
};

use crate::refund::{sold, told};

/// A refund that was made in the merchant platform, as a bill has it.
fn import(cashier: &e2e::selling::Cashier, refund: &e2e::sandbox_client::Refund) -> RepairRequested {
    RepairRequested {
        code: "R1".to_owned(),
        out_refund_no: refund.out_refund_no.clone(),
        refund_id: refund.refund_id.clone(),
        bill_amount_fen: refund.amount_fen,
        ..repair(RepairAction::ImportRefund, cashier)
    }
}

#[test]
fn a_payment_that_nobody_told_about_is_found_by_asking_once_more() {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        let number = Some(cashier.out_trade_no().to_owned());
        world.sandbox.fault(FaultRule { out_trade_no: number, ..once(FaultPoint::Callback, Fault::Lose) }).await;
        cashier.pay().await;
        let request = repair(RepairAction::QueryPayment, &cashier);
        let (outcome, detail) = world.repaired(&request).await;
        assert_eq!(outcome, Outcome::Applied, "{detail}");
        cashier.order().becomes(State::Paid).await;
        let fact = eventually("its fact is told", async || world.facts("pay.v1.payment.paid.>").await.pop()).await;
        assert_eq!(fact.event::<PaymentPaid>().source(), Source::Reconcile);
        // Repeated, asked for as another one, and told once more.
        world.ask_for_repair(&request).await;
        assert_eq!(world.repaired(&repair(RepairAction::QueryPayment, &cashier)).await.0, Outcome::Confirmed);
        assert_eq!(world.repaired(&repair(RepairAction::RepublishPayment, &cashier)).await.0, Outcome::Applied);
        // Within the stream's duplicate window it stays one message, however often it is told.
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 1);
    });
}

#[test]
fn a_refund_of_the_merchant_platform_comes_into_the_books_and_its_order_follows() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let cashier = sold(world, 100).await;
        let made = world.sandbox.refund_at_platform(cashier.out_trade_no(), Some(30)).await;
        let (outcome, detail) = world.repaired(&import(&cashier, &made)).await;
        assert_eq!(outcome, Outcome::Applied, "{detail}");
        let refunds = cashier.order().has_refunds(1).await;
        let refund = &refunds[0];
        assert_eq!((refund.written().cause(), refund.written().state()), (Cause::External, RefundState::Processing));
        assert_eq!(refund.out_refund_no(), made.out_refund_no);
        let accepted: RefundAccepted = told(world, "order.v1.refund.accepted.shop", refund).await.event();
        assert_eq!((accepted.cause.as_str(), accepted.refund_id.as_str()), ("EXTERNAL", made.refund_id.as_str()));

        world.sandbox.settle(&made.out_refund_no, AtWechat::Success).await;
        refund.becomes_when_asked(RefundState::Succeeded).await;
        let refunded: OrderRefunded = told(world, "order.v1.order.refunded.shop", refund).await.event();
        assert_eq!((refunded.cause.as_str(), refunded.refunded_fen), ("EXTERNAL", 30));
        assert_eq!(world.repaired(&import(&cashier, &made)).await.0, Outcome::Confirmed);

        // The rest goes back by the team; then nothing is left, for nobody.
        let now = cashier.order().now().await;
        assert_eq!((now.state(), now.refunded_fen, now.refunding_fen), (State::PartiallyRefunded, 30, 0));
        assert!(cashier.order().refund(71).attempt().await.is_err());
        let rest = cashier.order().refund(70).await;
        rest.becomes(RefundState::Processing).await;
        world.sandbox.settle(rest.out_refund_no(), AtWechat::Success).await;
        rest.becomes_when_asked(RefundState::Succeeded).await;
        cashier.order().becomes(State::Refunded).await;
    });
}

//! Both sides have the payment, and say different things about it.

use e2e::{
    Options, World,
    reconciling::{Discrepancy, DiscrepancyState},
    sandbox_client::Misbilled,
    selling::{Cashier, MERCHANT, State},
    story,
};
use jiff::civil::Date;

use super::{
    super::{next_morning, noon, sell},
    finds_only, is_answered, is_clean,
};

/// Two payments, of which the bills say this about the second; asserts what the next morning finds.
async fn billed_wrong(world: &World, said: &Misbilled, code: &str, risk_fen: i64) -> (Date, Cashier, Discrepancy) {
    let day = noon(world).await;
    let mut sold = sell(world, MERCHANT, &[100, 250]).await;
    let cashier = sold.remove(1);
    world.sandbox.misbill(cashier.out_trade_no(), said).await;
    next_morning(world).await;
    let (_, found) = finds_only(world, day, code, risk_fen).await;
    assert_eq!(found.out_trade_no, cashier.out_trade_no());
    (day, cashier, found)
}

#[test]
fn p6_another_amount_in_the_bill_is_left_to_a_person() {
    story(Options::default().with_reconcile(), async |world| {
        let said = Misbilled { amount_fen: Some(230), ..Misbilled::default() };
        let (day, cashier, found) = billed_wrong(world, &said, "P6", 20).await;
        assert_eq!((found.bill_amount_fen, found.book_amount_fen), (230, 250));
        assert_eq!(found.state(), DiscrepancyState::Open);
        world.sandbox.misbill(cashier.out_trade_no(), &Misbilled::default()).await;
        is_clean(world, day).await;
        assert_eq!(world.facts("recon.v1.repair.requested.>").await, []);
    });
}

#[test]
fn p7_a_coupon_that_the_payer_did_not_use_is_told() {
    story(Options::default().with_reconcile(), async |world| {
        let said = Misbilled { coupon_fen: Some(10), ..Misbilled::default() };
        let (day, cashier, found) = billed_wrong(world, &said, "P7", 10).await;
        assert_eq!((found.bill_amount_fen, found.book_amount_fen), (250, 250));
        world.sandbox.misbill(cashier.out_trade_no(), &Misbilled::default()).await;
        is_clean(world, day).await;
    });
}

#[test]
fn p8_a_payment_that_the_bill_takes_back_is_asked_about_and_keeps_its_order_paid() {
    story(Options::default().with_reconcile(), async |world| {
        let said = Misbilled { revoked: true, ..Misbilled::default() };
        let (day, cashier, _) = billed_wrong(world, &said, "P8", 250).await;
        let found = is_answered(world, day, "P8").await;
        assert_eq!(found.state(), DiscrepancyState::Open, "{found:?}");
        assert_eq!(cashier.order().now().await.state(), State::Paid);
        world.sandbox.misbill(cashier.out_trade_no(), &Misbilled::default()).await;
        is_clean(world, day).await;
    });
}

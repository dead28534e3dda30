//! Money that no order keeps: two people decide that it goes back.

use e2e::{
    Options,
    sandbox_client::Pay,
    selling::{MERCHANT, State},
    story,
};

use super::{
    super::{next_morning, noon},
    finds_only,
};
use crate::{
    merchant_file::{change_for_all, holding},
    restart::is_told,
};

#[test]
fn p4_an_order_paid_twice_is_told_until_the_second_payment_goes_back() {
    story(Options::default().with_reconcile(), async |world| {
        change_for_all(world, holding).await;
        let day = noon(world).await;
        let first = world.open_cashier(100).await;
        let second = first.order().pay_by_openid().await;
        for cashier in [&first, &second] {
            cashier.pay_as(Pay { in_cashier: true, ..Pay::default() }).await;
            is_told(world, cashier.out_trade_no()).await;
        }
        first.order().becomes(State::Paid).await;
        world.tells("order.v1.payment.surplus.>", 1).await;
        next_morning(world).await;
        let (_, found) = finds_only(world, day, "P4", 100).await;
        assert_eq!((found.bill_amount_fen, found.book_amount_fen), (100, 100));
        let _ = MERCHANT;
    });
}

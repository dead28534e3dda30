//! What the provider keeps for itself.

use e2e::{Options, sandbox_client::Misbilled, selling::MERCHANT, story};

use super::{
    super::{next_morning, noon, sell},
    finds_only, is_clean,
};

#[test]
fn f1_a_fee_that_is_not_rate_times_amount_is_told_and_a_rounded_one_is_not() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        let sold = sell(world, MERCHANT, &[100, 99_999]).await;
        let number = sold[1].out_trade_no();
        // 0.60 % of 999.99 yuan are 5.99994; a fen more or less is rounding.
        let within = Misbilled { fee_milli_fen: Some(600_994), ..Misbilled::default() };
        world.sandbox.misbill(number, &within).await;
        next_morning(world).await;
        is_clean(world, day).await;

        let beyond = Misbilled { fee_milli_fen: Some(699_994), ..Misbilled::default() };
        world.sandbox.misbill(number, &beyond).await;
        let (_, found) = finds_only(world, day, "F1", 100).await;
        assert_eq!(found.out_trade_no, number);
        world.sandbox.misbill(number, &Misbilled::default()).await;
        is_clean(world, day).await;
    });
}

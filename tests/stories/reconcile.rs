//! The next morning: the bill against the books.

mod bill_refused;
mod by_itself;
mod clean;
mod codes;
mod differences;
mod lost_payment;
mod rebuilt;

use e2e::{
    World,
    reconciling::RunState,
    selling::{Cashier, State},
};
use jiff::civil::Date;
use proto::reconcile::v1::Run;

use crate::restart::is_told;

/// Noon of the next day in Beijing, and which day that is: far from midnight, so that a story is all of one day.
pub(crate) async fn noon(world: &World) -> Date {
    world.pass_to_next_day(12, 0).await;
    world.today().await
}

/// The next morning, when bills are made.
pub(crate) async fn next_morning(world: &World) {
    world.pass_to_next_day(10, 30).await;
}

/// Sells for these amounts; the users pay, and the teams hear of it.
pub(crate) async fn sell(world: &World, merchant: &str, amounts_fen: &[i64]) -> Vec<Cashier> {
    let mut cashiers = Vec::with_capacity(amounts_fen.len());
    for amount_fen in amounts_fen {
        let cashier = world.create_order(*amount_fen).merchant(merchant).await.pay_by_openid().await;
        cashier.pay().await;
        cashiers.push(cashier);
    }
    for cashier in &cashiers {
        is_told(world, cashier.out_trade_no()).await;
        cashier.order().becomes(State::Paid).await;
    }
    cashiers
}

/// Its differences: code, count, fen at risk.
fn differences(run: &Run) -> Vec<(&str, i64, i64)> {
    run.differences.iter().map(|of| (of.code.as_str(), of.count, of.sum_fen)).collect()
}

/// Asserts that everything of the day agrees, in this version.
fn assert_balanced(run: &Run, version: i32, count: i64, sum_fen: i64) {
    assert_eq!((run.state(), run.version, run.problem.as_str()), (RunState::Balanced, version, ""), "{run:?}");
    assert_eq!((run.bill_count, run.bill_sum_fen), (count, sum_fen));
    assert_eq!((run.book_count, run.book_sum_fen), (count, sum_fen));
    assert_eq!((run.matched_count, run.matched_sum_fen), (count, sum_fen));
    assert_eq!(differences(run), []);
    assert!(run.current);
}

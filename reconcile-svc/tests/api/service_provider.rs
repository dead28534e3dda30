//! A sub-merchant's account: the provider's number and app stand in the bill, the sub-merchant's own app opens the cashier.

use proto::reconcile::v1::run::State;
use wechat_pay::bill::TradeRow;

use crate::bill::{self, Payment};
use crate::gateway::Bill;
use crate::harness::World;

const SUB_MCH_ID: &str = "1900000315";
const PROVIDERS_APP: &str = "wx0000000000000c00";

/// A row as a service provider's bill has it.
fn row(payment: &Payment) -> TradeRow {
    TradeRow { appid: PROVIDERS_APP.to_owned(), sub_mch_id: Some(SUB_MCH_ID.to_owned()), ..payment.row() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_app_in_the_bill_is_no_difference() {
    let world = World::start().await;
    world.gateway.set_sub_mch_id(SUB_MCH_ID);
    let day = world.day();
    let payment = Payment::on(day, 100);
    world.book(&[&payment]).await;
    world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(bill::text(&[row(&payment)])));
    assert_eq!(world.run(day).await.state(), State::Balanced);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_another_sub_merchant_fails_the_control() {
    let world = World::start().await;
    let day = world.day();
    let payment = Payment::on(day, 100);
    world.book(&[&payment]).await;
    let other = TradeRow { sub_mch_id: Some("1900000316".to_owned()), ..row(&payment) };
    for (account, foreign) in [(SUB_MCH_ID, other), (SUB_MCH_ID, payment.row()), ("", row(&payment))] {
        world.gateway.set_sub_mch_id(account);
        world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(bill::text(&[foreign])));
        let run = world.run(day).await;
        assert_eq!((run.state(), run.matched_count), (State::ControlFailed, 0), "{account:?}");
        assert_eq!(run.problem, "trade bill, line 2: the row belongs to another sub-merchant", "{account:?}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kind_of_a_trade_is_an_open_set() {
    let world = World::start().await;
    let day = world.day();
    let kinds = ["JSAPI", "NATIVE", "APP", "MWEB", "MICROPAY", "FACE", "FACEPAY", "SOMETHING_NEW", ""];
    let payments = kinds.map(|_| Payment::on(day, 100));
    world.book(&payments.iter().collect::<Vec<_>>()).await;
    let rows =
        payments.iter().zip(kinds).map(|(payment, kind)| TradeRow { trade_type: kind.to_owned(), ..payment.row() });
    world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(bill::text(&rows.collect::<Vec<_>>())));
    let run = world.run(day).await;
    assert_eq!((run.state(), run.matched_count), (State::Balanced, 9));
    world.end().await;
}

//! A sub-merchant's account: the provider's number and app stand in the bill, the sub-merchant's own app opens the cashier.

use proto::event::PaymentCreated;
use proto::gateway::v1::payment_status::State as PaymentState;
use proto::gateway::v1::{PaidStatus, PaymentMethod, PaymentStatus};
use proto::reconcile::v1::run::State;
use proto::time::to_wire;
use wechat_pay::bill::TradeRow;

use crate::bill::{self, APP_ID, MCH_ID, Payment};
use crate::gateway::Bill;
use crate::harness::World;

const SUB_MCH_ID: &str = "1900000315";
const PROVIDERS_APP: &str = "wx0000000000000c00";

/// A row as a service provider's bill has it.
fn row(payment: &Payment) -> TradeRow {
    TradeRow { appid: PROVIDERS_APP.to_owned(), sub_mch_id: Some(SUB_MCH_ID.to_owned()), ..payment.row() }
}

fn issued(payment: &Payment, method: &str) -> PaymentCreated {
    PaymentCreated {
        sub_mch_id: SUB_MCH_ID.to_owned(),
        app_id: APP_ID.to_owned(),
        method: method.to_owned(),
        ..payment.issued()
    }
}

fn paid(payment: &Payment) -> PaymentStatus {
    let paid = PaidStatus {
        transaction_id: payment.transaction_id.clone(),
        amount_fen: payment.fen,
        payer_amount_fen: payment.fen,
        currency: "CNY".to_owned(),
        mch_id: MCH_ID.to_owned(),
        sub_mch_id: SUB_MCH_ID.to_owned(),
        app_id: APP_ID.to_owned(),
        service_provider_app_id: PROVIDERS_APP.to_owned(),
        out_trade_no: payment.out_trade_no.clone(),
        paid_time: Some(to_wire(payment.paid_time)),
        trade_type: "FACEPAY".to_owned(),
        bank_type: "OTHERS".to_owned(),
    };
    PaymentStatus { state: PaymentState::Paid.into(), paid: Some(paid), provider_state: "SUCCESS".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_payment_is_asked_about_as_its_attempt_was_made() {
    let world = World::start().await;
    world.gateway.set_sub_mch_id(SUB_MCH_ID);
    let day = world.day();
    let payment = Payment::on(day, 100);
    world.publish(&[issued(&payment, "facepay")]).await;
    world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(bill::text(&[row(&payment)])));
    world.gateway.set_payment(paid(&payment), &payment.out_trade_no);
    let first = world.run(day).await;
    assert_eq!((first.state(), first.differences[0].code.as_str()), (State::Differences, "P1"));

    let facts = world.messages("PAY", 1).await;
    let asked = &world.gateway.queries()[0];
    assert_eq!((asked.mch_id.as_str(), asked.sub_mch_id.as_str()), (MCH_ID, SUB_MCH_ID));
    assert_eq!(asked.app_id, APP_ID, "the app that opened the cashier, not the provider's of the bill");
    assert_eq!(asked.method(), PaymentMethod::Facepay);
    assert_eq!((&facts[0].1["subMchId"], &facts[0].1["appId"]), (&SUB_MCH_ID.into(), &APP_ID.into()));
    assert_eq!(facts[0].1["serviceProviderAppId"], PROVIDERS_APP);

    world.taken("PAY", 1).await;
    // The fact alone is no proof that an order took the money.
    world.publish(&[payment.order_paid()]).await;
    let second = world.run(day).await;
    assert_eq!((second.state(), second.version), (State::Balanced, 2));
    let kept: String = sqlx::query_scalar("SELECT sub_mch_id FROM provider_payments")
        .fetch_one(&world.pool)
        .await
        .expect("the fact is booked");
    assert_eq!(kept, SUB_MCH_ID);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_event_of_an_attempt_does_not_say_comes_from_the_account_and_the_bill() {
    let world = World::start().await;
    world.gateway.set_sub_mch_id(SUB_MCH_ID);
    let day = world.day();
    let payment = Payment::on(day, 100);
    world.publish(&[payment.issued()]).await;
    world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(bill::text(&[row(&payment)])));
    world.run(day).await;
    world.counted("discrepancy_queries_total{outcome=\"not_paid\"}").await;
    let asked = &world.gateway.queries()[0];
    assert_eq!((asked.sub_mch_id.as_str(), asked.app_id.as_str()), (SUB_MCH_ID, PROVIDERS_APP));
    assert_eq!(asked.method(), PaymentMethod::Unspecified);
    world.end().await;
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
        assert_eq!(run.problem, "line 2: the row belongs to another sub-merchant", "{account:?}");
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

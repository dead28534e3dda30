use proto::event::Source;
use proto::gateway::v1::payment_status::State as PaymentState;
use proto::gateway::v1::{PaidStatus, PaymentStatus};
use proto::reconcile::v1::discrepancy::State as DiscrepancyState;
use proto::reconcile::v1::run::State;
use proto::time::to_wire;

use crate::bill::{self, APP_ID, MCH_ID, Payment};
use crate::harness::World;

fn paid(payment: &Payment) -> PaymentStatus {
    let paid = PaidStatus {
        transaction_id: payment.transaction_id.clone(),
        amount_fen: payment.fen,
        payer_amount_fen: payment.fen,
        currency: "CNY".to_owned(),
        mch_id: MCH_ID.to_owned(),
        app_id: APP_ID.to_owned(),
        out_trade_no: payment.out_trade_no.clone(),
        paid_time: Some(to_wire(payment.paid_time)),
        trade_type: "JSAPI".to_owned(),
        bank_type: "OTHERS".to_owned(),
        ..Default::default()
    };
    PaymentStatus { state: PaymentState::Paid.into(), paid: Some(paid), provider_state: "SUCCESS".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_payment_in_the_bill_is_asked_about_and_a_verified_yes_goes_down_the_normal_road() {
    let world = World::start().await;
    let day = world.day();
    let payment = Payment::on(day, 100);
    world.publish(&[payment.issued()]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    world.gateway.set_payment(paid(&payment), &payment.out_trade_no);
    let first = world.run(day).await;
    assert_eq!((first.state(), first.differences[0].code.as_str()), (State::Differences, "P1"));

    let facts = world.messages("PAY", 1).await;
    assert_eq!(facts[0].0, "pay.v1.payment.paid.acme-mini");
    let fact = &facts[0].1;
    assert_eq!((&fact["outTradeNo"], &fact["amountFen"]), (&payment.out_trade_no.clone().into(), &"100".into()));
    assert_eq!((&fact["source"], &fact["provider"]), (&Source::Reconcile.as_str_name().into(), &"wechat-v2".into()));
    let asked = world.gateway.queries();
    assert_eq!((asked[0].mch_id.as_str(), asked[0].app_id.as_str()), (MCH_ID, APP_ID));

    // Its own fact comes back over the bus as any other, and is no proof that an order took the money.
    world.taken("PAY", 1).await;
    let second = world.run(day).await;
    assert_eq!((second.state(), second.version), (State::Differences, 2));
    assert_eq!((second.differences[0].code.as_str(), second.differences[0].count), ("P1", 1));
    assert_eq!(world.discrepancies().await[0].state(), DiscrepancyState::Open);
    // An order takes it; the next version balances.
    world.publish(&[payment.order_paid()]).await;
    let third = world.run(day).await;
    assert_eq!((third.state(), third.version), (State::Balanced, 3));
    assert_eq!(world.discrepancies().await[0].state(), DiscrepancyState::Resolved);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bill_alone_proves_nothing() {
    let world = World::start().await;
    let day = world.day();
    let (not_paid, other) = (Payment::on(day, 100), Payment::on(day, 200));
    world.publish(&[not_paid.issued(), other.issued()]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&not_paid, &other]));
    let open = PaymentStatus { state: PaymentState::NotPaid.into(), ..PaymentStatus::default() };
    world.gateway.set_payment(open, &not_paid.out_trade_no);
    // An answer about another number is no answer.
    world.gateway.set_payment(paid(&not_paid), &other.out_trade_no);
    world.run(day).await;
    world.counted("discrepancy_queries_total{outcome=\"not_paid\"}").await;
    world.counted("discrepancy_queries_total{outcome=\"unknown\"}").await;
    // Both questions are answered and done; a fact would have been written before they were counted.
    let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox WHERE ce_type LIKE '%PaymentPaid'")
        .fetch_one(&world.pool)
        .await
        .expect("a count");
    let stream = world.bus.jetstream().get_stream("PAY").await.expect("the stream");
    assert_eq!((waiting, stream.cached_info().state.messages), (0, 0));
    world.end().await;
}

//! What the provider told while it happened, or did not.

use e2e::{
    Options,
    reconciling::DiscrepancyState,
    sandbox_client::{Fault, FaultPoint, always, once},
    selling::{MERCHANT, MINI_PROGRAM, State},
    story,
};
use proto::event::{PaymentPaid, Source};
use svc_kit::bus::Message;

use super::{
    super::{differences, next_morning, noon, sell},
    finds_only, is_answered, is_clean,
};

#[test]
fn p3_a_payment_under_a_number_that_we_never_gave_out_calls_for_a_person() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        next_morning(world).await;
        world.sandbox.fault(once(FaultPoint::DownloadBill, Fault::ExtraRow)).await;
        let run = world.reconcile_day(MERCHANT, day).await;
        assert_eq!(differences(&run), [("P3", 1, 100)]);
        // Its money did not move either, which may still come.
        assert_eq!(run.waiting_count, 1);
        let found = world.discrepancies(MERCHANT, day).await;
        let stranger = found.iter().find(|found| found.code == "P3").expect("it is listed");
        assert!(stranger.critical && stranger.state() == DiscrepancyState::Open, "{stranger:?}");
        is_clean(world, day).await;
    });
}

#[test]
fn p9_a_paid_order_whose_fact_never_reached_the_bus_has_it_told_again() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let cashier = world.open_cashier(250).await;
        // Whoever asks WeChat tells what it says. Here that is lost between the books and the bus.
        let orders = world.postgres.pool("orders");
        for sql in [
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "CREATE TRIGGER lose BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.subject LIKE 'pay.v1.payment.paid.%')
             EXECUTE FUNCTION lose()",
        ] {
            sqlx::query(sql).execute(&orders).await.expect(sql);
        }
        cashier.pay().await;
        cashier.order().becomes_when_asked(State::Paid).await;
        sqlx::query("DROP TRIGGER lose ON outbox").execute(&orders).await.expect("it is there");
        orders.close().await;
        assert_eq!(world.facts("pay.v1.payment.paid.>").await, []);

        next_morning(world).await;
        let (_, found) = finds_only(world, day, "P9", 0).await;
        assert_eq!((found.bill_amount_fen, found.book_amount_fen), (250, 250));
        is_answered(world, day, "P9").await;
        let told = world.tells("pay.v1.payment.paid.>", 1).await;
        assert_eq!(told[0].event::<PaymentPaid>().source(), Source::Reconcile);
        is_clean(world, day).await;
    });
}

#[test]
fn p10_a_fact_that_no_order_took_and_no_bill_has_is_told() {
    story(Options::default().with_reconcile().dead_letters(1).unsettled(), async |world| {
        let day = noon(world).await;
        let sold = sell(world, MERCHANT, &[100]).await;
        // Somebody who can write onto the bus makes up a payment.
        let made_up = PaymentPaid {
            out_trade_no: "0123456789abcdef0123456789abcdef".to_owned(),
            transaction_id: "4200009999202611290000000001".to_owned(),
            amount_fen: 70,
            payer_amount_fen: 70,
            app_id: MINI_PROGRAM.to_owned(),
            ..world.tells("pay.v1.payment.paid.>", 1).await[0].event::<PaymentPaid>()
        };
        let message = Message::from_event(&made_up, "notify-svc").expect("a fact is an event");
        let (streams, mut headers) = (world.streams().await, message.headers.clone());
        headers.insert(proto::bus::header::MSG_ID, message.id.as_str());
        let sent = streams.jetstream().publish_with_headers(message.subject.clone(), headers, message.payload.clone());
        sent.await.expect("the bus takes it").await.expect("it is stored");
        world.tells("dead.v1.>", 1).await;

        next_morning(world).await;
        let (_, found) = finds_only(world, day, "P10", 70).await;
        assert_eq!((found.bill_amount_fen, found.book_amount_fen), (0, 70));
        assert_eq!(found.out_trade_no, made_up.out_trade_no);
        assert_eq!(world.facts("recon.v1.repair.requested.>").await, []);
        assert_eq!(sold[0].order().now().await.state(), State::Paid);
    });
}

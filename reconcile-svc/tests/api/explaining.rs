use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use money::Fen;
use proto::reconcile::v1::resolve_discrepancy_request::Step;
use proto::reconcile::v1::{
    ExplainDiscrepancyRequest, ExplainDiscrepancyResponse, Leg, ListDiscrepanciesRequest, ResolveDiscrepancyRequest,
    Run,
};
use sha2::{Digest as _, Sha256};
use svc_kit::refusal::reason_of;
use uuid::Uuid;
use wechat_pay::bill::TradeRow;

use crate::bill::{self, APP, MERCHANT, Payment};
use crate::gateway::Bill;
use crate::harness::World;
use crate::people::{ONE, request};

impl World {
    pub(crate) async fn explained(&self, name: &str) -> ExplainDiscrepancyResponse {
        let request = ExplainDiscrepancyRequest { name: name.to_owned() };
        self.client.clone().explain_discrepancy(request).await.expect("an explanation").into_inner()
    }

    /// The trade bill of a run is kept, in pieces that cut it anywhere.
    async fn kept(&self, run: &Run, text: &[u8]) {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text).expect("memory takes every write");
        let gzip = gzip.finish().expect("memory takes every write");
        let (bill, sha256) = (Uuid::new_v4(), reconcile_svc::resolution::audit::hex(&Sha256::digest(text)));
        let run_id: Uuid = run.name.trim_start_matches("runs/").parse().expect("a UUID");
        sqlx::query(
            "INSERT INTO bills (bill_id, merchant, bill_date, kind, sha256, bytes, stored_bytes, fetch_time)
             SELECT $1, merchant, bill_date, 'TRADE', $3, 1, 1, now() FROM runs WHERE run_id = $2 ON CONFLICT DO NOTHING",
        )
        .bind(bill)
        .bind(run_id)
        .bind(&sha256)
        .execute(&self.pool)
        .await
        .expect("a bill");
        for (number, piece) in (0_i32..).zip(gzip.chunks(100)) {
            sqlx::query("INSERT INTO bill_pieces SELECT bill_id, $2, $3 FROM bills WHERE bill_id = $1")
                .bind(bill)
                .bind(number)
                .bind(piece)
                .execute(&self.pool)
                .await
                .expect("a piece");
        }
        sqlx::query("INSERT INTO run_inputs VALUES ($1, 'TRADE', 'READ', $2, 1) ON CONFLICT DO NOTHING")
            .bind(run_id)
            .bind(&sha256)
            .execute(&self.pool)
            .await
            .expect("an input");
    }
}

pub(crate) fn value<'a>(leg: &'a Leg, name: &str) -> Option<(&'a str, bool)> {
    leg.fields.iter().find(|field| field.name == name).map(|field| (field.value.as_str(), field.differs))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_four_legs_stand_side_by_side_and_what_differs_is_marked() {
    let world = World::start().await;
    let day = world.day();
    let payment = Payment::on(day, 100);
    let others: Vec<Payment> = (1..=300).map(|fen| Payment::on(day, fen)).collect();
    world.book(&[&payment]).await;
    let row = TradeRow { total_fee: Fen::new(101), settlement_total_fee: Fen::new(101), ..payment.row() };
    let rows: Vec<TradeRow> = others.iter().map(Payment::row).chain([row]).collect();
    let text = bill::text(&rows);
    world.gateway.set_bill(MERCHANT, day, Bill::Whole(text.clone()));
    let run = world.run(day).await;
    world.kept(&run, &text).await;
    let amounts = ListDiscrepanciesRequest { code: "P6".to_owned(), ..ListDiscrepanciesRequest::default() };
    let found =
        world.client.clone().list_discrepancies(amounts).await.expect("a list").into_inner().discrepancies.remove(0);
    let note = ResolveDiscrepancyRequest { note: "问过微信".to_owned(), ..request(&found, Step::Note) };
    world.resolve(ONE, note).await.expect("a note");

    let explained = world.explained(&found.name).await;
    assert_eq!(explained.discrepancy.as_ref(), Some(&found));
    let [orders, provider, trade, _] = &explained.legs[..] else { panic!("four legs: {explained:?}") };
    assert_eq!((orders.leg.as_str(), provider.leg.as_str(), trade.leg.as_str()), ("O", "E", "T"));
    assert_eq!(value(orders, "accepted"), Some(("1.00", true)));
    assert_eq!(value(orders, "payment"), Some(("paid", false)));
    assert_eq!(value(orders, "order_no"), Some((payment.order_no.as_str(), false)));
    assert_eq!(value(provider, "amount"), Some(("1.00", true)));
    assert_eq!(value(provider, "told by"), Some(("the provider's callback", false)));
    assert_eq!(value(trade, "订单金额"), Some(("1.01", true)));
    assert_eq!(value(trade, "交易状态"), Some(("SUCCESS", false)));
    assert_eq!(value(trade, "line"), Some(("302", false)));
    let shown = format!("{explained:?}");
    assert!(!shown.contains("oPayer") && !shown.contains("绿茶"), "neither the payer nor what was bought: {shown}");

    assert_eq!(explained.next_steps, ["STEP_PROPOSE", "STEP_WAIVE", "STEP_NOTE", "STEP_ASSIGN"]);
    let history: Vec<_> = explained.history.iter().map(|row| (row.actor.as_str(), row.action.as_str())).collect();
    assert_eq!(history, [("reconcile-svc", "OPENED"), (ONE, "NOTED")]);
    assert_eq!(explained.history[1].discrepancy, found.name);
    assert_eq!(explained.order, format!("orders/{}", payment.order_id));
    assert_eq!((explained.app.as_str(), explained.order_no.as_str()), (APP, payment.order_no.as_str()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_longer_kept_is_said_to_be() {
    let world = World::start().await;
    let day = world.day();
    let text = bill::text(&[Payment::on(day, 100).row()]);
    world.gateway.set_bill(MERCHANT, day, Bill::Whole(text.clone()));
    let run = world.run(day).await;
    world.kept(&run, &text).await;
    let found = world.discrepancies().await.remove(0);
    let explained = world.explained(&found.name).await;
    assert_eq!(value(&explained.legs[2], "商户订单号").expect("its row").0, found.out_trade_no);
    assert!(value(&explained.legs[2], "商户订单号").expect("its row").1, "that number is the difference");
    assert_eq!((explained.legs[0].fields.len(), explained.legs[1].fields.len()), (0, 0), "we have nothing");
    assert_eq!((explained.order.as_str(), explained.app.as_str()), ("", ""));

    sqlx::query("DELETE FROM bills").execute(&world.pool).await.expect("a deletion");
    let explained = world.explained(&found.name).await;
    assert_eq!(value(&explained.legs[2], "file"), Some(("no longer kept: its time is over", false)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_cannot_be_explained() {
    let world = World::start().await;
    let request = ExplainDiscrepancyRequest { name: format!("discrepancies/{}", Uuid::from_u128(1)) };
    let status = world.client.clone().explain_discrepancy(request).await.expect_err("there is none");
    assert_eq!(reason_of(&status).as_deref(), Some("DISCREPANCY_NOT_FOUND"));
    let request = ExplainDiscrepancyRequest { name: "runs/1".to_owned() };
    let status = world.client.clone().explain_discrepancy(request).await.expect_err("no name");
    assert_eq!(reason_of(&status).as_deref(), Some("INVALID_ARGUMENT"));
    world.end().await;
}

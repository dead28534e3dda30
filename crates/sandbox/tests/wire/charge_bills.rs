use std::time::Duration;

use jiff::{SignedDuration, civil::Date};
use sandbox::control::PayBehaviour;
use wechat_pay::{
    bill::{BillFailure, BillState, Expected, Summary, TradeBillReader, TradeRow, plain},
    time,
    v2::xml,
};

use crate::harness::{ACME, Bench, outcome};

async fn download(bench: &Bench, day: Date, bill_type: &str) -> Vec<u8> {
    let fields = ACME.signed(&[("bill_date", &time::print_date(day)), ("bill_type", bill_type)]);
    let response = bench.send("/pay/downloadbill", xml::write("xml", &fields).into_bytes()).await.unwrap();
    response.bytes().await.unwrap().to_vec()
}

fn read(body: &[u8], day: Date) -> (Vec<TradeRow>, Summary) {
    let expected = Expected { mch_id: ACME.mch_id.to_owned(), bill_date: Some(day) };
    let mut reader = TradeBillReader::open(plain(body).unwrap(), expected).unwrap();
    let rows: Vec<TradeRow> = reader.by_ref().collect::<Result<_, _>>().unwrap();
    (rows, reader.finish().unwrap())
}

/// A bench shortly before midnight, and the day that ends.
async fn evening() -> (Bench, Date) {
    let bench = Bench::start().await;
    let day = time::bill_date(bench.clock().await.now).tomorrow().unwrap();
    bench.advance_to(time::day_start(day.tomorrow().unwrap()).unwrap() - SignedDuration::from_mins(10)).await;
    (bench, day)
}

#[tokio::test]
async fn a_bill_says_how_it_was_paid() {
    let (bench, day) = evening().await;
    bench.charged("A00000001", PayBehaviour::Pays).await;
    let face = bench.face_code().await;
    bench.micropay("A00000002", &face.face_code).await;
    bench.sell(&ACME, "A00000003", 100).await;
    bench.charged("A00000004", PayBehaviour::NoMoney).await;
    bench.advance(Duration::from_hours(12)).await;
    let (rows, summary) = read(&download(&bench, day, "ALL").await, day);
    let types: Vec<_> = rows.iter().map(|row| (row.out_trade_no.as_str(), row.trade_type.as_str())).collect();
    assert_eq!(types, [("A00000001", "MICROPAY"), ("A00000002", "FACE"), ("A00000003", "JSAPI")]);
    assert_eq!(summary.rows, 3);
}

#[tokio::test]
async fn a_reversal_stands_beside_its_payment_on_the_day_it_was_made() {
    let (bench, day) = evening().await;
    let next = day.tomorrow().unwrap();
    for number in ["A00000001", "A00000002"] {
        bench.charged(number, PayBehaviour::Pays).await;
    }
    bench.charged("A00000003", PayBehaviour::Password).await;
    bench.advance(Duration::from_secs(20)).await;
    // One before midnight, one after; and one that never brought money.
    assert_eq!(outcome(&bench.reverse("A00000001").await), "SUCCESS");
    bench.advance(Duration::from_mins(20)).await;
    assert_eq!(outcome(&bench.reverse("A00000002").await), "SUCCESS");
    assert_eq!(outcome(&bench.reverse("A00000003").await), "SUCCESS");
    bench.advance(Duration::from_hours(36)).await;

    let (rows, summary) = read(&download(&bench, day, "ALL").await, day);
    let states: Vec<_> = rows.iter().map(|row| (row.out_trade_no.as_str(), &row.state)).collect();
    let expected =
        [("A00000001", &BillState::Success), ("A00000002", &BillState::Success), ("A00000001", &BillState::Revoked)];
    assert_eq!(states, expected);
    let reversal = rows[2].refund.as_ref().unwrap();
    assert_eq!(
        (reversal.refund_fee.get(), rows[2].total_fee.get(), rows[2].fee.to_yuan()),
        (100, 0, "-0.00600".into())
    );
    assert_eq!((rows[2].transaction_id.as_str(), rows[2].trade_type.as_str()), (&*rows[0].transaction_id, "MICROPAY"));
    assert_eq!((summary.total_fee.unwrap().get(), summary.refund_fee.unwrap().get()), (200, 100));
    assert_eq!(summary.fee.to_yuan(), "0.00600");

    let (rows, _) = read(&download(&bench, next, "ALL").await, next);
    assert_eq!((rows.len(), &rows[0].state, rows[0].out_trade_no.as_str()), (1, &BillState::Revoked, "A00000002"));
    assert_eq!(read(&download(&bench, next, "REFUND").await, next).0.len(), 1);
    assert_eq!(read(&download(&bench, day, "SUCCESS").await, day).0.len(), 2);
    assert_eq!(BillFailure::parse(&download(&bench, next, "SUCCESS").await), Some(BillFailure::NoBillExist));
}

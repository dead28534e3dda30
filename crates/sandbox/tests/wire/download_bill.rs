use std::time::Duration;

use jiff::{SignedDuration, civil::Date};
use sandbox::control::{Paid, Pay, RefundState};
use serde_json::json;
use wechat_pay::{
    bill::{BillError, BillFailure, BillState, Expected, Summary, TradeBillReader, TradeRow, plain},
    time,
    v2::Fields,
};

use crate::harness::{ACME, Account, Bench, TEA};

const PATH: &str = "/pay/downloadbill";

/// A bench where amounts were paid on one day, moved to 10:05 of the next one.
async fn morning_after(amounts: &[i64]) -> (Bench, Date, Vec<Paid>) {
    let bench = Bench::start().await;
    // Away from midnight, so that all payments are of one day.
    let tomorrow = time::bill_date(bench.clock().await.now).tomorrow().unwrap();
    bench.advance_to(time::day_start(tomorrow).unwrap() + SignedDuration::from_hours(8)).await;
    let mut paid = Vec::new();
    for (at, fen) in amounts.iter().enumerate() {
        let number = format!("A{at:08}");
        bench.place(&ACME, &number, &[("total_fee", &fen.to_string()), ("attach", "cart, 7")]).await;
        paid.push(bench.pay(&number, &Pay::default()).await);
    }
    let morning = time::day_start(tomorrow.tomorrow().unwrap()).unwrap() + SignedDuration::from_mins(605);
    bench.advance_to(morning).await;
    (bench, tomorrow, paid)
}

async fn download(bench: &Bench, account: &Account, fields: &[(&str, &str)]) -> Vec<u8> {
    let request = wechat_pay::v2::xml::write("xml", &account.signed(fields)).into_bytes();
    let response = bench.send(PATH, request).await.unwrap();
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap().to_vec()
}

fn read(body: &[u8], day: Date) -> Result<(Vec<TradeRow>, Summary), BillError> {
    let expected = Expected { mch_id: ACME.mch_id.to_owned(), bill_date: Some(day) };
    let mut reader = TradeBillReader::open(plain(body).unwrap(), expected)?;
    let rows: Vec<TradeRow> = reader.by_ref().collect::<Result<_, _>>()?;
    Ok((rows, reader.finish()?))
}

#[tokio::test]
async fn a_bill_has_every_payment_of_its_day_and_balances() {
    let (bench, day, paid) = morning_after(&[1, 600, 12_345]).await;
    let body = download(&bench, &ACME, &[("bill_date", &time::print_date(day))]).await;
    assert!(body.starts_with("\u{feff}交易时间,".as_bytes()) && body.ends_with(b"\r\n"));
    let (rows, summary) = read(&body, day).unwrap();
    let billed: Vec<_> =
        rows.iter().map(|row| (row.transaction_id.clone(), row.total_fee.get(), row.trade_time)).collect();
    let made: Vec<_> = paid.iter().map(|paid| (paid.transaction_id.clone(), paid.amount_fen, paid.paid_at)).collect();
    assert_eq!(billed, made);
    let fees: Vec<String> = rows.iter().map(|row| row.fee.to_yuan()).collect();
    assert_eq!(fees, ["0.00006", "0.03600", "0.74070"]);
    assert_eq!((summary.rows, summary.settlement_total_fee.get()), (3, 12_946));
    assert!(rows.iter().all(|row| row.rate == "0.60%" && row.attach == "cart, 7" && row.body == "通宝-苹果"));
}

#[tokio::test]
async fn a_bill_of_payments_leaves_the_refund_columns_out() {
    let (bench, day, _) = morning_after(&[100, 200]).await;
    let fields = [("bill_date", &*time::print_date(day)), ("bill_type", "SUCCESS")];
    let body = download(&bench, &ACME, &fields).await;
    let text = String::from_utf8(body.clone()).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    assert_eq!(header.len(), 20);
    assert_eq!(header[14..], ["商品名称", "商户数据包", "手续费", "费率", "订单金额", "费率备注"]);
    let (rows, summary) = read(&body, day).unwrap();
    assert_eq!((rows.len(), summary.rows), (2, 2));
}

/// A bench where an order of ten yuan was paid late on one day and refunded in two parts soon after midnight, of which
/// the second bounced before the bill was made and arrived later; moved to noon after the refunds' bill.
async fn refunded_over_midnight() -> (Bench, Date) {
    let bench = Bench::start().await;
    bench.settle_delay(None).await;
    let day = time::bill_date(bench.clock().await.now).tomorrow().unwrap();
    let midnight = time::day_start(day.tomorrow().unwrap()).unwrap();
    bench.advance_to(midnight - SignedDuration::from_mins(10)).await;
    bench.place(&ACME, "A00000001", &[("total_fee", "1000"), ("attach", "cart, 7")]).await;
    bench.pay("A00000001", &Pay::default()).await;
    bench.advance_to(midnight + SignedDuration::from_mins(10)).await;
    bench.refunded("A00000001", "R1", 1_000, 300).await;
    bench.settle("R1", RefundState::Success).await;
    bench.advance(Duration::from_mins(1)).await;
    bench.refunded("A00000001", "R2", 1_000, 201).await;
    bench.settle("R2", RefundState::Change).await;
    bench.advance_to(midnight + SignedDuration::from_hours(36)).await;
    bench.settle("R2", RefundState::Success).await;
    (bench, day)
}

#[tokio::test]
async fn a_refund_is_in_the_bill_of_the_day_that_accepted_it_and_balances() {
    let (bench, day) = refunded_over_midnight().await;
    let next = day.tomorrow().unwrap();
    let (rows, _) = read(&download(&bench, &ACME, &[("bill_date", &time::print_date(day))]).await, day).unwrap();
    assert_eq!((rows.len(), &rows[0].state, &rows[0].refund), (1, &BillState::Success, &None));
    let payment = rows[0].clone();
    let (rows, summary) =
        read(&download(&bench, &ACME, &[("bill_date", &time::print_date(next))]).await, next).unwrap();
    let made = bench.ledger().await.orders[0].refunds.clone();
    // As it was when the bill was made: what bounced and arrived later still stands there as bounced.
    let expected = [("R1", 300, "SUCCESS", "-0.01800"), ("R2", 201, "CHANGE", "-0.01206")];
    for ((row, refund), (number, fen, status, fee)) in rows.iter().zip(&made).zip(expected) {
        let billed = row.refund.as_ref().unwrap();
        assert_eq!((billed.out_refund_no.as_str(), billed.refund_fee.get()), (number, fen));
        assert_eq!((&billed.refund_id, billed.refund_status.as_str()), (&refund.refund_id, status));
        assert_eq!((row.trade_time, row.fee.to_yuan().as_str()), (refund.created_at, fee));
        assert_eq!((row.total_fee.get(), &row.attach), (0, &payment.attach));
        assert_eq!((&row.transaction_id, &row.out_trade_no), (&payment.transaction_id, &payment.out_trade_no));
    }
    assert_eq!((rows.len(), summary.rows, summary.total_fee.unwrap().get()), (2, 2, 0));
    assert_eq!((summary.refund_fee.unwrap().get(), summary.fee.to_yuan().as_str()), (501, "-0.03006"));
}

#[tokio::test]
async fn a_bill_of_refunds_has_their_times_and_no_payments() {
    let (bench, day) = refunded_over_midnight().await;
    let next = day.tomorrow().unwrap();
    let body = download(&bench, &ACME, &[("bill_date", &time::print_date(next)), ("bill_type", "REFUND")]).await;
    let (rows, summary) = read(&body, next).unwrap();
    let made = bench.ledger().await.orders[0].refunds.clone();
    let times: Vec<_> = rows
        .iter()
        .map(|row| row.refund.as_ref().map(|refund| (refund.applied_at, refund.succeeded_at)).unwrap())
        .collect();
    assert_eq!(times, [(Some(made[0].created_at), made[0].settled_at), (Some(made[1].created_at), None)]);
    assert_eq!(summary.rows, 2);
    for (date, bill_type) in [(day, "REFUND"), (next, "SUCCESS"), (next, "RECHARGE_REFUND")] {
        let body = download(&bench, &ACME, &[("bill_date", &time::print_date(date)), ("bill_type", bill_type)]).await;
        assert_eq!(BillFailure::parse(&body), Some(BillFailure::NoBillExist), "{date} {bill_type}");
    }
}

#[tokio::test]
async fn a_refund_out_of_recharged_money_is_in_a_bill_of_its_own_and_in_no_other() {
    let (bench, day, _) = morning_after(&[1_000]).await;
    let fields = [
        ("out_trade_no", "A00000000"),
        ("out_refund_no", "R1"),
        ("total_fee", "1000"),
        ("refund_fee", "300"),
        ("refund_account", "REFUND_SOURCE_RECHARGE_FUNDS"),
    ];
    let answer = bench.refund(&ACME, &fields).await;
    assert_eq!(answer.text("result_code"), Some("SUCCESS"));
    bench.advance(Duration::from_hours(24)).await;
    let next = day.tomorrow().unwrap();
    let date = time::print_date(next);
    let body = download(&bench, &ACME, &[("bill_date", &date), ("bill_type", "RECHARGE_REFUND")]).await;
    let text = String::from_utf8(body.clone()).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    assert_eq!((header.len(), header[24]), (29, "返还手续费"));
    let (rows, summary) = read(&body, next).unwrap();
    assert_eq!((rows.len(), summary.refund_fee.unwrap().get(), summary.fee.to_yuan()), (1, 300, "-0.01800".into()));
    for bill_type in ["ALL", "REFUND", "SUCCESS"] {
        let body = download(&bench, &ACME, &[("bill_date", &date), ("bill_type", bill_type)]).await;
        assert_eq!(BillFailure::parse(&body), Some(BillFailure::NoBillExist), "{bill_type}");
    }
}

#[tokio::test]
async fn the_faults_of_bills_spoil_refunds_too() {
    let (bench, day) = refunded_over_midnight().await;
    let next = day.tomorrow().unwrap();
    let date = time::print_date(next);
    for (word, rows) in [("alter_amount", None), ("extra_row", Some(3)), ("missing_row", Some(1))] {
        bench.fault(json!({ "on": "downloadbill", "do": word })).await;
        let outcome = read(&download(&bench, &ACME, &[("bill_date", &date)]).await, next);
        assert_eq!(outcome.map(|(rows, _)| rows.len()).ok(), rows, "{word}");
    }
}

#[tokio::test]
async fn a_bill_comes_as_a_gzip_stream_when_asked_for() {
    let (bench, day, _) = morning_after(&[100]).await;
    let fields = [("bill_date", &*time::print_date(day)), ("tar_type", "GZIP")];
    let body = download(&bench, &ACME, &fields).await;
    assert!(body.starts_with(&[0x1f, 0x8b]));
    assert_eq!(read(&body, day).unwrap().0.len(), 1);
}

#[tokio::test]
async fn a_day_without_payments_has_no_bill() {
    let (bench, day, _) = morning_after(&[100]).await;
    let date = time::print_date(day);
    let yesterday = time::print_date(day.yesterday().unwrap());
    for (account, fields) in [
        (ACME, vec![("bill_date", &*yesterday)]),
        (TEA, vec![("bill_date", &*date)]),
        (ACME, vec![("bill_date", &*date), ("bill_type", "REFUND")]),
    ] {
        let body = download(&bench, &account, &fields).await;
        assert_eq!(BillFailure::parse(&body), Some(BillFailure::NoBillExist));
        let expected: Fields =
            [("return_code", "FAIL"), ("return_msg", "No Bill Exist"), ("error_code", "20002")].into_iter().collect();
        assert!(wechat_pay::v2::xml::parse("xml", &body).unwrap() == expected);
    }
}

#[tokio::test]
async fn a_bill_is_made_from_nine_in_the_morning_on() {
    let bench = Bench::start().await;
    let day = time::bill_date(bench.clock().await.now).tomorrow().unwrap();
    bench.advance_to(time::day_start(day).unwrap() + SignedDuration::from_hours(8)).await;
    bench.place(&ACME, "A00000001", &[]).await;
    bench.pay("A00000001", &Pay::default()).await;
    bench.advance(Duration::from_hours(24)).await;
    let fields = [("bill_date", &*time::print_date(day))];
    let early = download(&bench, &ACME, &fields).await;
    assert_eq!(BillFailure::parse(&early), Some(BillFailure::Creating));
    bench.advance(Duration::from_hours(1)).await;
    assert!(read(&download(&bench, &ACME, &fields).await, day).is_ok());
}

#[tokio::test]
async fn what_cannot_have_a_bill_is_refused() {
    let (bench, day, _) = morning_after(&[100]).await;
    let date = time::print_date(day);
    let today = time::print_date(day.tomorrow().unwrap());
    let old = time::print_date(day.checked_sub(jiff::Span::new().months(4)).unwrap());
    for (fields, sentence) in [
        (vec![], "missing parameter"),
        (vec![("bill_date", "2026-11-21")], "data format error"),
        (vec![("bill_date", "20261301")], "data format error"),
        (vec![("bill_date", &*today)], "data format error"),
        (vec![("bill_date", &*old)], "data format error"),
        (vec![("bill_date", &*date), ("bill_type", "MCHT")], "invalid bill_type"),
        (vec![("bill_date", &*date), ("tar_type", "ZIP")], "data format error"),
        (vec![("bill_date", &*date), ("appid", TEA.app_id)], "data format error"),
        (vec![("bill_date", &*date), ("appid", "")], "missing parameter"),
    ] {
        let body = download(&bench, &ACME, &fields).await;
        let refused = BillFailure::Refused { return_msg: sentence.to_owned(), error_code: None };
        assert_eq!(BillFailure::parse(&body), Some(refused), "{fields:?}");
    }
}

#[tokio::test]
async fn a_wrong_signature_has_its_own_number() {
    let bench = Bench::start().await;
    let mut request = ACME.signed(&[("bill_date", "20261120")]);
    request.insert("bill_date", "20261119");
    let answer = bench.post(PATH, &request).await;
    assert_eq!((answer.text("return_msg"), answer.text("error_code")), (Some("sign error"), Some("20001")));
    request.remove("sign");
    assert_eq!(bench.post(PATH, &request).await.text("return_msg"), Some("missing parameter"));
}

#[tokio::test]
async fn each_fault_spoils_one_download_in_its_own_way() {
    let (bench, day, paid) = morning_after(&[100, 200]).await;
    let date = time::print_date(day);
    let fields = [("bill_date", &*date)];
    let right = download(&bench, &ACME, &fields).await;
    for word in ["truncate", "alter_amount", "extra_row", "missing_row", "other_day", "empty"] {
        let fault = bench.fault(json!({ "on": "downloadbill", "merchant": ACME.name, "do": word })).await;
        let body = download(&bench, &ACME, &fields).await;
        let outcome = read(&body, day);
        match word {
            // These two are bills in themselves: only the books can tell.
            "extra_row" => {
                let (rows, _) = outcome.unwrap();
                assert_eq!(rows.len(), 3);
                assert!(paid.iter().all(|paid| paid.transaction_id != rows[2].transaction_id));
            }
            "missing_row" => {
                let (rows, _) = outcome.unwrap();
                assert_eq!(rows.len(), 1);
                assert_eq!(rows[0].transaction_id, paid[1].transaction_id);
            }
            _ => assert!(outcome.is_err(), "{word}"),
        }
        assert_eq!(bench.hits(&fault).await, 1);
        assert!(download(&bench, &ACME, &fields).await == right);
    }
}

#[tokio::test]
async fn a_bill_can_be_refused_by_a_fault() {
    let (bench, day, _) = morning_after(&[100]).await;
    bench.fault(json!({ "on": "downloadbill", "do": "error_code", "code": "Bill Creating" })).await;
    let body = download(&bench, &ACME, &[("bill_date", &*time::print_date(day))]).await;
    assert_eq!(BillFailure::parse(&body), Some(BillFailure::Creating));
}

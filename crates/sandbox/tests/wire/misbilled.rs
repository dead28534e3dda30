//! Bills that say something else than what happened, and bills whose form is unusual or broken.

use jiff::{SignedDuration, civil::Date};
use sandbox::control::{Misbilled, NewMovement, Pay};
use serde_json::json;
use wechat_pay::{
    bill::{BillError, BillState, Control, Expected, TradeBillReader, TradeRow, cells::CellReader, plain},
    time,
};

use crate::harness::{ACME, Bench};

/// A bench where 1.00 and 2.00 yuan were paid on a day, at eight o'clock of the next one.
async fn two_payments() -> (Bench, Date) {
    let bench = Bench::start().await;
    let day = time::bill_date(bench.clock().await.now).tomorrow().unwrap();
    bench.advance_to(time::day_start(day).unwrap() + SignedDuration::from_hours(8)).await;
    for (number, fen) in [("A00000001", "100"), ("A00000002", "200")] {
        bench.place(&ACME, number, &[("total_fee", fen)]).await;
        bench.pay(number, &Pay::default()).await;
    }
    (bench, day)
}

async fn at_ten_after(bench: &Bench, day: Date) {
    bench.advance_to(time::day_start(day.tomorrow().unwrap()).unwrap() + SignedDuration::from_mins(605)).await;
}

async fn misbill(bench: &Bench, path: &str, said: &Misbilled) {
    let response = bench.command(&format!("bills/{path}"), said).await;
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
}

async fn bill(bench: &Bench, day: Date) -> Vec<u8> {
    let fields = ACME.signed(&[("bill_date", &time::print_date(day))]);
    let request = wechat_pay::v2::xml::write("xml", &fields).into_bytes();
    bench.send("/pay/downloadbill", request).await.unwrap().bytes().await.unwrap().to_vec()
}

fn rows(body: &[u8], day: Date) -> Result<Vec<TradeRow>, BillError> {
    let expected = Expected { mch_id: ACME.mch_id.to_owned(), bill_date: Some(day) };
    let mut reader = TradeBillReader::open(plain(body).unwrap(), expected)?;
    let rows = reader.by_ref().collect::<Result<_, _>>()?;
    reader.finish().map(|_| rows)
}

/// 业务类型, the signed amount in the file's words, and the balance after it.
async fn flow(bench: &Bench, day: Date) -> Vec<(String, String, String)> {
    let fields = ACME.signed(&[("bill_date", &time::print_date(day)), ("account_type", "Basic")]);
    let body = bench.send_certified(&ACME, "/pay/downloadfundflow", &fields).await.bytes().await.unwrap();
    let mut reader = CellReader::open(plain(&body[..]).unwrap()).unwrap();
    let mut rows = Vec::new();
    while let Some(cells) = reader.next_row().unwrap() {
        let sign = if cells.get(5) == "收入" { "+" } else { "-" };
        rows.push((cells.get(4).to_owned(), format!("{sign}{}", cells.get(6)), cells.get(7).to_owned()));
    }
    rows
}

#[tokio::test]
async fn another_amount_stands_in_both_bills_and_the_sums_follow() {
    let (bench, day) = two_payments().await;
    misbill(&bench, "payments/A00000001", &Misbilled { amount_fen: Some(150), ..Misbilled::default() }).await;
    at_ten_after(&bench, day).await;
    let billed = rows(&bill(&bench, day).await, day).unwrap();
    assert_eq!(billed.iter().map(|row| row.total_fee.get()).collect::<Vec<_>>(), [150, 200]);
    let moved = flow(&bench, day).await;
    let (kind, amount, balance) = &moved[0];
    assert_eq!((kind.as_str(), amount.as_str(), balance.as_str()), ("交易", "+1.50", "1.50"));
}

#[tokio::test]
async fn what_is_left_out_stands_in_neither_bill_or_only_in_the_trade_bill() {
    let (bench, day) = two_payments().await;
    misbill(&bench, "payments/A00000001", &Misbilled { left_out: true, ..Misbilled::default() }).await;
    misbill(&bench, "payments/A00000002", &Misbilled { left_out_of_funds: true, ..Misbilled::default() }).await;
    bench.command("merchants/acme-mini/movements", &movement("提现", -50, false)).await;
    at_ten_after(&bench, day).await;
    let billed = rows(&bill(&bench, day).await, day).unwrap();
    assert_eq!(billed.iter().map(|row| row.out_trade_no.as_str()).collect::<Vec<_>>(), ["A00000002"]);
    assert_eq!(flow(&bench, day).await, [("提现".to_owned(), "-0.50".to_owned(), "-0.50".to_owned())]);
}

#[tokio::test]
async fn a_payment_can_be_billed_on_another_day_or_as_taken_back() {
    let (bench, day) = two_payments().await;
    let next = day.tomorrow().unwrap();
    misbill(&bench, "payments/A00000001", &Misbilled { on_day: Some(next), ..Misbilled::default() }).await;
    misbill(&bench, "payments/A00000002", &Misbilled { revoked: true, ..Misbilled::default() }).await;
    at_ten_after(&bench, next).await;
    let first: Vec<BillState> = rows(&bill(&bench, day).await, day).unwrap().into_iter().map(|row| row.state).collect();
    assert_eq!(first, [BillState::Success, BillState::Revoked]);
    let second = rows(&bill(&bench, next).await, next).unwrap();
    assert_eq!((second.len(), second[0].trade_time), (1, time::day_start(next).unwrap()));
    let kinds: Vec<String> = flow(&bench, day).await.into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["交易", "扣除交易手续费", "撤销", "返还交易手续费"]);
    // Once right again, and the same however often it is asked for.
    misbill(&bench, "payments/A00000002", &Misbilled::default()).await;
    assert_eq!(rows(&bill(&bench, day).await, day).unwrap().len(), 1);
}

#[tokio::test]
async fn fee_and_coupon_can_be_wrong_in_the_trade_bill_alone() {
    let (bench, day) = two_payments().await;
    let said = Misbilled { fee_milli_fen: Some(5_000), coupon_fen: Some(10), ..Misbilled::default() };
    misbill(&bench, "payments/A00000002", &said).await;
    at_ten_after(&bench, day).await;
    let billed = rows(&bill(&bench, day).await, day).unwrap();
    assert_eq!((billed[1].fee.get(), billed[1].coupon_fee.get()), (5_000, 10));
    assert_eq!(flow(&bench, day).await[3].1, "-0.01");
}

#[tokio::test]
async fn a_hidden_movement_changes_the_balance_and_stands_nowhere() {
    let (bench, day) = two_payments().await;
    bench.command("merchants/acme-mini/movements", &movement("调账", 7, true)).await;
    bench.command("merchants/acme-mini/movements", &movement("提现", -100, false)).await;
    at_ten_after(&bench, day).await;
    let moved = flow(&bench, day).await;
    let balances: Vec<&str> = moved.iter().map(|(.., balance)| balance.as_str()).collect();
    assert_eq!(balances, ["1.00", "0.99", "2.99", "2.98", "2.05"]);
}

#[tokio::test]
async fn a_broken_form_is_refused_and_an_unusual_one_is_read() {
    let (bench, day) = two_payments().await;
    at_ten_after(&bench, day).await;
    let mut outcomes = Vec::new();
    for fault in ["alter_byte", "foreign_merchant", "no_summary", "extra_column", "old_layout"] {
        let rule = bench.fault(json!({"on": "downloadbill", "do": fault})).await;
        let read = rows(&bill(&bench, day).await, day);
        assert_eq!(bench.hits(&rule).await, 1);
        outcomes.push(match read {
            Ok(rows) => format!("{fault}: {}", rows.iter().map(|row| row.total_fee.get()).sum::<i64>()),
            Err(BillError::Format { .. }) => format!("{fault}: form"),
            Err(BillError::Truncated { .. }) => format!("{fault}: truncated"),
            Err(BillError::Control(Control::ForeignMerchant { line })) => format!("{fault}: line {line}"),
            Err(other) => panic!("{fault}: {other}"),
        });
    }
    let expected = [
        "alter_byte: form",
        "foreign_merchant: line 2",
        "no_summary: truncated",
        "extra_column: 300",
        "old_layout: 300",
    ];
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn a_hostile_name_holds_commas_a_backtick_and_a_line_break() {
    let (bench, day) = two_payments().await;
    at_ten_after(&bench, day).await;
    bench.fault(json!({"on": "downloadbill", "do": "hostile_names"})).await;
    let body = String::from_utf8(bill(&bench, day).await).unwrap();
    assert!(body.contains(",`红富士,大`果` ,一箱\n总重 5kg, `特价,`"), "{body}");
}

#[tokio::test]
async fn nonsense_is_refused_with_the_field() {
    let (bench, _) = two_payments().await;
    bench.place(&ACME, "A00000003", &[("total_fee", "1")]).await;
    for (path, body, status, field) in [
        ("bills/payments/A00000001", json!({"amount_fen": 0}), 400, "amount_fen"),
        ("bills/payments/A00000001", json!({"coupon_fen": -1}), 400, "coupon_fen"),
        ("bills/payments/A00000003", json!({"left_out": true}), 409, "not paid"),
        ("bills/payments/A00000009", json!({}), 404, "no order"),
        ("bills/refunds/R1", json!({"revoked": true}), 400, "revoked"),
        ("bills/refunds/R1", json!({}), 404, "no refund"),
        ("merchants/acme-mini/movements", json!({"account": "basic", "kind": "提现", "amount_fen": 1}), 400, "account"),
        (
            "merchants/acme-mini/movements",
            json!({"account": "Basic", "kind": "提现", "amount_fen": 0}),
            400,
            "amount_fen",
        ),
        ("merchants/acme-mini/movements", json!({"account": "Basic", "kind": "", "amount_fen": 1}), 400, "kind"),
    ] {
        let response = bench.command(path, &body).await;
        assert_eq!(response.status(), status, "{path} {body}");
        let problem = response.text().await.unwrap();
        assert!(problem.contains(field), "{problem}");
    }
}

fn movement(kind: &str, amount_fen: i64, hidden: bool) -> NewMovement {
    NewMovement { account: "Basic".to_owned(), kind: kind.to_owned(), amount_fen, remark: String::new(), hidden }
}

//! Written bills read back, damaged bills refused.

use std::io::BufReader;

use jiff::civil::date;
use money::{Fen, MilliFen};
use proptest::prelude::*;
use wechat_pay::bill::{
    BillError, BillLayout, BillRefund, BillState, Control, Expected, Summary, TradeBillReader, TradeBillWriter,
    TradeRow,
};
use wechat_pay::time;
use wechat_pay::v2::OpenId;

const MCH_ID: &str = "1900000001";

fn expected() -> Expected {
    Expected { mch_id: MCH_ID.to_owned(), bill_date: Some(date(2020, 1, 1)) }
}

fn payment(number: u32) -> TradeRow {
    TradeRow {
        trade_time: time::parse_14("20200101120000").expect("a time"),
        appid: "wx0000000000000001".to_owned(),
        mch_id: MCH_ID.to_owned(),
        sub_mch_id: None,
        device_info: String::new(),
        transaction_id: format!("42000000002020010100{number:08}"),
        out_trade_no: format!("T{number}"),
        openid: OpenId::new("oABC"),
        trade_type: "JSAPI".to_owned(),
        state: BillState::Success,
        bank_type: "OTHERS".to_owned(),
        fee_type: "CNY".to_owned(),
        total_fee: Fen::new(100),
        settlement_total_fee: Fen::new(70),
        coupon_fee: Fen::new(40),
        refund: None,
        body: "苹果, `好`".to_owned(),
        attach: "x".to_owned(),
        fee: MilliFen::new(420),
        rate: "0.60%".to_owned(),
        rate_note: String::new(),
    }
}

fn refund(number: u32) -> TradeRow {
    TradeRow {
        state: BillState::Refund,
        total_fee: Fen::ZERO,
        settlement_total_fee: Fen::ZERO,
        coupon_fee: Fen::ZERO,
        fee: MilliFen::new(-130),
        refund: Some(BillRefund {
            refund_id: format!("500000000020200101000{number:08}"),
            out_refund_no: format!("R{number}"),
            refund_fee: Fen::new(30),
            settlement_refund_fee: Fen::new(21),
            coupon_refund_fee: Fen::new(9),
            refund_type: "ORIGINAL".to_owned(),
            refund_status: "PROCESSING".to_owned(),
            applied_at: None,
            succeeded_at: None,
        }),
        ..payment(number)
    }
}

fn written(rows: &[TradeRow]) -> Vec<u8> {
    let mut writer = TradeBillWriter::new(Vec::new()).expect("memory takes everything");
    for row in rows {
        writer.row(row).expect("memory takes everything");
    }
    writer.finish().expect("memory takes everything")
}

fn read(bytes: &[u8]) -> Result<(Vec<TradeRow>, Summary), BillError> {
    let mut reader = TradeBillReader::open(BufReader::with_capacity(7, bytes), expected())?;
    let rows = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
    Ok((rows, reader.finish()?))
}

fn control(bytes: &[u8]) -> Control {
    match read(bytes).expect_err("the bill must be refused") {
        BillError::Control(control) => control,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bill_is_written_as_wechat_writes_it() {
    let text = String::from_utf8(written(&[payment(1), refund(1)])).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert!(lines[0].starts_with("\u{feff}交易时间,公众账号ID,商户号,特约商户号,"));
    assert_eq!(lines[0].split(',').count(), 27);
    assert_eq!(
        lines[1],
        "`2020-01-01 12:00:00,`wx0000000000000001,`1900000001,`0,`,`4200000000202001010000000001,`T1,`oABC,`JSAPI,\
         `SUCCESS,`OTHERS,`CNY,`0.70,`0.40,`0,`0,`0.00,`0.00,`,`,`苹果, `好`,`x,`0.00420,`0.60%,`1.00,`0.00,`"
    );
    assert_eq!(
        lines[3],
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
    );
    assert_eq!(lines[4], "`2.0,`0.70,`0.21,`0.09,`0.00290,`1.00,`0.30");
    assert_eq!(lines[5..], [""]);
}

fn written_as(layout: BillLayout, rows: &[TradeRow]) -> Vec<u8> {
    let mut writer = TradeBillWriter::with_layout(Vec::new(), layout).expect("memory takes everything");
    for row in rows {
        writer.row(row).expect("memory takes everything");
    }
    writer.finish().expect("memory takes everything")
}

#[test]
fn a_bill_of_payments_leaves_the_columns_of_refunds_out() {
    let bytes = written_as(BillLayout::Success, &[payment(1)]);
    let text = String::from_utf8(bytes.clone()).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    assert_eq!(header.len(), 20);
    assert_eq!(header[14..], ["商品名称", "商户数据包", "手续费", "费率", "订单金额", "费率备注"]);
    assert_eq!(read(&bytes).unwrap().0, [payment(1)]);
}

#[test]
fn a_bill_of_refunds_has_their_times() {
    let mut refunded = refund(1);
    if let Some(refund) = &mut refunded.refund {
        refund.applied_at = time::parse_14("20200101130000").ok();
        refund.succeeded_at = time::parse_14("20200101130003").ok();
    }
    let rows = [refunded, refund(2)];
    let bytes = written_as(BillLayout::Refund, &rows);
    let text = String::from_utf8(bytes.clone()).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    assert_eq!(header.len(), 29);
    assert_eq!(header[14..18], ["退款申请时间", "退款成功时间", "微信退款单号", "商户退款单号"]);
    assert_eq!(read(&bytes).unwrap().0, rows);
}

#[test]
fn a_bill_of_refunds_out_of_recharged_money_names_the_fee_differently() {
    let bytes = written_as(BillLayout::RechargeRefund, &[refund(1)]);
    let text = String::from_utf8(bytes.clone()).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    assert_eq!((header.len(), header[24]), (29, "返还手续费"));
    assert!(!header.contains(&"手续费"));
    assert_eq!(read(&bytes).unwrap().0, [refund(1)]);
}

#[test]
fn an_empty_day_is_a_bill() {
    let (rows, summary) = read(&written(&[])).unwrap();
    assert!(rows.is_empty());
    assert_eq!(summary, Summary { total_fee: Some(Fen::ZERO), refund_fee: Some(Fen::ZERO), ..Summary::default() });
}

#[test]
fn a_row_of_another_merchant_or_day_refuses_the_bill() {
    let foreign = TradeRow { mch_id: "1900000002".to_owned(), ..payment(2) };
    assert_eq!(control(&written(&[payment(1), foreign])), Control::ForeignMerchant { line: 3 });
    let yesterday = TradeRow { trade_time: time::parse_14("20191231235959").unwrap(), ..payment(2) };
    assert_eq!(control(&written(&[payment(1), yesterday])), Control::ForeignDay { line: 3 });
    // The time of a refund row means different things in different bills.
    let refunded = TradeRow { trade_time: time::parse_14("20191231235959").unwrap(), ..refund(2) };
    assert!(read(&written(&[refunded])).is_ok());
}

#[test]
fn a_repeated_row_refuses_the_bill() {
    assert_eq!(control(&written(&[payment(1), refund(1), payment(1)])), Control::Duplicate { line: 4 });
    assert_eq!(control(&written(&[refund(1), refund(1)])), Control::Duplicate { line: 3 });
    let odd = |number: &str| TradeRow { transaction_id: number.to_owned(), ..payment(1) };
    assert_eq!(control(&written(&[odd("ABC"), odd("ABC")])), Control::Duplicate { line: 3 });
    assert!(read(&written(&[odd("7"), odd("07"), odd("ABC"), refund(1), refund(2)])).is_ok());
}

#[test]
fn the_count_is_checked() {
    let bytes = written(&[payment(1), refund(1)]);
    let text = String::from_utf8(bytes).unwrap();
    let missing: Vec<&str> = text.split("\r\n").enumerate().filter(|(at, _)| *at != 2).map(|(_, line)| line).collect();
    assert_eq!(control(missing.join("\r\n").as_bytes()), Control::Count { stated: 2, found: 1 });
}

#[test]
fn every_amount_that_is_summed_is_checked() {
    let text = String::from_utf8(written(&[payment(1), refund(1)])).unwrap();
    for (from, to, column) in [
        ("`0.70,`0.40", "`0.71,`0.40", "应结订单金额"),
        ("`0.21,`0.09", "`0.22,`0.09", "退款金额"),
        ("`0.09,`ORIGINAL", "`0.08,`ORIGINAL", "充值券退款金额"),
        ("`0.00420", "`0.00421", "手续费"),
        ("`1.00,`0.00,`\r", "`1.01,`0.00,`\r", "订单金额"),
        ("`0.00,`0.30,`\r", "`0.00,`0.31,`\r", "申请退款金额"),
    ] {
        assert!(text.contains(from), "{from}");
        match control(text.replacen(from, to, 1).as_bytes()) {
            Control::Sum { column: found, .. } => assert_eq!(found, column),
            other => panic!("{column}: {other:?}"),
        }
    }
}

#[test]
fn a_truncated_bill_is_refused_wherever_it_was_cut() {
    let bytes = written(&[payment(1), refund(1), payment(2)]);
    let whole = read(&bytes).unwrap();
    for end in 0..bytes.len() {
        // Without its last zeros the last sum is the same number, and nothing is missing.
        if let Ok(found) = read(&bytes[..end]) {
            assert_eq!(found, whole, "cut at {end}");
            assert!(bytes.len() - end <= 5, "cut at {end}");
        }
    }
}

#[test]
fn finish_reads_what_was_not_read_and_never_forgives_an_error() {
    let bytes = written(&[payment(1), payment(2)]);
    let reader = TradeBillReader::open(bytes.as_slice(), expected()).unwrap();
    assert_eq!(reader.finish().unwrap().rows, 2);
    let bytes = written(&[payment(1), payment(1)]);
    let mut reader = TradeBillReader::open(bytes.as_slice(), expected()).unwrap();
    let results: Vec<bool> = reader.by_ref().map(|row| row.is_ok()).collect();
    assert_eq!(results, [true, false]);
    assert!(reader.finish().is_err());
}

fn rows() -> impl Strategy<Value = Vec<TradeRow>> {
    let text = || "[ -+\\--_a-z，。苹果]{0,12}";
    let row = (any::<bool>(), 0..1_000_000_i64, 0..1_000_000_i64, -99_999..99_999_i64, text(), text(), 0..86_400_i64);
    prop::collection::vec(row, 0..20).prop_map(|rows| {
        let start = time::day_start(date(2020, 1, 1)).expect("a day");
        let rows = rows.into_iter().zip(1_u32..);
        rows.map(|((is_refund, one, two, fee, body, attach, second), number)| {
            let mut row = if is_refund { refund(number) } else { payment(number) };
            if let Some(refund) = &mut row.refund {
                refund.refund_fee = Fen::new(one);
                refund.coupon_refund_fee = Fen::new(two);
            } else {
                row.total_fee = Fen::new(one);
                row.settlement_total_fee = Fen::new(two);
            }
            let trade_time = start + jiff::SignedDuration::from_secs(second);
            TradeRow { fee: MilliFen::new(fee), body, attach, trade_time, ..row }
        })
        .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn written_then_read_is_identity(rows in rows()) {
        let (found, summary) = read(&written(&rows)).unwrap();
        prop_assert_eq!(summary.rows, rows.len() as u64);
        prop_assert_eq!(found, rows);
    }

    #[test]
    fn a_changed_digit_of_the_summary_is_refused(rows in rows(), at: prop::sample::Index, digit in 1..10_u8) {
        let bytes = written(&rows);
        let last_line = bytes[..bytes.len() - 2].iter().rposition(|byte| *byte == b'\n').unwrap();
        let digits: Vec<usize> = (last_line..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
        let mut changed = bytes.clone();
        let place = digits[at.index(digits.len())];
        changed[place] = (changed[place] - b'0' + digit) % 10 + b'0';
        prop_assert!(read(&changed).is_err());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at: prop::sample::Index, byte: u8) {
        prop_assert!(read(&bytes).is_err());
        let mut damaged = written(&[payment(1), refund(1)]);
        let at = at.index(damaged.len());
        damaged[at] = byte;
        if let Ok((rows, _)) = read(&damaged) {
            prop_assert_eq!(rows.len(), 2);
        }
    }
}

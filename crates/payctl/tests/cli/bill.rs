use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use money::{Fen, MilliFen};
use wechat_pay::{
    bill::{BillLayout, BillRefund, BillState, TradeBillWriter, TradeRow},
    v2::OpenId,
};

use crate::harness::{kept, payctl, payctl_reading};

fn payment(number: u32, trade_type: &str) -> TradeRow {
    TradeRow {
        trade_time: "2026-11-21T02:00:00Z".parse().unwrap(),
        appid: "wxac3e0000000000a1".to_owned(),
        mch_id: "1900000109".to_owned(),
        sub_mch_id: None,
        device_info: String::new(),
        transaction_id: format!("42000000012026112100000000{number:02}"),
        out_trade_no: format!("T{number}"),
        openid: OpenId::new("o1"),
        trade_type: trade_type.to_owned(),
        state: BillState::Success,
        bank_type: "OTHERS".to_owned(),
        fee_type: "CNY".to_owned(),
        total_fee: Fen::new(990),
        settlement_total_fee: Fen::new(990),
        coupon_fee: Fen::ZERO,
        refund: None,
        body: "tea, \"green\"".to_owned(),
        attach: "=1+1".to_owned(),
        fee: MilliFen::parse_yuan("0.05940").unwrap(),
        rate: "0.60%".to_owned(),
        rate_note: String::new(),
    }
}

fn refund(number: u32) -> TradeRow {
    TradeRow {
        state: BillState::Refund,
        total_fee: Fen::ZERO,
        settlement_total_fee: Fen::ZERO,
        fee: MilliFen::parse_yuan("-0.00600").unwrap(),
        refund: Some(BillRefund {
            refund_id: format!("500000000120261121000000000{number:02}"),
            out_refund_no: format!("R{number}"),
            refund_fee: Fen::new(100),
            settlement_refund_fee: Fen::new(100),
            coupon_refund_fee: Fen::ZERO,
            refund_type: "ORIGINAL".to_owned(),
            refund_status: "PROCESSING".to_owned(),
            applied_at: None,
            succeeded_at: None,
        }),
        ..payment(number, "JSAPI")
    }
}

fn bill(layout: BillLayout, rows: &[TradeRow]) -> Vec<u8> {
    let mut writer = TradeBillWriter::with_layout(Vec::new(), layout).unwrap();
    for row in rows {
        writer.row(row).unwrap();
    }
    writer.finish().unwrap()
}

fn day() -> Vec<u8> {
    bill(BillLayout::All, &[payment(1, "JSAPI"), payment(2, "NATIVE"), refund(1)])
}

fn gzipped(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn totals_of_a_good_bill_are_those_of_its_summary() {
    let file = kept("bill.csv", &day());
    let text = payctl(&["bill", file.path()]).with(0).stdout;
    assert!(text.starts_with("3 rows of merchant 1900000109; they add up to the summary row\n"), "{text}");
    for line in
        ["JSAPI      SUCCESS         1", "JSAPI      REFUND          1", "NATIVE     SUCCESS         1", "0.11280 yuan"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    let json = payctl(&["bill", file.path(), "--json"]).with(0).json();
    assert_eq!(json["summary"]["total_fen"], 1980);
    assert_eq!(json["summary"]["refund_fen"], 100);
    assert_eq!(json["by_type_and_state"]["JSAPI"]["REFUND"], 1);
    assert_eq!(json["refunds_by_status"]["PROCESSING"], 1);
}

#[test]
fn a_gzipped_bill_from_stdin_is_the_same() {
    let plain = payctl_reading(&["bill"], &day()).with(0).stdout;
    assert_eq!(payctl_reading(&["bill", "-"], &gzipped(&day())).with(0).stdout, plain);
}

#[test]
fn bills_of_payments_and_of_refunds_alone_are_read() {
    for (layout, rows) in [(BillLayout::Success, vec![payment(1, "APP")]), (BillLayout::Refund, vec![refund(1)])] {
        payctl_reading(&["bill"], &bill(layout, &rows)).with(0);
    }
    let nobody = payctl_reading(&["bill"], &bill(BillLayout::All, &[])).with(0).stdout;
    assert!(nobody.starts_with("0 rows; they add up"), "{nobody}");
}

#[test]
fn rows_come_as_csv_and_json() {
    let csv = payctl_reading(&["bill", "--to", "csv"], &day()).with(0).stdout;
    let lines: Vec<_> = csv.split("\r\n").collect();
    assert!(lines[0].starts_with("trade_time,app_id,mch_id,"), "{csv}");
    assert!(lines[1].contains(",\"tea, \"\"green\"\"\",'=1+1,0.05940,0.60%,"), "{csv}");
    assert_eq!(lines.len(), 5, "a header, three rows, and the end");
    let json = payctl_reading(&["bill", "--to", "json"], &day()).with(0).json();
    let rows = json.as_array().unwrap();
    assert_eq!((rows.len(), rows[2]["refund_fen"].as_i64(), rows[0]["refund_fen"].is_null()), (3, Some(100), true));
}

#[test]
fn a_bill_that_is_wrong_says_where() {
    let text = String::from_utf8(day()).unwrap();
    for (broken, why) in [
        (
            text.replace(
                "`0.05940,`0.60%,`9.90,`0.00,`\r\n`2026-11-21 10:00:00",
                "`0.05940,`0.60%,`9.9x,`0.00,`\r\n`2026-11-21 10:00:00",
            ),
            "line 2, column 订单金额: is not an amount in whole fen",
        ),
        (
            text.replacen("`9.90,`0.00,`\r\n", "`9.91,`0.00,`\r\n", 1),
            "column 订单金额 adds up to 19.81, the summary says 19.80",
        ),
        (text[..text.find("总交易单数").unwrap()].to_owned(), "bill ends after line 4, before its summary"),
        (text.replacen("`T2,", "", 1), "line 3: 26 values under 27 columns"),
        (text.replace("T2", "T1").replace("0000000002", "0000000001"), "line 3 repeats an earlier row"),
    ] {
        assert_ne!(broken, text, "{why}");
        for arguments in [&["bill"][..], &["bill", "--to", "csv"]] {
            let ended = payctl_reading(arguments, broken.as_bytes()).with(1);
            assert!(ended.stderr.contains(why) && ended.stderr.contains("\n  fix: "), "{why}: {}", ended.stderr);
            assert!(ended.stdout.is_empty(), "no row of a wrong bill is printed");
        }
    }
}

#[test]
fn what_is_no_trade_bill_is_told_apart() {
    let failure = "<xml><return_code>FAIL</return_code><return_msg>No Bill Exist</return_msg><error_code>20002</error_code></xml>";
    assert!(payctl_reading(&["bill"], failure.as_bytes()).with(1).stderr.contains("no bill: No Bill Exist"));
    let flow = "记账时间,微信支付业务单号\n";
    assert!(payctl_reading(&["bill"], flow.as_bytes()).with(1).stderr.contains("a fund flow bill"));
    assert!(payctl(&["bill", "/nowhere"]).with(2).stderr.contains("/nowhere cannot be read"));
    let foreign = payctl_reading(&["bill", "--mch-id", "7"], &day()).with(1);
    assert!(foreign.stderr.contains("line 2 belongs to another merchant"), "{}", foreign.stderr);
    let late = payctl_reading(&["bill", "--date", "2026-11-22"], &day()).with(1);
    assert!(late.stderr.contains("line 2 belongs to another day"), "{}", late.stderr);
}

//! Bills in all the shapes that real files have.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use money::{Fen, MilliFen};
use wechat_pay::bill::{
    self, BillError, BillFailure, BillState, CellProblem, Expected, Summary, TradeBillReader, TradeColumns, TradeRow,
};

const HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,\
                      货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,\
                      商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const PAYMENT: &str = "`2020-01-01 12:00:00,`wx1,`1900000001,`0,`,`42,`T1,`oABC,`JSAPI,`SUCCESS,`OTHERS,`CNY,`0.70,`0.40,`0,`0,\
                       `0.00,`0.00,`,`,`苹果,x,`x,`0.00000,`0.60%,`1.00,`0.00,`";
const REFUND: &str = "`2020-01-01 13:00:00,`wx1,`1900000001,`0,`,`42,`T1,`oABC,`JSAPI,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`50,`R1,\
                      `0.21,`0.09,`ORIGINAL,`PROCESSING,`苹果,`x,`-0.00130,`0.60%,`0.00,`0.30,`";
const SUMMARY_HEADER: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
const SUMMARY: &str = "`2.0,`0.7,`0.21,`0.09,`-0.0013,`1,`0.3";

fn today() -> String {
    [HEADER, PAYMENT, REFUND, SUMMARY_HEADER, SUMMARY].join("\r\n")
}

fn read(text: &str) -> Result<(Vec<TradeRow>, Summary), BillError> {
    let expected = Expected { mch_id: "1900000001".to_owned(), bill_date: None };
    let mut reader = TradeBillReader::open(text.as_bytes(), expected)?;
    let rows = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
    Ok((rows, reader.finish()?))
}

#[test]
fn line_ends_marks_and_leading_spaces_do_not_matter() {
    let plain = read(&today()).unwrap();
    assert_eq!(plain.0[0].body, "苹果,x");
    assert_eq!(plain.0[1].fee, MilliFen::new(-130));
    for text in
        [format!("\u{feff}{}\r\n", today()), today().replace("\r\n", "\n"), today().replace("\r\n", "\n ") + "\n\n"]
    {
        assert_eq!(read(&text).unwrap(), plain);
    }
}

#[test]
fn a_gzipped_body_is_recognised() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(today().as_bytes()).unwrap();
    let zipped = encoder.finish().unwrap();
    let mut text = String::new();
    bill::plain(zipped.as_slice()).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, today());
    let mut reader = bill::plain(&zipped[..zipped.len() - 9]).unwrap();
    assert!(reader.read_to_string(&mut String::new()).is_err());
}

#[test]
fn columns_are_found_by_name_wherever_they_stand() {
    let moved = |line: &str, separator: &str, new: &str| {
        let (first, rest) = line.split_once(separator).unwrap();
        format!("{rest}{separator}{first}{separator}{new}")
    };
    let row = |line: &str| format!("`{}", moved(line.strip_prefix('`').unwrap(), ",`", "?"));
    let text = [&moved(HEADER, ",", "新的一列"), &row(PAYMENT), &row(REFUND), SUMMARY_HEADER, SUMMARY].join("\n");
    assert_eq!(read(&text).unwrap(), read(&today()).unwrap());
}

#[test]
fn older_bills_of_24_columns_are_read() {
    let header = "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
                  总金额,企业红包金额,微信退款单号,商户退款单号,退款金额,企业红包退款金额,退款类型,退款状态,商品名称,商户数据包,\
                  手续费,费率";
    let payment = "`2014-11-10 16：33：45,`wx1,`1900000001,`0,`1000,`10,`T1,`oABC,`MICROPAY,`SUCCESS,`CFT,`CNY,`0.01,`0.0,`0,`0,`0,`0,\
                   `,`,`茶,`,`0.00000,`0.60%";
    let refund = "`2014-11-10 16：46：14,`wx1,`1900000001,`0,`1000,`10,`T1,`oABC,`MICROPAY,`REFUND,`CFT,`CNY,`0.00,`0.0,`20,`R1,`0.01,\
                  `0,`ORIGINAL,`SUCCESS,`茶,`,`0.00000,`0.60%";
    let summary = "总交易单数,总交易额,总退款金额,总代金券或立减优惠退款金额,手续费总金额\n`2,`0.01,`0.01,`0.0,`0";
    let (rows, summary) = read(&[header, payment, refund, summary].join("\n")).unwrap();
    assert_eq!(rows[0].total_fee, Fen::new(1));
    assert_eq!(rows[0].trade_time.to_string(), "2014-11-10T08:33:45Z");
    assert_eq!(rows[1].refund.as_ref().unwrap().refund_fee, Fen::new(1));
    assert_eq!((summary.total_fee, summary.refund_fee), (None, None));
}

#[test]
fn bills_of_payments_alone_have_no_refund_columns() {
    let header = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
                  应结订单金额,代金券金额,商品名称,商户数据包,手续费,费率,订单金额,费率备注";
    let row =
        "2019-07-23 18:46:41,wx1,1900000001,,,42,T1,oABC,JSAPI,SUCCESS,CFT,CNY,0.01,0.00,茶,x,0.00000,0.60%,0.01,";
    let summary = "`1,`0.01,`0.00,`0.00,`0.00000,`0.01,`0.00";
    let (rows, _) = read(&[header, row, SUMMARY_HEADER, summary].join("\n")).unwrap();
    assert_eq!((&rows[0].state, &rows[0].refund, &rows[0].sub_mch_id), (&BillState::Success, &None, &None));
}

#[test]
fn a_row_of_another_width_is_refused_with_its_line() {
    let wide = today().replace("`苹果,x", "`苹果,`x");
    assert!(matches!(read(&wide), Err(BillError::Width { line: 2, expected: 27, found: 28 })));
    let narrow = today().replace("`0.30,`", "`0.30");
    assert!(matches!(read(&narrow), Err(BillError::Width { line: 3, expected: 27, found: 26 })));
    let empty = today().replacen("\r\n", "\r\n\r\n", 1);
    assert!(matches!(read(&empty), Err(BillError::Width { line: 2, .. })));
}

#[test]
fn a_bad_value_is_named_by_line_and_column_and_not_shown() {
    for (from, to, line, name, problem) in [
        ("`1.00,`0.00,`\r", "`1.001,`0.00,`\r", 2, "订单金额", CellProblem::NotFen),
        ("`0.70", "`0,70", 2, "应结订单金额", CellProblem::NotFen),
        ("`-0.00130", "`1e3", 3, "手续费", CellProblem::NotMilliFen),
        ("12:00:00", "12:60:00", 2, "交易时间", CellProblem::NotTime),
        ("`SUCCESS", "`", 2, "交易状态", CellProblem::Empty),
        ("`50,`R1", "`0,`R1", 3, "微信退款单号", CellProblem::Contradiction),
        ("`0,`0,`0.00", "`0,`0,`0.01", 2, "微信退款单号", CellProblem::Contradiction),
        ("`50,`R1", "`5\u{15}0,`R1", 3, "微信退款单号", CellProblem::NotNumber),
        ("`50,`R1", "`50,`R\u{202e}1", 3, "商户退款单号", CellProblem::NotNumber),
        ("`2.0,", "`2.5,", 5, "总交易单数", CellProblem::NotCount),
    ] {
        assert!(today().contains(from), "{from}");
        match read(&today().replacen(from, to, 1)) {
            Err(BillError::Cell { line: found, column, problem: what }) => {
                assert_eq!((found, column.as_str(), what), (line, name, problem), "{to}");
            }
            other => panic!("{to}: {other:?}"),
        }
    }
    let error = read(&today().replace("`oABC", "`o\u{fffd}ABC").replacen("`0.70", "`secret", 1)).unwrap_err();
    assert_eq!(error.to_string(), "line 2, column 应结订单金额: is not an amount in whole fen");
}

#[test]
fn headers_that_are_no_trade_bill_are_refused() {
    assert!(matches!(
        read(&today().replacen("商户订单号", "订单", 1)),
        Err(BillError::MissingColumn { column: "商户订单号" })
    ));
    assert!(matches!(read(&today().replacen("设备号", "子商户号", 1)), Err(BillError::DuplicateColumn { .. })));
    assert!(matches!(read(""), Err(BillError::Format { line: 1, .. })));
    assert!(matches!(read("ok"), Err(BillError::Format { line: 1, .. })));
    assert!(matches!(read(HEADER), Err(BillError::Truncated { line: 1 })));
    assert!(matches!(read(&format!("{}\r\n`tail", today())), Err(BillError::Format { line: 6, .. })));
    let header = SUMMARY_HEADER.replace(",手续费总金额", "");
    let without_sum = [HEADER, PAYMENT, REFUND, &header, &SUMMARY.replace(",`-0.0013", "")].join("\n");
    assert!(matches!(read(&without_sum), Err(BillError::MissingColumn { .. })));
}

#[test]
fn a_line_without_end_is_refused_and_not_collected() {
    let endless = format!("{HEADER}\n`{}", "x".repeat(70_000));
    assert!(matches!(read(&endless), Err(BillError::Format { line: 2, what: "line too long" })));
}

#[test]
fn an_error_message_in_place_of_a_bill_is_understood() {
    let failure = |body: &str| match read(body).unwrap_err() {
        BillError::Failure(failure) => failure,
        other => panic!("{other:?}"),
    };
    let xml = |message: &str, code: &str| {
        format!("<xml><return_code><![CDATA[FAIL]]></return_code>\n<return_msg>{message}</return_msg>{code}</xml>")
    };
    assert_eq!(failure(&xml("No Bill Exist", "<error_code>20002</error_code>")), BillFailure::NoBillExist);
    assert_eq!(failure(&xml("NO Bill Exist", "")), BillFailure::NoBillExist);
    assert_eq!(failure(&xml("Bill Creating", "")), BillFailure::Creating);
    assert!(matches!(failure(&xml("SYSTEMERROR", "")), BillFailure::Busy { .. }));
    let refused = failure(&xml("sign error", "<error_code>20001</error_code>"));
    assert_eq!(refused.to_string(), "sign error (20001)");
    assert!(matches!(failure(&xml("invalid bill_type", "")), BillFailure::Refused { .. }));
    let fund_flow = "<xml><return_code>SUCCESS</return_code><result_code>FAIL</result_code><err_code>NO_BILL_EXIST</err_code></xml>";
    assert_eq!(failure(fund_flow), BillFailure::NoBillExist);
    for body in
        ["<html><body>502</body></html>", "<!DOCTYPE xml><xml><return_code>FAIL</return_code></xml>", "<xml></xml>"]
    {
        assert!(matches!(read(body), Err(BillError::Format { line: 1, .. })), "{body}");
    }
}

#[test]
fn a_line_break_inside_a_value_continues_the_row() {
    let plain = read(&today()).unwrap();
    for (broken, body) in [("苹果\r\n,x", "苹果\n,x"), ("\n苹果\n\nx`y", "\n苹果\n\nx`y"), ("苹果\n", "苹果\n")]
    {
        let (rows, summary) = read(&today().replace("苹果,x", broken)).unwrap();
        assert_eq!(rows[0], TradeRow { body: body.to_owned(), ..plain.0[0].clone() });
        assert_eq!((&rows[1], summary), (&plain.0[1], plain.1));
    }
}

#[test]
fn what_follows_a_whole_row_and_what_does_not_make_a_row_whole_is_refused() {
    let after = today().replacen("0.00,`\r\n", "0.00,`\r\nmore\r\n", 1);
    assert!(matches!(read(&after), Err(BillError::Width { line: 3, .. })));
    let cut = today().replace("`苹果,x,`x,`0.00000,`0.60%,`1.00,`0.00,`", "`苹果\r\n,x,`x");
    assert!(matches!(read(&cut), Err(BillError::Width { line: 2, found: 22, .. })));
    let endless = today().replace("苹果,x", &"\n".repeat(65));
    assert!(matches!(read(&endless), Err(BillError::Width { line: 2, .. })));
    let long = today().replace("苹果,x", &format!("{0}\n{0}", "x".repeat(40_000)));
    assert!(matches!(read(&long), Err(BillError::Format { line: 3, what: "line too long" })));
    let old = today().replace('`', "").replace("苹果,x", "苹果\nx");
    assert!(matches!(read(&old), Err(BillError::Width { line: 2, .. })));
}

#[test]
fn names_may_hold_commas_and_backticks() {
    for body in ["苹果, 梨", "`苹果`", "a`,b", ",", "``", "苹果,"] {
        let (rows, _) = read(&today().replace("苹果,x", body)).unwrap();
        assert_eq!(rows[0].body, body);
    }
}

#[test]
fn columns_that_nobody_knows_yet_are_left_alone() {
    let more = |line: &str, value: &str| format!("{line},{value}");
    let text =
        [more(HEADER, "新列"), more(PAYMENT, "`新"), more(REFUND, "`"), SUMMARY_HEADER.to_owned(), SUMMARY.to_owned()]
            .join("\r\n");
    assert_eq!(read(&text).unwrap(), read(&today()).unwrap());
}

#[test]
fn one_row_is_read_from_its_bytes_as_in_its_bill() {
    let rows = read(&today()).unwrap().0;
    let columns = TradeColumns::find(format!("\u{feff}{HEADER}\r\n").as_bytes()).unwrap();
    assert_eq!((columns.width(), columns.place(bill::Column::TotalFee)), (27, Some(24)));
    let first = format!("{PAYMENT}\r\n");
    assert_eq!(columns.read_first(2, format!("{first}{REFUND}").as_bytes()).unwrap(), (rows[0].clone(), first.len()));
    assert_eq!(columns.read_first(3, REFUND.as_bytes()).unwrap(), (rows[1].clone(), REFUND.len()));
    let bad = columns.read_first(7, REFUND.replace("0.21", "x").as_bytes()).unwrap_err();
    assert_eq!(bad.to_string(), "line 7, column 退款金额: is not an amount in whole fen");
    assert!(matches!(columns.read_first(7, b"`1,`2"), Err(BillError::Width { line: 7, expected: 27, found: 2 })));
    assert!(matches!(columns.read_first(7, b"`\xff"), Err(BillError::Format { line: 7, what: "not UTF-8" })));
    for no_row in ["", SUMMARY_HEADER] {
        assert!(matches!(columns.read_first(7, no_row.as_bytes()), Err(BillError::Format { line: 7, what: "no row" })));
    }
    assert!(TradeColumns::find(b"<xml>").is_err());
    assert!(TradeColumns::find(format!("<,{HEADER}").as_bytes()).is_err(), "an error message in place of a bill");
}

#[test]
fn a_row_with_line_breaks_in_it_is_read_from_its_bytes_up_to_its_end() {
    let columns = TradeColumns::find(HEADER.as_bytes()).unwrap();
    let broken = PAYMENT.replacen("CNY", "C\r\n  N\n\nY", 1) + "\r\n";
    for more in ["", REFUND, SUMMARY_HEADER, "x"] {
        let (row, length) = columns.read_first(2, format!("{broken}{more}").as_bytes()).unwrap();
        assert_eq!((row.fee_type.as_str(), length), ("C\nN\n\nY", broken.len()), "{more}");
    }
    let cut = &broken[..broken.find('Y').unwrap()];
    for more in ["", REFUND, SUMMARY_HEADER] {
        let cut = format!("{cut}{more}");
        assert!(matches!(columns.read_first(2, cut.as_bytes()), Err(BillError::Width { line: 2, .. })), "{more}");
    }
}

#[test]
fn the_end_of_a_bill_is_read_as_in_its_bill() {
    let end = [SUMMARY_HEADER, SUMMARY, "", ""].join("\r\n");
    assert_eq!(Summary::read(end.as_bytes()).unwrap(), read(&today()).unwrap().1);
    for end in [HEADER.to_owned(), SUMMARY_HEADER.to_owned(), format!("{end}x"), end.replace("`1,", "`1,`1,")] {
        assert!(Summary::read(end.as_bytes()).is_err(), "{end}");
    }
}

//! Written fund flows read back, damaged ones refused.

use jiff::civil::date;
use money::Fen;
use proptest::prelude::*;
use wechat_pay::bill::{BillError, BillFailure, CellProblem, Control};
use wechat_pay::fund_flow::{
    Column, Direction, Expected, FundColumns, FundFlowReader, FundFlowWriter, FundSummary, Movement,
};
use wechat_pay::time;

/// The published sample: its header with brackets of either width, one of its rows, and a summary of that row.
const SAMPLE: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额（元）,账户结余（元）,资金变更提交申请人,备注,业务凭证号
`2018-02-01 04:21:23,`50000305742018020103387128253,`1900009231201802015884652186,`退款,`退款,`支出,`0.02,`0.17,`system,`缺货,`REF4200000068201801293084726067
资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额
`1.0,`0.0,`0.00,`1.0,`0.02
";

fn read(text: &str) -> Result<(Vec<Movement>, FundSummary), BillError> {
    let expected = Expected { bill_date: Some(date(2018, 2, 1)) };
    let mut reader = FundFlowReader::open(text.as_bytes(), expected)?;
    let movements = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
    Ok((movements, reader.finish()?))
}

fn refused(text: &str) -> String {
    read(text).expect_err("the file is refused").to_string()
}

/// Movements of an account that holds one yuan at first.
fn movements(amounts: &[i64]) -> Vec<Movement> {
    let mut balance = 100;
    let movement = |(at, amount): (usize, &i64)| {
        balance += amount;
        Movement {
            line: at as u64 + 2,
            booked_at: time::parse_14("20180201120000").expect("a time"),
            number: format!("42000000682018012930847{at:05}"),
            flow_number: format!("19000092312018020158846{at:05}"),
            name: "交易".to_owned(),
            kind: "交易".to_owned(),
            direction: if *amount < 0 { Direction::Out } else { Direction::In },
            amount: Fen::new(amount.abs()),
            balance: Fen::new(balance),
            by: "system".to_owned(),
            remark: "苹果, `好`".to_owned(),
            voucher: format!("T{at}"),
        }
    };
    amounts.iter().enumerate().map(movement).collect()
}

fn written(movements: &[Movement]) -> String {
    let mut writer = FundFlowWriter::new(Vec::new()).expect("memory takes everything");
    for movement in movements {
        writer.row(movement).expect("memory takes everything");
    }
    String::from_utf8(writer.finish().expect("memory takes everything")).expect("it is text")
}

#[test]
fn the_published_sample_is_read() {
    let (movements, summary) = read(SAMPLE).expect("it is a fund flow");
    let expected = Movement {
        line: 2,
        booked_at: time::parse_14("20180201042123").expect("a time"),
        number: "50000305742018020103387128253".to_owned(),
        flow_number: "1900009231201802015884652186".to_owned(),
        name: "退款".to_owned(),
        kind: "退款".to_owned(),
        direction: Direction::Out,
        amount: Fen::new(2),
        balance: Fen::new(17),
        by: "system".to_owned(),
        remark: "缺货".to_owned(),
        voucher: "REF4200000068201801293084726067".to_owned(),
    };
    assert_eq!(movements, [expected]);
    let (opening, closing) = (Some(Fen::new(19)), Some(Fen::new(17)));
    let sums = FundSummary { rows: 1, spendings: 1, spent: Fen::new(2), opening, closing, ..FundSummary::default() };
    assert_eq!(summary, sums);
}

#[test]
fn brackets_marks_line_ends_full_width_colons_and_new_columns_do_not_matter() {
    let plain = read(SAMPLE).expect("it is a fund flow");
    let half_width = SAMPLE.replace('（', "(").replace('）', ")");
    let colons = SAMPLE.replace("04:21:23", "04：21：23");
    let more = SAMPLE.replace(",业务凭证号", ",新列,业务凭证号").replace(",`REF", ",`,`REF");
    let crlf = format!("\u{feff}{}", SAMPLE.replace('\n', "\r\n"));
    for text in [half_width, colons, more, crlf] {
        assert_eq!(read(&text).expect("it is the same fund flow"), plain, "{text}");
    }
}

#[test]
fn an_account_on_which_nothing_moved_has_no_balances() {
    let (movements, summary) = read(&written(&[])).expect("it is a fund flow");
    assert_eq!((movements, summary), (Vec::new(), FundSummary::default()));
}

#[test]
fn an_error_message_in_place_of_a_fund_flow_is_understood() {
    let message = "<xml><return_code><![CDATA[FAIL]]></return_code><error_code>20002</error_code></xml>";
    let error = read(message).expect_err("there is no fund flow");
    assert!(matches!(error, BillError::Failure(BillFailure::NoBillExist)), "{error}");
}

#[test]
fn a_bad_value_is_named_by_line_and_column_and_not_shown() {
    for (from, to, column, problem) in [
        ("04:21:23", "04:61:23", "记账时间", CellProblem::NotTime),
        ("`1900009231201802015884652186", "`", "资金流水单号", CellProblem::Empty),
        ("`退款,`支出", "`,`支出", "业务类型", CellProblem::Empty),
        ("支出,`0.02", "冻结,`0.02", "收支类型", CellProblem::NotDirection),
        ("支出,`0.02", "支出,`0.021", "收支金额(元)", CellProblem::NotFen),
        ("支出,`0.02", "支出,`-0.02", "收支金额(元)", CellProblem::Negative),
        ("`0.17", "`", "账户结余(元)", CellProblem::NotFen),
    ] {
        let expected = BillError::Cell { line: 2, column: column.to_owned(), problem };
        assert_eq!(refused(&SAMPLE.replacen(from, to, 1)), expected.to_string());
    }
    let summary = BillError::Cell { line: 4, column: "收入笔数".to_owned(), problem: CellProblem::NotCount };
    assert_eq!(refused(&SAMPLE.replace("`1.0,`0.0,", "`1.0,`0.5,")), summary.to_string());
}

#[test]
fn headers_that_are_no_fund_flow_are_refused() {
    assert_eq!(refused(&SAMPLE.replace("账户结余（元）", "结余")), "header has no column 账户结余(元)");
    let twice = SAMPLE.replacen("备注", "业务类型", 1);
    assert_eq!(refused(&twice), "header has column 业务类型 twice");
    assert_eq!(refused(&SAMPLE.replace("支出金额", "支出总额")), "header has no column 支出金额");
}

#[test]
fn a_movement_of_another_day_or_a_second_time_refuses_the_file() {
    let mut foreign = movements(&[100, -30]);
    foreign[1].booked_at = time::parse_14("20180202000000").expect("a time");
    assert!(matches!(read(&written(&foreign)), Err(BillError::Control(Control::ForeignDay { line: 3 }))));
    let mut twice = movements(&[100, -30, 5]);
    twice[2].flow_number = twice[0].flow_number.clone();
    assert!(matches!(read(&written(&twice)), Err(BillError::Control(Control::Duplicate { line: 4 }))));
}

#[test]
fn counts_sums_and_balances_are_checked() {
    let whole = written(&movements(&[100, -30, 5]));
    for (from, to, error) in [
        ("`3.0,`2.0", "`4.0,`2.0", "summary counts 4 rows, the bill has 3"),
        ("`3.0,`2.0", "`3.0,`3.0", "summary says 3 in column 收入笔数, the rows are 2"),
        (",`1.0,`0.30", ",`2.0,`0.30", "summary says 2 in column 支出笔数, the rows are 1"),
        ("`2.0,`1.05", "`2.0,`1.06", "column 收入金额 adds up to 1.05, the summary says 1.06"),
        ("`1.0,`0.30", "`1.0,`0.31", "column 支出金额 adds up to 0.30, the summary says 0.31"),
        ("`1.75", "`1.76", "the last balance is 1.76, the first one and the sums lead to 1.75"),
        ("`2.00", "`2.01", "the last balance is 1.75, the first one and the sums lead to 1.76"),
    ] {
        assert_eq!(refused(&whole.replacen(from, to, 1)), format!("bill fails a control: {error}"));
    }
}

#[test]
fn a_truncated_file_is_refused_wherever_it_was_cut() {
    let whole = written(&movements(&[100, -30, 5]));
    let end = whole.trim_end().len();
    for at in (0..end).filter(|at| whole.is_char_boundary(*at)) {
        // The last digit is a zero that says nothing.
        let cut = read(&whole[..at]);
        assert!(cut.is_err() || at + 1 == end, "cut at {at}: {cut:?}");
    }
}

proptest! {
    #[test]
    fn written_then_read_is_identity(amounts in prop::collection::vec(-1_000_i64..1_000, 0..20)) {
        let movements = movements(&amounts);
        let (found, summary) = read(&written(&movements)).expect("it is a fund flow");
        prop_assert_eq!(&found, &movements);
        prop_assert_eq!(summary.closing, movements.last().map(|movement| movement.balance));
        prop_assert_eq!(summary.opening, movements.first().map(|_| Fen::new(100)));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(at: prop::sample::Index, byte: u8) {
        let mut bytes = written(&movements(&[100, -30])).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(reader) = FundFlowReader::open(bytes.as_slice(), Expected::default()) {
            let _ = reader.finish();
        }
    }
}

#[test]
fn one_movement_is_read_from_its_bytes_as_in_its_file() {
    let (movements, _) = read(SAMPLE).unwrap();
    let lines: Vec<&str> = SAMPLE.lines().collect();
    let columns = FundColumns::find(format!("\u{feff}{}\r\n", lines[0]).as_bytes()).unwrap();
    assert_eq!((columns.width(), columns.place(Column::Balance)), (11, Some(7)));
    let broken = lines[1].replace("缺货", "缺\r\n  货") + "\n";
    let (movement, length) = columns.read_first(2, format!("{broken}`next").as_bytes()).unwrap();
    assert_eq!((movement.remark.as_str(), length), ("缺\n货", broken.len()));
    assert_eq!(Movement { remark: "缺货".to_owned(), ..movement }, movements[0]);
    for no_row in ["", lines[2]] {
        assert!(matches!(columns.read_first(7, no_row.as_bytes()), Err(BillError::Format { line: 7, .. })));
    }
    for no_header in ["<xml>", &format!("<,{}", lines[0]), lines[2]] {
        assert!(FundColumns::find(no_header.as_bytes()).is_err());
    }
}

#[test]
fn the_end_of_a_file_is_read_as_in_its_file() {
    let end = &SAMPLE[SAMPLE.find("资金流水总笔数").unwrap()..];
    let (_, summary) = read(SAMPLE).unwrap();
    assert_eq!(FundSummary::read(end.as_bytes()).unwrap(), FundSummary { opening: None, closing: None, ..summary });
    for end in ["", end.lines().next().unwrap(), &format!("{end}x")] {
        assert!(FundSummary::read(end.as_bytes()).is_err(), "{end}");
    }
}

use std::io::{Cursor, Read as _};

use calamine::{Data, DataType as _, Range, Reader as _, Xlsx};
use proto::reconcile::v1::{Account, CodeCount, Discrepancy, Input, Movements, Run, run::State};
use reconciliation::Code;

use super::super::row::{Head, Row};
use super::Workbook;

/// A day with a difference of every code, of which one only waits.
fn whole() -> Vec<u8> {
    let codes = (1..).zip(Code::ALL);
    let counts =
        codes.clone().map(|(place, code)| CodeCount { code: code.to_string(), count: 1, sum_fen: 12_345 * place });
    let moved = |kind: &str, count, sum_fen, of_trades| Movements { kind: kind.into(), count, sum_fen, of_trades };
    let movements = vec![
        moved("交易", 1_204, 12_345_678, true),
        moved("退款", 37, -98_765, true),
        moved("扣除交易手续费", 1_204, -73_482, true),
        moved("提现", 1, -1_000_000, false),
    ];
    let basic = Account {
        account: "BASIC".into(),
        state: "READ".into(),
        opening_fen: Some(5_000_000),
        closing_fen: Some(16_173_431),
        movements,
    };
    let unread = Account { account: "FEES".into(), state: "NOT_FETCHED".into(), ..Account::default() };
    let input = |input: &str, state: &str, bytes| Input {
        input: input.into(),
        state: state.into(),
        sha256: if bytes == 0 { String::new() } else { "8a".repeat(32) },
        bytes,
    };
    let run = Run {
        name: "runs/019aa5f0-0000-7000-8000-000000000002".into(),
        merchant: "acme-mini".into(),
        bill_date: "2026-11-21".into(),
        version: 3,
        state: State::Differences.into(),
        bill_count: 1_204,
        bill_sum_fen: 12_345_678,
        bill_fee_yuan: "734.81480".into(),
        engine_version: 4,
        rules_version: reconciliation::Rules::VERSION,
        as_of: "2026-11-22".into(),
        bill_sha256: "8a".repeat(32),
        differences: counts.collect(),
        accounts: vec![basic, unread],
        inputs: vec![input("TRADE", "READ", 412_334), input("FUND_FEES", "NOT_FETCHED", 0)],
        current: true,
        ..Run::default()
    };
    let export_time = "2026-11-22T02:40:00Z".parse().expect("an instant");
    let mut book = Workbook::begin(Cursor::new(Vec::new()), Head { run, export_time }).expect("memory takes it");
    for (place, code) in codes {
        let difference = Discrepancy {
            name: format!("discrepancies/019aa5f0-0000-7000-8000-0000000000{place:02}"),
            code: code.to_string(),
            critical: code.is_critical(),
            state: 1,
            bill_amount_fen: 12_345 * place,
            book_amount_fen: 10_000 * place,
            risk_fen: 2_345 * place,
            account: if code == Code::F3 { "BASIC".into() } else { String::new() },
            out_trade_no: format!("{place:032x}"),
            transaction_id: format!("42000{place:023}"),
            explanation: format!("The bill has something that our books do not hold: {}.", code.meaning()),
            open_time: Some(proto::time::to_wire(export_time)),
            ..Discrepancy::default()
        };
        let row = Row { difference, waiting: code == Code::F2, app: "shop".into(), order_no: format!("SO-{place}") };
        book.row(&row).expect("memory takes it");
    }
    book.finish().expect("memory takes it").into_inner()
}

/// A part of the ZIP file that a workbook is.
fn xml(book: &[u8], part: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(book)).expect("a ZIP file");
    let mut text = String::new();
    archive.by_name(part).expect("the part is there").read_to_string(&mut text).expect("text");
    text
}

fn sheet(book: &[u8], name: &str) -> Range<Data> {
    let mut book = Xlsx::new(Cursor::new(book)).expect("a workbook");
    book.worksheet_range(name).expect("the sheet is there")
}

#[test]
fn what_differs_adds_up_at_the_end_a_row_apart_from_what_is_filtered() {
    let book = whole();
    let last = |name: &str| sheet(&book, name).rows().next_back().expect("rows").to_vec();
    let found = sheet(&book, "差异明细 Differences");
    let last_found = last("差异明细 Differences");
    assert_eq!(last_found[0], Data::String("合计 Total".into()));
    // 1 to 18 without the one that waits, 16.
    let sums = [5, 6, 7, 8].map(|at| last_found[at].as_f64().map(|yuan| format!("{yuan:.2}")));
    assert_eq!(sums.map(Option::unwrap_or_default), ["19134.75", "15500.00", "3634.75", "3634.75"]);
    assert!(found[(found.height() - 2, 0)].is_empty(), "a row apart");
    assert!(
        xml(&book, "xl/worksheets/sheet2.xml").contains(&format!("<autoFilter ref=\"A1:Y{}\"/>", found.height() - 2))
    );
    assert_eq!(last("待定 Waiting")[8].as_f64().map(|yuan| format!("{yuan:.2}")).as_deref(), Some("375.20"));
    let moved = last("资金流水 Movements");
    assert_eq!((moved[0].to_string().as_str(), moved[3].as_i64()), ("基本账户 Basic 合计 Total", Some(2_446)));
    assert_eq!(moved[4].as_f64().map(|yuan| format!("{yuan:.2}")).as_deref(), Some("111734.31"));
}

#[test]
fn every_sheet_is_printed_across_on_pages_that_say_of_which_run_they_are() {
    let book = whole();
    for number in 1..=5 {
        let text = xml(&book, &format!("xl/worksheets/sheet{number}.xml"));
        for part in [
            "orientation=\"landscape\"",
            "fitToHeight=\"0\"",
            "<pageSetUpPr fitToPage=\"1\"/>",
            "acme-mini 2026-11-21 v3",
        ] {
            assert!(text.contains(part), "{part} is not in sheet {number}");
        }
    }
    let names = xml(&book, "xl/workbook.xml");
    // What has no place on paper is left to the screen, and titles stand on every page.
    assert!(names.contains("'差异明细 Differences'!$A$1:$M$20"), "{names}");
    assert_eq!(names.matches("_xlnm.Print_Titles").count(), 4, "{names}");
}

#[test]
fn what_nobody_looked_into_has_no_zero() {
    let summary = sheet(&whole(), "对账汇总 Summary");
    let fees = summary.rows().find(|row| row[0].to_string().starts_with("手续费账户")).expect("its row");
    assert!(fees[2..].iter().all(Data::is_empty), "{fees:?}");
}

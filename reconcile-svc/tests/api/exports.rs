use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::time::{Duration, Instant};

use calamine::{Data, DataType as _, Range, Reader as _, Xlsx};
use jiff::civil::Date;
use money::Fen;
use proto::reconcile::v1::export_run_request::Format;
use proto::reconcile::v1::{Discrepancy, ExportRunRequest, ListDiscrepanciesRequest, Run};
use serde_json::Value;
use sqlx::Executor as _;
use tonic::Code;

use crate::bill::{self, Payment};
use crate::gateway::Bill;
use crate::harness::World;

const SHEETS: [&str; 5] =
    ["对账汇总 Summary", "差异明细 Differences", "待定 Waiting", "资金流水 Movements", "依据 Inputs"];

/// A day with a P1, a P3 with a number like a formula, a P5 of an order with a number like one, and a P6; then the P5 waits, and
/// money moved on the basic account.
async fn day_with_differences(world: &World) -> Run {
    let day = world.day();
    let (fine, pending, differs) = (Payment::on(day, 1), Payment::on(day, 123_456_789), Payment::on(day, 40_000));
    let mut unknown = Payment::on(day, 20_000);
    "=HYPERLINK(\"http://evil\")".clone_into(&mut unknown.out_trade_no);
    let mut book_only = Payment::on(day, 30_007);
    "@SUM(1+1)*cmd|' /C calc'!A0".clone_into(&mut book_only.order_no);
    world.book(&[&fine, &book_only, &differs]).await;
    world.publish(&[pending.issued()]).await;
    let mut more = differs.row();
    (more.total_fee, more.settlement_total_fee) = (Fen::new(40_001), Fen::new(40_001));
    let rows = [fine.row(), pending.row(), unknown.row(), more];
    world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(bill::text(&rows)));
    let run = world.run(day).await;
    for statement in [
        "UPDATE discrepancies SET state = 'HELD', due_date = bill_date + 2 WHERE code = 'P5'",
        "UPDATE run_differences SET due_date = '2026-12-02'
         WHERE discrepancy_id IN (SELECT discrepancy_id FROM discrepancies WHERE code = 'P5')",
        "DELETE FROM run_movements",
        "DELETE FROM run_accounts",
        "INSERT INTO run_accounts SELECT run_id, 'BASIC', 'READ', 1000, 123456790 FROM runs",
        "INSERT INTO run_movements SELECT run_id, 'BASIC', '交易', TRUE, 2, 123456790 FROM runs",
        "INSERT INTO run_movements SELECT run_id, 'BASIC', '提现', FALSE, 1, -1000 FROM runs",
    ] {
        world.pool.execute(statement).await.expect("the tables of a run");
    }
    world.get(&run.name).await
}

/// Everything that the API tells of a run, by name.
async fn told(world: &World, run: &Run) -> BTreeMap<String, Discrepancy> {
    let mut request = ListDiscrepanciesRequest { run: run.name.clone(), page_size: 200, ..Default::default() };
    let mut found = BTreeMap::new();
    loop {
        let page = world.client.clone().list_discrepancies(request.clone()).await.expect("a page").into_inner();
        found.extend(page.discrepancies.into_iter().map(|found| (found.name.clone(), found)));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return found;
        }
    }
}

fn sheet(bytes: &[u8], name: &str) -> Range<Data> {
    let mut book = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
    book.worksheet_range(name).expect("the sheet is there")
}

/// Cells below the titles, by the English half of their title.
fn rows(sheet: &Range<Data>) -> Vec<BTreeMap<String, Data>> {
    let mut rows = sheet.rows();
    let titles: Vec<String> = rows.next().expect("titles").iter().map(|title| english(&title.to_string())).collect();
    // A row apart from them stand the sums.
    let rows = rows.take_while(|row| !row[0].is_empty());
    rows.map(|row| titles.iter().cloned().zip(row.iter().cloned()).collect()).collect()
}

fn english(title: &str) -> String {
    title.split_once('\n').expect("Chinese above English").1.to_owned()
}

/// What a cell with money holds, read as a spreadsheet shows it.
fn fen(cell: &Data) -> i64 {
    match cell {
        Data::Empty => 0,
        Data::Float(yuan) => Fen::parse_yuan(&format!("{yuan:.2}")).expect("yuan").get(),
        other => panic!("{other:?} is no amount"),
    }
}

/// A part of the ZIP file that a workbook is.
fn xml(bytes: &[u8], part: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("a ZIP file");
    let mut text = String::new();
    archive.by_name(part).expect("the part is there").read_to_string(&mut text).expect("text");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_has_every_difference_to_the_fen_with_types_that_finance_can_count_on() {
    let world = World::start().await;
    let run = day_with_differences(&world).await;
    let (name, bytes, _) = world.export(&run.name, Format::Xlsx).await;
    assert_eq!(name, format!("acme-mini_{}_v1.xlsx", run.bill_date));
    let book = Xlsx::new(Cursor::new(&bytes)).expect("a workbook");
    assert_eq!(book.sheet_names(), SHEETS);

    let mut told = told(&world, &run).await;
    let (differences, waiting) = (rows(&sheet(&bytes, SHEETS[1])), rows(&sheet(&bytes, SHEETS[2])));
    for code in ["P1", "P3", "P6"] {
        assert!(differences.iter().any(|row| row["Code"] == *code), "{code}: {differences:?}");
    }
    assert!(differences.iter().map(|row| fen(&row["At risk (yuan)"])).is_sorted_by(|one, next| next <= one));
    for row in differences.iter().chain(&waiting) {
        let api = told.remove(&row["Name"].to_string()).expect("the API tells it too, once");
        assert_eq!(row["Code"], Data::String(api.code));
        assert_eq!(fen(&row["Bill (yuan)"]), api.bill_amount_fen);
        assert_eq!(fen(&row["Books (yuan)"]), api.book_amount_fen);
        assert_eq!(fen(&row["Bill less books"]), api.bill_amount_fen - api.book_amount_fen);
        assert_eq!(fen(&row["At risk (yuan)"]), api.risk_fen);
        // Text, so that no program rounds 28 digits or computes what a stranger wrote.
        assert_eq!(row["out_trade_no"], Data::String(api.out_trade_no));
        assert_eq!(row["transaction_id"], Data::String(api.transaction_id));
        assert!(row["In Chinese"].to_string().contains('元'), "{row:?}");
        assert_eq!(row["Explanation"], Data::String(api.explanation));
        let seen = row["First seen"].as_datetime_text();
        assert!(seen.starts_with(&api_day(&world)), "{seen}");
    }
    assert!(told.is_empty());
    let waits = waiting.iter().find(|row| row["Code"] == *"P5").expect("the P5 only waits");
    assert_eq!(waits["Due date"].as_datetime_text(), "2026-12-02 00:00:00");
    assert_eq!(waits["Order no"], Data::String("@SUM(1+1)*cmd|' /C calc'!A0".to_owned()));
    assert_eq!(waits["App"], Data::String("shop".to_owned()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_sums_up_like_the_api_and_can_be_read_by_scrolling_and_filtering() {
    let world = World::start().await;
    let run = day_with_differences(&world).await;
    let (_, bytes, _) = world.export(&run.name, Format::Xlsx).await;
    let summary = sheet(&bytes, SHEETS[0]);
    let row = |label: &str| {
        let found = summary.rows().find(|row| row[0].to_string().starts_with(label));
        found.unwrap_or_else(|| panic!("no row {label}: {summary:?}")).to_vec()
    };
    assert_eq!(row("acme-mini")[0].to_string(), format!("acme-mini · {} · v1", run.bill_date));
    assert_eq!(row("有差异")[0].to_string(), "有差异 Differences");
    assert_eq!((row("账单支付")[1].as_i64(), fen(&row("账单支付")[2])), (Some(run.bill_count), run.bill_sum_fen));
    assert_eq!((row("账簿支付")[1].as_i64(), fen(&row("账簿支付")[2])), (Some(run.book_count), run.book_sum_fen));
    assert_eq!((row("一致的支付")[1].as_i64(), fen(&row("一致的支付")[2])), (Some(1), 1));
    assert_eq!(format!("{:.5}", row("手续费")[2].as_f64().expect("a number")), run.bill_fee_yuan);
    for code in &run.differences {
        let row = row(&format!("{} ", code.code));
        assert_eq!((row[1].as_i64(), fen(&row[2])), (Some(code.count), code.sum_fen));
    }
    let account = row("基本账户");
    assert_eq!([2, 3, 4, 5].map(|at| fen(&account[at])), [1000, 123_455_790, 123_456_790, 0]);

    let moved = rows(&sheet(&bytes, SHEETS[3]));
    let sums: Vec<(String, i64)> = moved.iter().map(|row| (row["Kind"].to_string(), fen(&row["Sum (yuan)"]))).collect();
    assert_eq!(sums, [("交易".to_owned(), 123_456_790), ("提现".to_owned(), -1000)]);
    let inputs = sheet(&bytes, SHEETS[4]);
    assert!(inputs.rows().any(|row| row[1] == Data::String(run.name.clone())), "{inputs:?}");
    assert!(inputs.rows().any(|row| row[1] == Data::String(run.bill_sha256.clone())), "{inputs:?}");

    for (part, name) in [("xl/worksheets/sheet2.xml", SHEETS[1]), ("xl/worksheets/sheet3.xml", SHEETS[2])] {
        let last = sheet(&bytes, name).rows().take_while(|row| !row[0].is_empty()).count();
        let text = xml(&bytes, part);
        assert!(text.contains("<pane xSplit=\"1\" ySplit=\"1\"") && text.contains("state=\"frozen\""), "{part}");
        assert!(text.contains(&format!("<autoFilter ref=\"A1:Y{last}\"/>")), "{part}");
        assert!(!text.contains("<f>"), "{part} computes nothing");
    }
    assert!(xml(&bytes, "xl/styles.xml").contains("formatCode=\"#,##0.00000_)\""));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_and_json_tell_the_same_fen_as_the_api() {
    let world = World::start().await;
    let run = day_with_differences(&world).await;
    let told = told(&world, &run).await;

    let (name, bytes, _) = world.export(&run.name, Format::Csv).await;
    assert_eq!(name, format!("acme-mini_{}_v1.csv", run.bill_date));
    let text = String::from_utf8(bytes).expect("UTF-8");
    let lines: Vec<&str> = text.strip_prefix('\u{feff}').expect("its mark").split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + told.len());
    for found in told.values() {
        let line = lines.iter().find(|line| line.ends_with(&found.name)).expect("a line for each");
        let side = |fen: i64| if fen == 0 { String::new() } else { Fen::new(fen).to_yuan() };
        let (bill, book) = (found.bill_amount_fen, found.book_amount_fen);
        let amounts = [side(bill), side(book), Fen::new(bill - book).to_yuan(), Fen::new(found.risk_fen).to_yuan()];
        assert!(line.contains(&format!(",{},", amounts.join(","))), "{line}");
    }
    assert!(text.contains(",\"'=HYPERLINK(\"\"http://evil\"\")\",") && text.contains(",'@SUM(1+1)*cmd|"), "{text}");
    assert!(!text.contains(",=") && !text.contains(",@") && !text.contains("\"="), "{text}");

    let (name, bytes, _) = world.export(&run.name, Format::Json).await;
    assert_eq!(name, format!("acme-mini_{}_v1.json", run.bill_date));
    let object: Value = serde_json::from_slice(&bytes).expect("one object");
    assert_eq!(object["run"]["name"], run.name);
    assert_eq!(object["accounts"][0]["closingFen"], "123456790");
    assert_eq!(object["inputs"].as_array().map(Vec::len), Some(run.inputs.len()));
    let found: BTreeMap<String, Discrepancy> = object["differences"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            let mut one = one.clone();
            let fields = one.as_object_mut().expect("an object");
            for ours in ["app", "orderNo", "waiting"] {
                fields.remove(ours);
            }
            // Of the run; the API tells it of the difference's own state.
            fields.remove("dueDate");
            (one["name"].as_str().expect("a name").to_owned(), serde_json::from_value(one).expect("a message"))
        })
        .collect();
    let told: BTreeMap<_, _> =
        told.into_iter().map(|(name, found)| (name, Discrepancy { due_date: String::new(), ..found })).collect();
    assert_eq!(found, told);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_differences_come_in_small_pieces_and_soon() {
    let world = World::start().await;
    let run = world.run(world.day()).await;
    for statement in [
        "INSERT INTO discrepancies (discrepancy_id, merchant, bill_date, code, out_trade_no, transaction_id, app_id,
             bill_amount_fen, book_amount_fen, explanation, state, open_time, opened_by, risk_fen, fingerprint)
         SELECT gen_random_uuid(), r.merchant, r.bill_date, 'P5', md5(n::TEXT), '42' || lpad(n::TEXT, 26, '0'), '', 0, n,
             'paid in our books, in no bill of the provider; nothing is known of it', 'OPEN', now(), r.run_id, n, n::TEXT
         FROM runs r, generate_series(1, 10000) n",
        "INSERT INTO run_differences (run_id, discrepancy_id, bill_amount_fen, book_amount_fen, explanation, risk_fen)
         SELECT opened_by, discrepancy_id, bill_amount_fen, book_amount_fen, explanation, risk_fen FROM discrepancies",
    ] {
        world.pool.execute(statement).await.expect("the tables of a run");
    }
    for (format, least) in [(Format::Xlsx, 200_000), (Format::Csv, 2_000_000), (Format::Json, 4_000_000)] {
        let begin = Instant::now();
        let (_, bytes, pieces) = world.export(&run.name, format).await;
        assert!(least < bytes.len() && begin.elapsed() < Duration::from_mins(1), "{format:?}: {} bytes", bytes.len());
        assert!(pieces.iter().all(|piece| (1..=256 * 1024).contains(piece)), "{format:?}: {pieces:?}");
        assert!(pieces.len() <= bytes.len() / (256 * 1024) + 1, "{format:?}: only the last piece is short");
        if format == Format::Xlsx {
            let rows = rows(&sheet(&bytes, SHEETS[1]));
            assert_eq!(rows.iter().map(|row| fen(&row["Books (yuan)"])).sum::<i64>(), 50_005_000);
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_exported_says_why() {
    let world = World::start().await;
    let refused = async |name: &str, format: i32| {
        let request = ExportRunRequest { name: name.to_owned(), format };
        world.client.clone().export_run(request).await.expect_err("no file")
    };
    let nothing = refused("runs/1", 0).await;
    assert_eq!(nothing.code(), Code::InvalidArgument);
    assert!(nothing.message().contains("name: must be runs/{uuid} (and 1 more)"), "{nothing}");
    let unknown = refused("runs/00000000-0000-7000-8000-000000000000", Format::Csv.into()).await;
    assert_eq!(unknown.code(), Code::NotFound);
    let run = world.run(world.day()).await;
    let under_way = "UPDATE runs SET state = 'RUNNING', end_time = NULL, current = FALSE, holder = run_id, lease_until = now() + '1 h'";
    world.pool.execute(under_way).await.expect("one run");
    let under_way = refused(&run.name, Format::Xlsx.into()).await;
    assert_eq!(
        (under_way.code(), under_way.message()),
        (Code::Aborted, "the run is under way: export it when it has ended")
    );
    world.end().await;
}

/// Today on the clocks of Beijing.
fn api_day(world: &World) -> String {
    let today: Date = wechat_pay::time::bill_date(world.clock.now());
    today.to_string()
}

trait DateTimeText {
    fn as_datetime_text(&self) -> String;
}

impl DateTimeText for Data {
    /// A cell that must be a date or an instant, as people read it.
    fn as_datetime_text(&self) -> String {
        let Data::DateTime(at) = self else { panic!("{self:?} is no date") };
        let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
        format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

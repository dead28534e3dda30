use proto::reconcile::v1::Run;
use reconciliation::Rules;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::cell::{Cell, beijing};
use super::super::row::Head;
use super::super::words::{self, Words};
use super::formats::Formats;
use super::sheet::{put, put_count, put_text, put_titles, set_print};

const TITLES: [Words; 4] = [
    Words("输入", "Input"),
    Words("状态", "State"),
    Words("字节数", "Bytes"),
    Words("SHA-256", "of the decompressed file"),
];

/// What the run was made from and by which rules: enough to make it again.
pub(super) fn sheet(head: &Head, formats: &Formats) -> Result<Worksheet, XlsxError> {
    let run = &head.run;
    let mut sheet = Worksheet::new();
    sheet.set_name("依据 Inputs")?;
    for (column, width) in (0_u16..).zip([42_u8, 22, 16, 72]) {
        sheet.set_column_width(column, width)?;
    }
    put_titles(&mut sheet, 0, &TITLES, 2..3, formats)?;
    sheet.set_freeze_panes(1, 0)?;
    set_print(&mut sheet, run);
    sheet.set_repeat_rows(0, 0)?;
    let mut row = 0;
    for input in &run.inputs {
        row += 1;
        put_text(&mut sheet, row, 0, &words::input(&input.input), &formats.text)?;
        put_text(&mut sheet, row, 1, &words::reading(&input.state), &formats.text)?;
        // What was not read has neither.
        if !input.sha256.is_empty() {
            put_count(&mut sheet, row, 2, input.bytes, formats)?;
            put_text(&mut sheet, row, 3, &input.sha256, &formats.text)?;
        }
    }
    row += 1;
    for (label, value) in facts(head) {
        row += 1;
        put_text(&mut sheet, row, 0, &label.both(), &formats.strong)?;
        put(&mut sheet, row, 1, &value, formats)?;
    }
    Ok(sheet)
}

fn facts(head: &Head) -> Vec<(Words, Cell)> {
    let run = &head.run;
    let version = |number: i32| Cell::Text(number.to_string());
    let mut facts = vec![
        (Words("对账编号", "Run"), Cell::text(&run.name)),
        (Words("版本", "Version"), version(run.version)),
        (Words("是否最新", "Current"), Cell::text(if run.current { "是 Yes" } else { "否 No" })),
        (Words("对账基准日", "As of"), Cell::date(&run.as_of)),
        (Words("开始（北京时间）", "Started"), Cell::instant(run.start_time.as_ref())),
        (Words("结束（北京时间）", "Ended"), Cell::instant(run.end_time.as_ref())),
        (Words("导出（北京时间）", "Exported"), Cell::Instant(beijing(head.export_time))),
        (Words("程序版本", "Engine version"), version(run.engine_version)),
        (Words("规则版本", "Rules version"), version(run.rules_version)),
        (Words("账单 SHA-256", "Trade bill"), Cell::text(&run.bill_sha256)),
        (Words("账簿 SHA-256", "Books"), Cell::text(&run.books_sha256)),
        (Words("结果 SHA-256", "Result"), Cell::text(&run.result_sha256)),
    ];
    facts.extend(rules(run));
    facts
}

/// What the rules say, when they are those of this release.
fn rules(run: &Run) -> Vec<(Words, Cell)> {
    if run.rules_version != Rules::VERSION {
        return Vec::new();
    }
    let Rules { book_only_days, fund_days, refund_working_days, fee_tolerance, settlement_tolerance } = Rules::CURRENT;
    vec![
        (Words("P5、R2 等待天数", "Days that P5 and R2 wait"), Cell::Text(book_only_days.to_string())),
        (Words("F2 等待天数", "Days that F2 waits"), Cell::Text(fund_days.to_string())),
        (Words("R4 等待工作日", "Working days that R4 waits"), Cell::Text(refund_working_days.to_string())),
        (Words("手续费容差（元）", "Tolerance of F1, yuan"), Cell::Text(fee_tolerance.to_yuan())),
        (Words("结算容差（元）", "Tolerance of P7, yuan"), Cell::Text(settlement_tolerance.to_yuan())),
    ]
}

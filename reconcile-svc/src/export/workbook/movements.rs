use money::Fen;
use proto::reconcile::v1::Run;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::words::{self, Words};
use super::formats::Formats;
use super::sheet::{put_amount, put_count, put_decimal, put_text, put_titles, set_print};
use super::summary;

const TITLES: [Words; 5] = [
    Words("账户", "Account"),
    Words("业务类型", "Kind"),
    Words("对应交易", "Of a trade"),
    Words("笔数", "Count"),
    Words("金额（元）", "Sum (yuan)"),
];

/// What moved on each account, by WeChat's own words.
pub(super) fn sheet(run: &Run, formats: &Formats) -> Result<Worksheet, XlsxError> {
    let mut sheet = Worksheet::new();
    sheet.set_name("资金流水 Movements")?;
    for (column, width) in (0_u16..).zip([36_u8, 34, 16, 14, 22]) {
        sheet.set_column_width(column, width)?;
    }
    put_titles(&mut sheet, 0, &TITLES, 3..5, formats)?;
    sheet.set_freeze_panes(1, 0)?;
    set_print(&mut sheet, run);
    sheet.set_repeat_rows(0, 0)?;
    let moved = run.accounts.iter().flat_map(|account| account.movements.iter().map(move |moved| (account, moved)));
    let mut last = 0;
    for (account, moved) in moved {
        last += 1;
        put_text(&mut sheet, last, 0, &words::account(&account.account), &formats.text)?;
        put_text(&mut sheet, last, 1, &moved.kind, &formats.text)?;
        put_text(&mut sheet, last, 2, if moved.of_trades { "是 Yes" } else { "否 No" }, &formats.text)?;
        put_count(&mut sheet, last, 3, moved.count, formats)?;
        put_amount(&mut sheet, last, 4, Fen::new(moved.sum_fen), &formats.amount)?;
    }
    sheet.autofilter(0, 0, last, 4)?;
    // A row apart, so that filtering and sorting leave the sums alone.
    last += 1;
    for account in run.accounts.iter().filter(|account| !account.movements.is_empty()) {
        let Some(sum) = summary::moved(account) else { continue };
        last += 1;
        let name = format!("{} 合计 Total", words::account(&account.account));
        put_text(&mut sheet, last, 0, &name, &formats.total)?;
        sheet.write_blank(last, 1, &formats.total)?.write_blank(last, 2, &formats.total)?;
        let count = account.movements.iter().fold(0_i64, |sum, moved| sum.saturating_add(moved.count));
        put_decimal(&mut sheet, last, 3, &count.to_string(), &formats.total_count)?;
        put_amount(&mut sheet, last, 4, sum, &formats.total_amount)?;
    }
    Ok(sheet)
}

use std::ops::Range;

use money::Fen;
use proto::reconcile::v1::Run;
use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::super::cell::Cell;
use super::super::words::Words;
use super::formats::Formats;
use super::number::number;

/// Longest text of a cell; more is cut, because the file would not open.
const MOST_CHARACTERS: usize = 32_767;

/// Writes one value with its type.
pub(super) fn put(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => Ok(()),
        Cell::Text(text) => put_text(sheet, row, column, text, &formats.text),
        Cell::Amount(amount) => put_amount(sheet, row, column, *amount, &formats.amount),
        Cell::Date(date) => sheet.write_datetime_with_format(row, column, date, &formats.date).map(drop),
        Cell::Instant(at) => sheet.write_datetime_with_format(row, column, at, &formats.instant).map(drop),
    }
}

/// Writes text as text, whatever it looks like.
pub(super) fn put_text(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    // Excel counts UTF-16 units.
    let fits = text.encode_utf16().count() <= MOST_CHARACTERS;
    let text: String = if fits { text.to_owned() } else { text.chars().take(MOST_CHARACTERS / 2).collect() };
    sheet.write_string_with_format(row, column, text, format).map(drop)
}

/// Writes yuan as a number.
pub(super) fn put_amount(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    amount: Fen,
    format: &Format,
) -> Result<(), XlsxError> {
    put_decimal(sheet, row, column, &amount.to_yuan(), format)
}

/// Writes a whole number.
pub(super) fn put_count(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    count: i64,
    formats: &Formats,
) -> Result<(), XlsxError> {
    put_decimal(sheet, row, column, &count.to_string(), &formats.count)
}

/// Writes a decimal text of ours as a number.
pub(super) fn put_decimal(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    decimal: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    match number(decimal) {
        Some(value) => sheet.write_number_with_format(row, column, value, format).map(drop),
        None => sheet.write_string_with_format(row, column, decimal, format).map(drop),
    }
}

/// Writes a row of titles, Chinese above English; those of `numbers` stand over their digits.
pub(super) fn put_titles(
    sheet: &mut Worksheet,
    row: u32,
    titles: &[Words],
    numbers: Range<usize>,
    formats: &Formats,
) -> Result<(), XlsxError> {
    for (at, (column, title)) in (0_u16..).zip(titles).enumerate() {
        let format = if numbers.contains(&at) { &formats.number_header } else { &formats.header };
        put_text(sheet, row, column, &format!("{}\n{}", title.0, title.1), format)?;
    }
    sheet.set_row_height(row, 34)?;
    Ok(())
}

/// How a sheet is printed: across, one page wide, with the run that it is of at the foot of each page.
pub(super) fn set_print(sheet: &mut Worksheet, run: &Run) {
    const A4: u8 = 9;
    let of_run = format!("{} {} v{}", run.merchant, run.bill_date, run.version).replace('&', "&&");
    sheet.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.4, 0.4, 0.5, 0.6, 0.3, 0.3).set_footer(format!("&L&A&C{of_run}&R&P / &N"));
}

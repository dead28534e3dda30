use money::Fen;
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

/// Writes a row of titles, Chinese above English.
pub(super) fn put_titles(
    sheet: &mut Worksheet,
    row: u32,
    titles: &[Words],
    formats: &Formats,
) -> Result<(), XlsxError> {
    for (column, title) in (0_u16..).zip(titles) {
        put_text(sheet, row, column, &format!("{}\n{}", title.0, title.1), &formats.header)?;
    }
    sheet.set_row_height(row, 32)?;
    Ok(())
}

/// How a sheet is printed: across, one page wide.
pub(super) fn set_print(sheet: &mut Worksheet) {
    const A4: u8 = 9;
    sheet.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0).set_footer("&L&A&R&P / &N");
}

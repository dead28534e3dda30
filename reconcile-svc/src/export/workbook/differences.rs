//! A long sheet of differences, written row by row.

use money::Fen;
use proto::reconcile::v1::Run;
use rust_xlsxwriter::{IgnoreError, Workbook, Worksheet, XlsxError};

use super::super::cell::Cell;
use super::super::columns::{COLUMNS, Column, Kind, PRINTED};
use super::super::row::Row;
use super::super::words::Words;
use super::formats::Formats;
use super::sheet::{put, put_amount, put_text, put_titles, set_print};

/// Two lines of a sentence, in points.
const ROW_HEIGHT: u8 = 32;

/// A sheet under way.
#[derive(Default)]
pub(super) struct Differences {
    sheet: Worksheet,
    /// The last row that is written; the titles are row 0.
    last: u32,
    /// What each column of money adds up to; `None` when that does not fit.
    sums: [Option<Fen>; COLUMNS.len()],
}

impl Differences {
    /// The titles, frozen.
    pub(super) fn begin(book: &mut Workbook, name: &str, run: &Run, formats: &Formats) -> Result<Self, XlsxError> {
        let mut sheet = book.new_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        for (at, column) in (0_u16..).zip(&COLUMNS) {
            sheet.set_column_width(at, column.width)?;
        }
        let titles: Vec<Words> = COLUMNS.iter().map(|column| column.title).collect();
        let is_money = |column: &Column| column.kind == Kind::Money;
        let first = COLUMNS.iter().position(is_money).unwrap_or_default();
        let numbers = first..first + COLUMNS.iter().filter(|column| is_money(column)).count();
        put_titles(&mut sheet, 0, &titles, numbers, formats)?;
        sheet.set_freeze_panes(1, 1)?;
        sheet.set_repeat_rows(0, 0)?;
        set_print(&mut sheet, run);
        Ok(Self { sheet, last: 0, sums: [Some(Fen::ZERO); COLUMNS.len()] })
    }

    /// The next row.
    pub(super) fn row(&mut self, row: &Row, formats: &Formats) -> Result<(), XlsxError> {
        self.last += 1;
        self.sheet.set_row_height(self.last, ROW_HEIGHT)?;
        for ((at, column), sum) in (0_u16..).zip(&COLUMNS).zip(&mut self.sums) {
            match (column.kind, (column.cell)(row)) {
                (Kind::Sentence, Cell::Text(text)) => {
                    put_text(&mut self.sheet, self.last, at, &text, &formats.sentence)?;
                }
                (_, cell) => {
                    if let Cell::Amount(amount) = cell {
                        *sum = sum.and_then(|sum| sum.checked_add(amount));
                    }
                    put(&mut self.sheet, self.last, at, &cell, formats)?;
                }
            }
        }
        Ok(())
    }

    /// The filter over all rows, and the sums a row apart, so that filtering and sorting leave them alone.
    pub(super) fn finish(mut self, formats: &Formats) -> Result<Worksheet, XlsxError> {
        let last_column = u16::try_from(COLUMNS.len() - 1).map_err(|_| XlsxError::RowColumnLimitError)?;
        self.sheet.autofilter(0, 0, self.last, last_column)?;
        // Orders' numbers are text on purpose; without this each has a green corner.
        self.sheet.ignore_error_range(0, 0, self.last, last_column, IgnoreError::NumberStoredAsText)?;
        let last = if self.last == 0 { 0 } else { self.last + 2 };
        if 0 < last {
            put_text(&mut self.sheet, last, 0, "合计 Total", &formats.total)?;
        }
        for ((at, column), sum) in (0_u16..).zip(&COLUMNS).zip(self.sums).take(PRINTED).skip(1) {
            match sum.filter(|_| 0 < last && column.kind == Kind::Money) {
                Some(sum) => put_amount(&mut self.sheet, last, at, sum, &formats.total_amount)?,
                None if 0 < last => self.sheet.write_blank(last, at, &formats.total).map(drop)?,
                None => {}
            }
        }
        let last_printed = u16::try_from(PRINTED - 1).map_err(|_| XlsxError::RowColumnLimitError)?;
        self.sheet.set_print_area(0, 0, last, last_printed)?;
        Ok(self.sheet)
    }
}

//! A long sheet of differences, written row by row.

use rust_xlsxwriter::{IgnoreError, Workbook, Worksheet, XlsxError};

use super::super::columns::COLUMNS;
use super::super::row::Row;
use super::super::words::Words;
use super::formats::Formats;
use super::sheet::{put, put_titles, set_print};

/// A sheet under way.
#[derive(Default)]
pub(super) struct Differences {
    sheet: Worksheet,
    /// The last row that is written; the titles are row 0.
    last: u32,
}

impl Differences {
    /// The titles, frozen.
    pub(super) fn begin(book: &mut Workbook, name: &str, formats: &Formats) -> Result<Self, XlsxError> {
        let mut sheet = book.new_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        for (at, column) in (0_u16..).zip(&COLUMNS) {
            sheet.set_column_width(at, column.width)?;
        }
        let titles: Vec<Words> = COLUMNS.iter().map(|column| column.title).collect();
        put_titles(&mut sheet, 0, &titles, formats)?;
        sheet.set_freeze_panes(1, 1)?;
        sheet.set_repeat_rows(0, 0)?;
        set_print(&mut sheet);
        Ok(Self { sheet, last: 0 })
    }

    /// The next row.
    pub(super) fn row(&mut self, row: &Row, formats: &Formats) -> Result<(), XlsxError> {
        self.last += 1;
        for (at, column) in (0_u16..).zip(&COLUMNS) {
            put(&mut self.sheet, self.last, at, &(column.cell)(row), formats)?;
        }
        Ok(())
    }

    /// The filter over all rows.
    pub(super) fn finish(mut self) -> Result<Worksheet, XlsxError> {
        let last_column = u16::try_from(COLUMNS.len() - 1).map_err(|_| XlsxError::RowColumnLimitError)?;
        self.sheet.autofilter(0, 0, self.last, last_column)?;
        // Orders' numbers are text on purpose; without this each has a green corner.
        self.sheet.ignore_error_range(0, 0, self.last, last_column, IgnoreError::NumberStoredAsText)?;
        Ok(self.sheet)
    }
}

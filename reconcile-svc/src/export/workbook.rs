//! The workbook: 对账汇总 Summary · 差异明细 Differences · 待定 Waiting · 资金流水 Movements · 依据 Inputs.

mod differences;
mod formats;
mod inputs;
mod movements;
mod number;
mod sheet;
mod summary;

use std::io::{self, Write};

use rust_xlsxwriter::{DocProperties, Workbook as Book, XlsxError};

use super::conservation::Conservation;
use super::row::{Head, Row};
use differences::Differences;
use formats::Formats;

/// A workbook under way.
pub(super) struct Workbook<W> {
    out: W,
    head: Head,
    book: Book,
    formats: Formats,
    differences: Differences,
    waiting: Differences,
    sums: Conservation,
}

impl<W: Write + Send> Workbook<W> {
    /// Nothing in it yet. The long sheets are written to temporary files, row by row.
    pub(super) fn begin(out: W, head: Head) -> io::Result<Self> {
        let mut book = Book::new();
        let formats = Formats::new();
        let differences = Differences::begin(&mut book, "差异明细 Differences", &head.run, &formats).map_err(failed)?;
        let waiting = Differences::begin(&mut book, "待定 Waiting", &head.run, &formats).map_err(failed)?;
        Ok(Self { out, head, book, formats, differences, waiting, sums: Conservation::default() })
    }

    /// Writes one difference to the sheet that it belongs to.
    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        self.sums.add(row);
        let sheet = if row.waiting { &mut self.waiting } else { &mut self.differences };
        sheet.row(row, &self.formats).map_err(failed)
    }

    /// Writes the other sheets and puts all of them together.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.assemble().map_err(failed)?;
        Ok(self.out)
    }

    fn assemble(&mut self) -> Result<(), XlsxError> {
        let run = &self.head.run;
        let title = format!("{} {} v{}", run.merchant, run.bill_date, run.version);
        // Without a time of its own the library would write that of this machine.
        let made = rust_xlsxwriter::ExcelDateTime::from_timestamp(self.head.export_time.as_second())?;
        self.book.set_properties(
            &DocProperties::new().set_title(title).set_author("reconcile-svc").set_creation_datetime(&made),
        );
        self.book.push_worksheet(summary::sheet(&self.head, &self.sums, &self.formats)?);
        self.book.push_worksheet(std::mem::take(&mut self.differences).finish(&self.formats)?);
        self.book.push_worksheet(std::mem::take(&mut self.waiting).finish(&self.formats)?);
        self.book.push_worksheet(movements::sheet(run, &self.formats)?);
        self.book.push_worksheet(inputs::sheet(&self.head, &self.formats)?);
        self.book.save_to_writer(&mut self.out)
    }
}

fn failed(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests;

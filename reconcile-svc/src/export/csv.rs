//! Differences as CSV (RFC 4180) with the byte-order mark by which Excel knows UTF-8. For programs: Excel rounds long numbers of
//! a CSV file, so people take the workbook.

use std::io::{self, Write};

use super::cell::{Cell, harmless};
use super::columns::COLUMNS;
use super::row::Row;

/// A file under way.
pub(super) struct Csv<W> {
    out: W,
}

impl<W: Write> Csv<W> {
    /// Writes the header.
    pub(super) fn begin(mut out: W) -> io::Result<Self> {
        out.write_all("\u{feff}".as_bytes())?;
        let titles: Vec<String> = COLUMNS.iter().map(|column| quoted(&column.title.both())).collect();
        write!(out, "{}\r\n", titles.join(","))?;
        Ok(Self { out })
    }

    /// Writes one line.
    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        for (at, column) in COLUMNS.iter().enumerate() {
            if 0 < at {
                self.out.write_all(b",")?;
            }
            match (column.cell)(row) {
                Cell::Empty => {}
                Cell::Text(text) => self.out.write_all(quoted(&harmless(&text)).as_bytes())?,
                Cell::Amount(amount) => write!(self.out, "{amount}")?,
                Cell::Date(date) => write!(self.out, "{date}")?,
                Cell::Instant(at) => write!(self.out, "{}", at.strftime("%Y-%m-%d %H:%M:%S"))?,
            }
        }
        self.out.write_all(b"\r\n")
    }

    /// All was told.
    pub(super) fn finish(self) -> W {
        self.out
    }
}

/// A field; quoted where its text would end it.
fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use proto::reconcile::v1::Discrepancy;

    use super::*;

    fn written(difference: Discrepancy) -> String {
        let mut file = Csv::begin(Vec::new()).expect("memory takes every write");
        file.row(&Row { difference, order_no: "=HYPERLINK(\"http://x\")".to_owned(), ..Row::default() })
            .expect("memory takes every write");
        String::from_utf8(file.finish()).expect("UTF-8")
    }

    #[test]
    fn a_file_begins_with_its_mark_and_its_lines_end_as_spreadsheets_want_them() {
        let text = written(Discrepancy::default());
        assert!(text.starts_with("\u{feff}代码 Code,含义 Meaning,"), "{text}");
        assert!(text.ends_with("\r\n") && text.matches('\n').count() == 2, "{text}");
    }

    #[test]
    fn amounts_are_yuan_to_the_fen_and_a_negative_one_stays_a_number() {
        let found =
            Discrepancy { bill_amount_fen: 1, book_amount_fen: 123_456, risk_fen: 123_455, ..Discrepancy::default() };
        assert!(written(found).contains(",0.01,1234.56,-1234.55,1234.55,"));
    }

    #[test]
    fn a_text_that_would_be_obeyed_or_would_end_its_field_is_neither() {
        let explanation = "one, \"two\"\r\nthree".to_owned();
        let text = written(Discrepancy { out_trade_no: "-2+3".to_owned(), explanation, ..Discrepancy::default() });
        assert!(text.contains("\"'=HYPERLINK(\"\"http://x\"\")\",'-2+3,"), "{text}");
        assert!(text.contains("\"one, \"\"two\"\"\r\nthree\""), "{text}");
    }
}

//! Any bill as texts: header, rows, summary. Knows where values begin and end, but not what they mean.
//!
//! Trade bills and fund flow bills of every type share this form. Values are texts of the file; nothing is checked but
//! the form, so use it to look at a bill and [`TradeBillReader`](super::TradeBillReader) to believe one.

use std::fmt;
use std::io::BufRead;
use std::ops::Range;

use super::lines::{self, Lines};
use super::{BillError, BillFailure};

/// First column of the summary of a trade bill, and of a fund flow bill.
const SUMMARY_COLUMNS: [&str; 2] = ["总交易单数", "资金流水总笔数"];

/// Most columns of any bill; the widest known has 29.
const MAX_COLUMNS: usize = 128;

/// Most rows of one bill: a day of the largest merchants, with room.
pub const MAX_ROWS: u64 = 100_000_000;

/// Most line breaks inside the values of one row.
const MAX_BREAKS: usize = 64;

/// Largest error message in place of a bill.
const MAX_FAILURE_BYTES: u64 = 64 * 1024;

/// Reads a bill row by row.
pub struct CellReader<R> {
    lines: Lines<R>,
    columns: Vec<String>,
    rows: u64,
    summary: Option<Vec<(String, String)>>,
}

/// One row: values in the order of the header, without their backticks.
pub struct Cells<'a> {
    line: u64,
    text: &'a str,
    ranges: Vec<Range<usize>>,
}

impl<'a> Cells<'a> {
    /// The values of the row that begins on line `line`, which must be `expected` many.
    pub(super) fn split(line: u64, text: &'a str, expected: usize) -> Result<Cells<'a>, BillError> {
        let ranges = split(text, expected);
        if ranges.len() == expected {
            Ok(Cells { line, text, ranges })
        } else {
            Err(BillError::Width { line, expected, found: ranges.len() })
        }
    }

    /// The line in the file on which the row begins, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The value under column `at`.
    ///
    /// # Panics
    /// When there is no such column; a row is exactly as wide as its header.
    pub fn get(&self, at: usize) -> &str {
        &self.text[self.ranges[at].clone()]
    }

    /// All values in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.ranges.iter().map(|range| &self.text[range.clone()])
    }
}

impl<R: BufRead> CellReader<R> {
    /// Reads the header of plain text (see [`plain`](super::plain) for gzip).
    ///
    /// # Errors
    /// [`BillError::Failure`] when WeChat answered with an error message instead.
    pub fn open(input: R) -> Result<CellReader<R>, BillError> {
        let mut lines = Lines::new(input);
        let header = lines.next()?.unwrap_or_default().to_owned();
        if header.starts_with('<') {
            let body = lines.rest(MAX_FAILURE_BYTES)?;
            return Err(BillFailure::parse(&body).map_or(
                BillError::Format { line: 1, what: "neither a bill nor an error message" },
                BillError::Failure,
            ));
        }
        let columns = header_columns(&header)?;
        Ok(CellReader { lines, columns, rows: 0, summary: None })
    }

    /// The header as found.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The next row, or `None` after the last one, when the summary has been read too.
    ///
    /// # Errors
    /// [`BillError::Width`] for a row that is not as wide as the header, [`BillError::Truncated`] for a bill that ends
    /// without its summary.
    pub fn next_row(&mut self) -> Result<Option<Cells<'_>>, BillError> {
        if self.summary.is_some() {
            return Ok(None);
        }
        let last = self.lines.number();
        // The line is measured before it is lent out, because what follows a summary needs the reader again.
        let is_end = match self.lines.next()? {
            None => return Err(BillError::Truncated { line: last }),
            Some(text) => is_summary(text),
        };
        if is_end {
            self.summary = Some(read_summary(&mut self.lines)?);
            return Ok(None);
        }
        let line = self.lines.number();
        if self.rows == MAX_ROWS {
            return Err(BillError::Format { line, what: "too many rows" });
        }
        self.rows += 1;
        let expected = self.columns.len();
        whole_row(&mut self.lines, line, expected).map(Some)
    }

    /// How many rows were read so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The summary by its own column names; there once [`CellReader::next_row`] has returned `None`.
    pub fn summary(&self) -> Option<&[(String, String)]> {
        self.summary.as_deref()
    }

    /// The line read last, from 1.
    pub fn line(&self) -> u64 {
        self.lines.number()
    }
}

/// The row that begins with the line read last, which is `line`.
///
/// It may hold line breaks in its values. Every row of such a bill begins with a backtick, so a line without one, after a row that
/// is too narrow so far, is the rest of a value and more.
fn whole_row<R: BufRead>(lines: &mut Lines<R>, line: u64, expected: usize) -> Result<Cells<'_>, BillError> {
    if lines.current().starts_with('`') {
        for _ in 0..MAX_BREAKS {
            let is_whole = split(lines.current(), expected).len() == expected;
            if is_whole || !lines.join(|next| !next.starts_with('`') && !is_summary(next))? {
                break;
            }
        }
    }
    Cells::split(line, lines.current(), expected)
}

/// Reads the row of `expected` values with which `bytes` begin, on line `line` of its file, and says how many bytes it takes, its
/// end included.
pub(crate) fn first_row<T>(
    line: u64,
    bytes: &[u8],
    expected: usize,
    read: impl FnOnce(Cells<'_>) -> Result<T, BillError>,
) -> Result<(T, usize), BillError> {
    let mut lines = Lines::behind(bytes, line.saturating_sub(1));
    if lines.next()?.is_none_or(is_summary) {
        return Err(BillError::Format { line, what: "no row" });
    }
    let value = read(whole_row(&mut lines, line, expected)?)?;
    Ok((value, lines.bytes()))
}

/// Reads the end of a bill, from the header of its summary on, and says on which line of it the reading ended.
pub(crate) fn read_end(end: &[u8]) -> Result<(Vec<(String, String)>, u64), BillError> {
    let mut lines = Lines::new(end);
    if !lines.next()?.is_some_and(is_summary) {
        return Err(BillError::Format { line: lines.number(), what: "no summary" });
    }
    Ok((read_summary(&mut lines)?, lines.number()))
}

/// Reads the one row under the summary header, which is the line read last, after which only empty lines may follow.
fn read_summary<R: BufRead>(lines: &mut Lines<R>) -> Result<Vec<(String, String)>, BillError> {
    let columns: Vec<String> = lines.current().split(',').map(str::to_owned).collect();
    let expected = columns.len();
    let last = lines.number();
    if lines.next()?.is_none() {
        return Err(BillError::Truncated { line: last });
    }
    let (line, text) = (lines.number(), lines.current());
    let values: Vec<String> = split(text, expected).into_iter().map(|range| text[range].to_owned()).collect();
    if values.len() != expected || MAX_COLUMNS < expected {
        return Err(BillError::Width { line, expected, found: values.len() });
    }
    while let Some(text) = lines.next()? {
        if !text.is_empty() {
            return Err(BillError::Format { line: lines.number(), what: "something after the summary" });
        }
    }
    Ok(columns.into_iter().zip(values).collect())
}

impl<R> fmt::Debug for CellReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CellReader").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// The columns that the first line of a bill names, with or without its end and a byte-order mark.
pub(crate) fn columns_of_line(line: &[u8]) -> Result<Vec<String>, BillError> {
    header_columns(lines::text(line, 1)?)
}

/// The columns that a header names.
fn header_columns(header: &str) -> Result<Vec<String>, BillError> {
    let columns: Vec<String> = header.split(',').map(str::to_owned).collect();
    // What begins with a bracket is an error message.
    if columns.len() < 2 || MAX_COLUMNS < columns.len() || is_summary(header) || header.starts_with('<') {
        return Err(BillError::Format { line: 1, what: "no header" });
    }
    Ok(columns)
}

/// Whether a line is the header of the summary. Rows begin with a backtick or a time, so it cannot be one.
fn is_summary(line: &str) -> bool {
    SUMMARY_COLUMNS.iter().any(|column| line.starts_with(column))
}

/// The values of a row: split before backticks, because values hold commas; by commas where there are no backticks.
/// Stops one value behind `expected`, since wider rows are refused anyway.
fn split(text: &str, expected: usize) -> Vec<Range<usize>> {
    let (start, separator) = if text.starts_with('`') { (1, ",`") } else { (0, ",") };
    let mut ranges = Vec::with_capacity(expected);
    let mut from = start;
    for (at, _) in text[start..].match_indices(separator).take(expected) {
        ranges.push(from..start + at);
        from = start + at + separator.len();
    }
    ranges.push(from..text.len());
    ranges
}

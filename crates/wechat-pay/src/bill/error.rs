//! Why a bill is refused. Names lines and columns, never values: rows hold openids.

use std::io;

use super::BillFailure;

/// Why a bill is refused, whole.
#[derive(Debug, thiserror::Error)]
pub enum BillError {
    /// There is no bill: WeChat answered with an error message in its place.
    #[error("no bill: {0}")]
    Failure(BillFailure),
    /// Neither a bill nor an error message.
    #[error("line {line}: not a bill: {what}")]
    Format {
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The header lacks a column that every bill has.
    #[error("header has no column {column}")]
    MissingColumn {
        /// WeChat's name of it.
        column: &'static str,
    },
    /// The header names a column twice, or under two of its names.
    #[error("header has column {column} twice")]
    DuplicateColumn {
        /// The name as found.
        column: String,
    },
    /// A row has more or fewer values than the header has columns.
    #[error("line {line}: {found} values under {expected} columns")]
    Width {
        /// The line, from 1.
        line: u64,
        /// Columns of the header.
        expected: usize,
        /// Values of the row.
        found: usize,
    },
    /// A value is not what its column promises.
    #[error("line {line}, column {column}: {problem}")]
    Cell {
        /// The line, from 1.
        line: u64,
        /// The name of the column.
        column: String,
        /// What is wrong.
        problem: CellProblem,
    },
    /// The bill ends before its summary.
    #[error("bill ends after line {line}, before its summary")]
    Truncated {
        /// The last line, from 1.
        line: u64,
    },
    /// The rows are readable, but they do not add up or are not ours.
    #[error("bill fails a control: {0}")]
    Control(Control),
    /// The input could not be read or unzipped.
    #[error("bill cannot be read")]
    Io(#[from] io::Error),
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CellProblem {
    /// Must not be empty.
    #[error("is empty")]
    Empty,
    /// Not a decimal amount of whole fen.
    #[error("is not an amount in whole fen")]
    NotFen,
    /// Not a decimal amount of at most five decimals.
    #[error("is not an amount of at most five decimals")]
    NotMilliFen,
    /// Not a Beijing time.
    #[error("is not a Beijing time")]
    NotTime,
    /// Not a number of an order, a payment, a refund or a merchant.
    #[error("holds an invisible character, or more than 64 bytes")]
    NotNumber,
    /// Not a whole number.
    #[error("is not a count")]
    NotCount,
    /// An amount below zero where only its direction may say that it left.
    #[error("is negative")]
    Negative,
    /// Neither 收入 nor 支出.
    #[error("is neither 收入 nor 支出")]
    NotDirection,
    /// A refund column that contradicts the state of the row.
    #[error("contradicts the row's state")]
    Contradiction,
}

/// Longest number of anything; ours have 32 characters, WeChat's 32 digits at most.
const MAX_NUMBER_BYTES: usize = 64;

/// Whether a text can be a number. Others who share a merchant number may give out odd ones, and a day must not fail for that; but
/// what nobody sees makes one number look like another, and a NUL fits into no table.
pub(crate) fn is_number(text: &str) -> bool {
    let is_invisible = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.len() <= MAX_NUMBER_BYTES && !text.contains(is_invisible)
}

/// A check of the bill as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Control {
    /// A row of another merchant.
    #[error("line {line} belongs to another merchant")]
    ForeignMerchant {
        /// The line, from 1.
        line: u64,
    },
    /// A payment or a movement of another day.
    #[error("line {line} belongs to another day")]
    ForeignDay {
        /// The line, from 1.
        line: u64,
    },
    /// The same payment, refund or movement a second time.
    #[error("line {line} repeats an earlier row")]
    Duplicate {
        /// The line, from 1.
        line: u64,
    },
    /// The summary counts other than the rows are.
    #[error("summary counts {stated} rows, the bill has {found}")]
    Count {
        /// What the summary says.
        stated: u64,
        /// What was read.
        found: u64,
    },
    /// The summary counts other than the movements of a fund flow are.
    #[error("summary says {stated} in column {column}, the rows are {found}")]
    CountOf {
        /// The column of the summary.
        column: &'static str,
        /// What the summary says.
        stated: u64,
        /// What was read.
        found: u64,
    },
    /// The movements of a fund flow do not lead from its first balance to its last.
    #[error("the last balance is {stated}, the first one and the sums lead to {found}")]
    Balance {
        /// What the last row says, in yuan.
        stated: String,
        /// Where the first balance and all movements lead, in yuan.
        found: String,
    },
    /// A column does not add up to its sum.
    #[error("column {column} adds up to {found}, the summary says {stated}")]
    Sum {
        /// The column of the rows.
        column: &'static str,
        /// What the summary says, in yuan.
        stated: String,
        /// What the rows add up to, in yuan.
        found: String,
    },
    /// A sum too large to be money.
    #[error("column {column} adds up to more than can be counted")]
    Overflow {
        /// The column of the rows.
        column: &'static str,
    },
}

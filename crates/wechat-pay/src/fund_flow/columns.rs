//! Columns of a fund flow, found by name.

use super::Movement;
use super::reader::Row;
use crate::bill::{BillError, cells, normalised};

/// A column that we know, in the order in which WeChat writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// 记账时间.
    BookedAt,
    /// 微信支付业务单号.
    Number,
    /// 资金流水单号.
    FlowNumber,
    /// 业务名称.
    Name,
    /// 业务类型.
    Kind,
    /// 收支类型.
    Direction,
    /// 收支金额(元).
    Amount,
    /// 账户结余(元).
    Balance,
    /// 资金变更提交申请人.
    By,
    /// 备注.
    Remark,
    /// 业务凭证号.
    Voucher,
}

/// Every column: its name with half-width brackets, and whether a movement can do without it.
const COLUMNS: [(Column, &str, bool); 11] = [
    (Column::BookedAt, "记账时间", true),
    (Column::Number, "微信支付业务单号", true),
    (Column::FlowNumber, "资金流水单号", true),
    (Column::Name, "业务名称", false),
    (Column::Kind, "业务类型", true),
    (Column::Direction, "收支类型", true),
    (Column::Amount, "收支金额(元)", true),
    (Column::Balance, "账户结余(元)", true),
    (Column::By, "资金变更提交申请人", false),
    (Column::Remark, "备注", false),
    (Column::Voucher, "业务凭证号", false),
];

// A column's own number is its place in the table.
const _: () = {
    let mut at = 0;
    while at < COLUMNS.len() {
        assert!(COLUMNS[at].0 as usize == at);
        at += 1;
    }
};

impl Column {
    /// WeChat's name.
    pub(super) const fn name(self) -> &'static str {
        COLUMNS[self as usize].1
    }
}

/// Every name, in order.
pub(super) fn header() -> Vec<&'static str> {
    COLUMNS.iter().map(|(_, name, _)| *name).collect()
}

/// Where the known columns of one fund flow are, and how wide its rows are.
///
/// [`FundFlowReader`](super::FundFlowReader) reads a whole file and is what believes it. This is for a reader that finds rows by
/// itself, to read one of them as the other would.
#[derive(Clone, Debug)]
pub struct FundColumns {
    places: [Option<usize>; COLUMNS.len()],
    width: usize,
}

impl FundColumns {
    /// Finds the columns in the first line of a plain file, with or without its end and a byte-order mark.
    ///
    /// # Errors
    /// Those of [`FundFlowReader::open`](super::FundFlowReader::open), except that an error message in place of a file is only a
    /// [`BillError::Format`].
    pub fn find(header: &[u8]) -> Result<FundColumns, BillError> {
        FundColumns::of(&cells::columns_of_line(header)?)
    }

    /// Reads the row with which `bytes` begin, on line `line` of its file, and says how many bytes it takes, its end included:
    /// more than a line when values hold line breaks.
    ///
    /// # Errors
    /// [`BillError::Width`], [`BillError::Cell`], or [`BillError::Format`] for what is not UTF-8, too long, or the header of a
    /// summary. Nothing is controlled: not the day, not the balance.
    pub fn read_first(&self, line: u64, bytes: &[u8]) -> Result<(Movement, usize), BillError> {
        cells::first_row(line, bytes, self.width, |cells| Row { cells, columns: self }.read())
    }

    /// Finds the known columns in a header. Unknown ones are left alone.
    pub(super) fn of(header: &[String]) -> Result<FundColumns, BillError> {
        let mut places = [None; COLUMNS.len()];
        for (place, found) in header.iter().enumerate() {
            let name = normalised(found);
            let Some((column, ..)) = COLUMNS.iter().find(|(_, known, _)| *known == name) else { continue };
            if places[*column as usize].replace(place).is_some() {
                return Err(BillError::DuplicateColumn { column: found.clone() });
            }
        }
        match COLUMNS.iter().find(|(column, _, needed)| *needed && places[*column as usize].is_none()) {
            Some((_, column, _)) => Err(BillError::MissingColumn { column }),
            None => Ok(FundColumns { places, width: header.len() }),
        }
    }

    /// How many values a row has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Where `column` is, from 0, if anywhere.
    pub fn place(&self, column: Column) -> Option<usize> {
        self.places[column as usize]
    }
}

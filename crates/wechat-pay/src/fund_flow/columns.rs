//! Columns of a fund flow, found by name.

use crate::bill::{BillError, normalised};

/// A column that we know, in the order in which WeChat writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    BookedAt,
    Number,
    FlowNumber,
    Name,
    Kind,
    Direction,
    Amount,
    Balance,
    By,
    Remark,
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

/// Where the known columns of one file are.
pub(super) struct Columns {
    places: [Option<usize>; COLUMNS.len()],
}

impl Columns {
    /// Finds the known columns in a header. Unknown ones are left alone.
    pub(super) fn find(header: &[String]) -> Result<Columns, BillError> {
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
            None => Ok(Columns { places }),
        }
    }

    /// Where `column` is, if anywhere.
    pub(super) fn place(&self, column: Column) -> Option<usize> {
        self.places[column as usize]
    }
}

//! The trade bill as entries.

use std::collections::HashSet;

use money::Fen;
use wechat_pay::bill::Summary;

use super::layout::Layout;
use super::pieces;
use super::row::{RowReader, Sums};
use super::table::{Notes, Table};
use super::{MAX_LEFT, MAX_ROWS, Sharing, Splits};
use crate::Inputs;
use crate::judge::Judge;
use crate::trade::{BillRow, RowKind};

/// A trade bill that passed every control.
pub(super) struct Bill {
    pub(super) table: Table,
    /// Rows that are no entries, and where they begin.
    loose: Vec<(usize, BillRow)>,
    layout: Option<Layout>,
    /// Of all rows, in thousandths of a fen.
    pub(super) fee: i128,
}

/// Reads every row of the bill, on all cores.
pub(super) fn read(inputs: &Inputs<'_>, judge: &Judge, sharing: Sharing) -> Option<Bill> {
    let Some(file) = inputs.trade else {
        return Some(Bill {
            table: Table::of(Splits::default(), Vec::new(), sharing)?,
            loose: Vec::new(),
            layout: None,
            fee: 0,
        });
    };
    let layout = Layout::find(file)?;
    let reader = RowReader::new(file, &layout, inputs, judge)?;
    let splits = Splits::of(reader.some_keys(), layout.rows.len());
    let pieces = pieces::cut(file, layout.rows.clone(), pieces::ROW, sharing);
    let found = pieces::share(
        sharing,
        pieces.len(),
        || reader.begin(&splits),
        |found, piece| {
            let mut at = pieces[piece].start;
            while at < pieces[piece].end {
                at += reader.read(found, &splits, at, &file[at..pieces[piece].end])?;
            }
            Some(())
        },
    )?;
    let mut sums = Sums::default();
    let (mut bins, mut loose, mut taken_back) = (Vec::new(), Vec::new(), Vec::new());
    for found in found {
        sums.add(&found.sums);
        bins.push(found.bins);
        loose.extend(found.loose);
        taken_back.extend(found.taken_back);
    }
    if MAX_ROWS < sums.rows || !sums.are(&layout.summary) || has_twice(&loose) {
        return None;
    }
    let mut table = Table::of(splits, bins, sharing)?;
    for number in taken_back {
        table.spoil(number);
    }
    Some(Bill { table, loose, layout: Some(layout), fee: i128::from(sums.fee) })
}

impl Bill {
    /// Every row that does not plainly agree, with its place, and the sum of the fees of all of them.
    pub(super) fn left(
        &self,
        inputs: &Inputs<'_>,
        judge: &Judge,
        notes: &Notes,
    ) -> Option<(Vec<(usize, BillRow)>, i128)> {
        let mut rows = self.loose.clone();
        if let (Some(layout), Some(file)) = (&self.layout, inputs.trade) {
            let reader = RowReader::new(file, layout, inputs, judge)?;
            for (_, entry) in self.table.entries().filter(|(number, _)| !notes.agrees(*number)) {
                if MAX_LEFT < rows.len() {
                    return None;
                }
                rows.push((entry.at(), reader.reread(entry.at())?));
            }
        }
        let fee = rows.iter().map(|(_, row)| i128::from(row.fee.get())).sum();
        Some((rows, fee))
    }
}

/// Whether one of these rows stands there twice. Of entries, the table finds out.
fn has_twice(loose: &[(usize, BillRow)]) -> bool {
    let mut numbers = HashSet::new();
    let mut reversals = HashSet::new();
    loose.iter().any(|(_, row)| {
        !numbers.insert((row.kind as u8, row.number()))
            || (row.kind == RowKind::Revoked && !reversals.insert(row.transaction_id.as_str()))
    })
}

impl Sums {
    fn are(&self, summary: &Summary) -> bool {
        let is = |stated: Fen, found: i64| stated.get() == found;
        self.rows == summary.rows
            && self.fee == summary.fee.get()
            && is(summary.settlement_total_fee, self.settled)
            && is(summary.settlement_refund_fee, self.settled_refund)
            && is(summary.coupon_refund_fee, self.coupon_refund)
            && summary.total_fee.is_none_or(|stated| is(stated, self.amount))
            && summary.refund_fee.is_none_or(|stated| is(stated, self.refund))
    }
}

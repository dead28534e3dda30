//! The trade bill as entries.

use std::collections::HashSet;

use money::Fen;
use wechat_pay::bill::Summary;

use super::Sharing;
use super::layout::Layout;
use super::pieces;
use super::row::{Found, RowReader, Sums};
use super::table::{Hash, Marks, Table};
use crate::Inputs;
use crate::judge::Judge;
use crate::trade::{BillRow, RowKind};

/// Most rows of one bill, as the ordinary reader has it.
const MAX_ROWS: u64 = wechat_pay::bill::cells::MAX_ROWS;

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
        return Some(Bill { table: Table::of(Vec::new(), sharing)?, loose: Vec::new(), layout: None, fee: 0 });
    };
    let layout = Layout::find(file)?;
    let reader = RowReader::new(file, &layout, inputs, judge);
    let pieces = pieces::cut(file, layout.rows.clone(), sharing);
    let found = pieces::share(sharing, pieces.len(), Found::new, |found, piece| {
        let mut at = pieces[piece].start;
        while at < pieces[piece].end {
            let line = &file[at..pieces[piece].end];
            let end = memchr::memchr(b'\n', line)?;
            let line = &line[..end];
            reader.read(found, at, line.strip_suffix(b"\r").unwrap_or(line))?;
            at += end + 1;
        }
        Some(())
    })?;
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
    let table = Table::of(bins, sharing)?;
    // A payment is no longer plain when the bill takes it back.
    for number in taken_back {
        let hash = Hash::of(Marks::NONE, number);
        if let Some(entry) = table.find(hash, table.candidate(hash), Marks::NONE, number) {
            entry.mark(Marks::NOT_PLAIN);
        }
    }
    Some(Bill { table, loose, layout: Some(layout), fee: sums.fee })
}

impl Bill {
    /// Every row that was not counted, with its place, and the sum of the fees of all of them.
    pub(super) fn left(&self, inputs: &Inputs<'_>, judge: &Judge) -> Option<(Vec<(usize, BillRow)>, i128)> {
        let mut rows = self.loose.clone();
        if let (Some(layout), Some(file)) = (&self.layout, inputs.trade) {
            let reader = RowReader::new(file, layout, inputs, judge);
            for entry in self.table.entries().filter(|entry| !entry.marks().has(Marks::COUNTED)) {
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
        let is = |stated: Fen, found: i128| i128::from(stated.get()) == found;
        self.rows == summary.rows
            && self.fee == i128::from(summary.fee.get())
            && is(summary.settlement_total_fee, self.settled)
            && is(summary.settlement_refund_fee, self.settled_refund)
            && is(summary.coupon_refund_fee, self.coupon_refund)
            && summary.total_fee.is_none_or(|stated| is(stated, self.amount))
            && summary.refund_fee.is_none_or(|stated| is(stated, self.refund))
    }
}

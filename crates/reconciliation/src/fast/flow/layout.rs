//! Where in a fund flow everything is.

use std::ops::Range;

use wechat_pay::fund_flow::{Column, FundColumns, FundSummary};

use crate::fast::cells::Content;
use crate::fast::layout::rows;

/// How the header of a summary begins.
const SUMMARY: &[u8] = "资金流水总笔数".as_bytes();

/// A fund flow whose form this reader knows.
pub(super) struct Layout {
    pub(super) columns: FundColumns,
    pub(super) places: Places,
    /// Of each column, what it holds.
    pub(super) contents: Vec<Content>,
    pub(super) stated: FundSummary,
    /// The rows, each with its line end.
    pub(super) rows: Range<usize>,
}

/// Where in a row the values are that are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) booked_at: usize,
    pub(super) number: usize,
    pub(super) flow_number: usize,
    pub(super) kind: usize,
    pub(super) direction: usize,
    pub(super) amount: usize,
    pub(super) balance: usize,
}

impl Layout {
    pub(super) fn find(file: &[u8]) -> Option<Layout> {
        let rows = rows(file, SUMMARY)?;
        let columns = FundColumns::find(&file[..rows.start]).ok()?;
        let at = |column| columns.place(column);
        let places = Places {
            booked_at: at(Column::BookedAt)?,
            number: at(Column::Number)?,
            flow_number: at(Column::FlowNumber)?,
            kind: at(Column::Kind)?,
            direction: at(Column::Direction)?,
            amount: at(Column::Amount)?,
            balance: at(Column::Balance)?,
        };
        let mut contents = vec![Content::Text; columns.width()];
        let few = [Column::Name, Column::Kind, Column::By, Column::Remark];
        // The last value ends with its line.
        let is_last = |place: &usize| *place + 1 == columns.width();
        for place in few.into_iter().filter_map(|column| columns.place(column)).filter(|place| !is_last(place)) {
            contents[place] = Content::FewTexts;
        }
        for place in
            [places.booked_at, places.number, places.flow_number, places.direction, places.amount, places.balance]
        {
            contents[place] = Content::Exact;
        }
        Some(Layout { places, contents, stated: FundSummary::read(&file[rows.end..]).ok()?, columns, rows })
    }
}

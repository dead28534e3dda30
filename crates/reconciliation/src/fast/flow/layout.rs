//! Where in a fund flow everything is.

use std::ops::Range;

use wechat_pay::fund_flow::{Column, FundColumns, FundSummary};

use crate::fast::layout::rows;

/// How the header of a summary begins.
const SUMMARY: &[u8] = "资金流水总笔数".as_bytes();

/// A fund flow whose form this reader knows.
pub(super) struct Layout {
    pub(super) columns: FundColumns,
    pub(super) places: Places,
    /// Of each column, whether its values are free texts. The others are read to the last byte.
    pub(super) is_text: Vec<bool>,
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
        let mut is_text = vec![true; columns.width()];
        // A kind is any text.
        for place in
            [places.booked_at, places.number, places.flow_number, places.direction, places.amount, places.balance]
        {
            is_text[place] = false;
        }
        Some(Layout { places, is_text, stated: FundSummary::read(&file[rows.end..]).ok()?, columns, rows })
    }
}

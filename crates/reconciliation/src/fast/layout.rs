//! Where in a trade bill everything is.

use std::ops::Range;

use wechat_pay::bill::{Column, Summary, TradeColumns};

use super::cells::Content;

/// How the header of a summary begins.
const SUMMARY: &[u8] = "总交易单数".as_bytes();

/// The summary is at the end, and not larger.
const MAX_SUMMARY_BYTES: usize = 64 * 1024;

/// A trade bill whose form this reader knows.
pub(super) struct Layout {
    pub(super) columns: TradeColumns,
    pub(super) places: Places,
    /// Of each column, what it holds.
    pub(super) contents: Vec<Content>,
    pub(super) summary: Summary,
    /// The rows, each with its line end.
    pub(super) rows: Range<usize>,
}

/// Where in a row a plain group's values are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) trade_time: usize,
    pub(super) mch_id: usize,
    pub(super) sub_mch_id: usize,
    pub(super) transaction_id: usize,
    pub(super) out_trade_no: usize,
    pub(super) state: usize,
    pub(super) fee_type: usize,
    pub(super) settled: usize,
    pub(super) coupon: usize,
    pub(super) refund_id: usize,
    pub(super) out_refund_no: usize,
    pub(super) settled_refund: usize,
    pub(super) coupon_refund: usize,
    pub(super) fee: usize,
    pub(super) rate: usize,
    /// Older layouts have none: there it is what is settled.
    pub(super) amount: usize,
    pub(super) refund: usize,
}

impl Layout {
    /// `None` for a bill of payments or refunds alone, and for what is no bill.
    pub(super) fn find(file: &[u8]) -> Option<Layout> {
        let rows = rows(file, SUMMARY)?;
        let columns = TradeColumns::find(&file[..rows.start]).ok()?;
        let places = Places::of(&columns)?;
        let mut contents = vec![Content::Text; columns.width()];
        for place in places.all() {
            contents[place] = Content::Exact;
        }
        Some(Layout { places, contents, columns, summary: Summary::read(&file[rows.end..]).ok()?, rows })
    }
}

/// Where the rows of a bill are: behind its header, and before the last line that begins like its `summary`.
pub(super) fn rows(file: &[u8], summary: &[u8]) -> Option<Range<usize>> {
    let header = memchr::memchr(b'\n', file)? + 1;
    // The first line that begins like this ends the rows. If one stands further up, the rows will not read.
    let tail = file.len().saturating_sub(MAX_SUMMARY_BYTES).max(header);
    let summary = memchr::memmem::rfind(&file[tail..], summary)? + tail;
    (file[summary - 1] == b'\n').then_some(header..summary)
}

impl Places {
    fn all(&self) -> [usize; 17] {
        [
            self.trade_time,
            self.mch_id,
            self.sub_mch_id,
            self.transaction_id,
            self.out_trade_no,
            self.state,
            self.fee_type,
            self.settled,
            self.coupon,
            self.refund_id,
            self.out_refund_no,
            self.settled_refund,
            self.coupon_refund,
            self.fee,
            self.rate,
            self.amount,
            self.refund,
        ]
    }

    fn of(columns: &TradeColumns) -> Option<Places> {
        let at = |column| columns.place(column);
        // Times that only bills of refunds have would have to be read too.
        if at(Column::RefundAppliedAt).or(at(Column::RefundSucceededAt)).is_some() {
            return None;
        }
        let (settled, settled_refund) = (at(Column::SettlementTotalFee)?, at(Column::SettlementRefundFee)?);
        Some(Places {
            trade_time: at(Column::TradeTime)?,
            mch_id: at(Column::MchId)?,
            sub_mch_id: at(Column::SubMchId)?,
            transaction_id: at(Column::TransactionId)?,
            out_trade_no: at(Column::OutTradeNo)?,
            state: at(Column::State)?,
            fee_type: at(Column::FeeType)?,
            settled,
            coupon: at(Column::CouponFee)?,
            refund_id: at(Column::RefundId)?,
            out_refund_no: at(Column::OutRefundNo)?,
            settled_refund,
            coupon_refund: at(Column::CouponRefundFee)?,
            fee: at(Column::Fee)?,
            rate: at(Column::Rate)?,
            amount: at(Column::TotalFee).unwrap_or(settled),
            refund: at(Column::RefundFee).unwrap_or(settled_refund),
        })
    }
}

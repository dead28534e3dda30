//! Columns of trade bills, found by name. WeChat adds, drops and renames columns; positions mean nothing.

use super::read_row::Row;
use super::{BillError, TradeRow, cells};

/// A column we know: its place in the `ALL` layout of 27 columns comes first, then the columns of other layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// 交易时间.
    TradeTime,
    /// 公众账号ID.
    AppId,
    /// 商户号.
    MchId,
    /// 特约商户号.
    SubMchId,
    /// 设备号.
    DeviceInfo,
    /// 微信订单号.
    TransactionId,
    /// 商户订单号.
    OutTradeNo,
    /// 用户标识.
    OpenId,
    /// 交易类型.
    TradeType,
    /// 交易状态.
    State,
    /// 付款银行.
    BankType,
    /// 货币种类.
    FeeType,
    /// 应结订单金额.
    SettlementTotalFee,
    /// 代金券金额.
    CouponFee,
    /// 微信退款单号.
    RefundId,
    /// 商户退款单号.
    OutRefundNo,
    /// 退款金额.
    SettlementRefundFee,
    /// 充值券退款金额.
    CouponRefundFee,
    /// 退款类型.
    RefundType,
    /// 退款状态.
    RefundStatus,
    /// 商品名称.
    Body,
    /// 商户数据包.
    Attach,
    /// 手续费.
    Fee,
    /// 费率.
    Rate,
    /// 订单金额.
    TotalFee,
    /// 申请退款金额.
    RefundFee,
    /// 费率备注.
    RateNote,
    /// 退款申请时间.
    RefundAppliedAt,
    /// 退款成功时间.
    RefundSucceededAt,
}

/// Every known column: today's name first, then those of older layouts, and whether a bill can do without it.
const COLUMNS: [(Column, &[&str], Presence); 29] = [
    (Column::TradeTime, &["交易时间"], Presence::Always),
    (Column::AppId, &["公众账号ID"], Presence::Always),
    (Column::MchId, &["商户号"], Presence::Always),
    (Column::SubMchId, &["特约商户号", "子商户号"], Presence::Always),
    (Column::DeviceInfo, &["设备号"], Presence::Sometimes),
    (Column::TransactionId, &["微信订单号"], Presence::Always),
    (Column::OutTradeNo, &["商户订单号"], Presence::Always),
    (Column::OpenId, &["用户标识"], Presence::Always),
    (Column::TradeType, &["交易类型"], Presence::Always),
    (Column::State, &["交易状态"], Presence::Always),
    (Column::BankType, &["付款银行"], Presence::Sometimes),
    (Column::FeeType, &["货币种类"], Presence::Always),
    (Column::SettlementTotalFee, &["应结订单金额", "总金额"], Presence::Always),
    (Column::CouponFee, &["代金券金额", "代金券或立减优惠金额", "企业红包金额"], Presence::Always),
    (Column::RefundId, &["微信退款单号"], Presence::WithRefunds),
    (Column::OutRefundNo, &["商户退款单号"], Presence::WithRefunds),
    (Column::SettlementRefundFee, &["退款金额"], Presence::WithRefunds),
    (
        Column::CouponRefundFee,
        &["充值券退款金额", "代金券或立减优惠退款金额", "企业红包退款金额"],
        Presence::WithRefunds,
    ),
    (Column::RefundType, &["退款类型"], Presence::WithRefunds),
    (Column::RefundStatus, &["退款状态"], Presence::WithRefunds),
    (Column::Body, &["商品名称"], Presence::Sometimes),
    (Column::Attach, &["商户数据包"], Presence::Sometimes),
    (Column::Fee, &["手续费", "返还手续费"], Presence::Always),
    (Column::Rate, &["费率"], Presence::Always),
    (Column::TotalFee, &["订单金额"], Presence::Sometimes),
    (Column::RefundFee, &["申请退款金额"], Presence::Sometimes),
    (Column::RateNote, &["费率备注"], Presence::Sometimes),
    (Column::RefundAppliedAt, &["退款申请时间"], Presence::Sometimes),
    (Column::RefundSucceededAt, &["退款成功时间"], Presence::Sometimes),
];

// A column's own number is its place in the table.
const _: () = {
    let mut at = 0;
    while at < COLUMNS.len() {
        assert!(COLUMNS[at].0 as usize == at);
        at += 1;
    }
};

/// How many columns the `ALL` layout has: the first of [`COLUMNS`].
const ALL_COLUMNS: usize = 27;

/// How many of them come before those of the refund.
const TRADE_COLUMNS: usize = 14;

/// Which columns a bill has: the layouts of merchants since 2018.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillLayout {
    /// Payments and refunds: 27 columns.
    All,
    /// Payments alone: 20 columns.
    Success,
    /// Refunds alone, with their times: 29 columns.
    Refund,
    /// Refunds out of recharged money: those of [`BillLayout::Refund`], with another name of the fee.
    RechargeRefund,
}

impl BillLayout {
    /// Its columns, in order.
    pub(super) fn columns(self) -> Vec<Column> {
        let mut columns: Vec<Column> = COLUMNS.iter().take(ALL_COLUMNS).map(|(column, ..)| *column).collect();
        match self {
            BillLayout::All => {}
            BillLayout::Success => columns.retain(|column| !column.is_of_a_refund()),
            BillLayout::Refund | BillLayout::RechargeRefund => {
                columns.splice(TRADE_COLUMNS..TRADE_COLUMNS, [Column::RefundAppliedAt, Column::RefundSucceededAt]);
            }
        }
        columns
    }
}

impl BillLayout {
    /// What it calls a column: today's name, but for the fee of a refund out of recharged money.
    pub(super) const fn name(self, column: Column) -> &'static str {
        match (self, column) {
            (BillLayout::RechargeRefund, Column::Fee) => COLUMNS[Column::Fee as usize].1[1],
            (_, column) => column.name(),
        }
    }
}

enum Presence {
    Always,
    /// All of them, or none in a bill of payments.
    WithRefunds,
    Sometimes,
}

impl Column {
    /// Today's name.
    pub(super) const fn name(self) -> &'static str {
        COLUMNS[self as usize].1[0]
    }

    /// Whether a bill of payments has nothing to say in it.
    fn is_of_a_refund(self) -> bool {
        matches!(COLUMNS[self as usize].2, Presence::WithRefunds) || self == Column::RefundFee
    }
}

/// Where the known columns of one bill are, and how wide its rows are.
///
/// [`TradeBillReader`](super::TradeBillReader) reads a whole bill and is what believes it. This is for a reader that finds rows
/// by itself, to read one of them as the other would.
#[derive(Clone, Debug)]
pub struct TradeColumns {
    places: [Option<usize>; COLUMNS.len()],
    width: usize,
}

impl TradeColumns {
    /// Finds the columns in the first line of a plain bill, with or without its end and a byte-order mark.
    ///
    /// # Errors
    /// Those of [`TradeBillReader::open`](super::TradeBillReader::open), except that an error message in place of a bill is
    /// only a [`BillError::Format`].
    pub fn find(header: &[u8]) -> Result<TradeColumns, BillError> {
        TradeColumns::of(&cells::columns_of_line(header)?)
    }

    /// Reads the row with which `bytes` begin, on line `line` of its file, and says how many bytes it takes, its end included:
    /// more than a line when values hold line breaks.
    ///
    /// # Errors
    /// [`BillError::Width`], [`BillError::Cell`], or [`BillError::Format`] for what is not UTF-8, too long, or the header of a
    /// summary. Nothing is controlled: not the merchant, not the day.
    pub fn read_first(&self, line: u64, bytes: &[u8]) -> Result<(TradeRow, usize), BillError> {
        cells::first_row(line, bytes, self.width, |cells| Row { cells, columns: self }.read())
    }

    /// Finds the known columns in a header. Unknown ones are left alone.
    pub(super) fn of(header: &[String]) -> Result<TradeColumns, BillError> {
        let mut places = [None; COLUMNS.len()];
        for (place, found) in header.iter().enumerate() {
            let name = normalised(found);
            let Some((column, ..)) = COLUMNS.iter().find(|(_, names, _)| names.contains(&name.as_str())) else {
                continue;
            };
            if places[*column as usize].replace(place).is_some() {
                return Err(BillError::DuplicateColumn { column: found.clone() });
            }
        }
        let columns = TradeColumns { places, width: header.len() };
        let with_refunds = COLUMNS
            .iter()
            .any(|(column, _, presence)| matches!(presence, Presence::WithRefunds) && columns.place(*column).is_some());
        for (column, _, presence) in &COLUMNS {
            let needed = match presence {
                Presence::Always => true,
                Presence::WithRefunds => with_refunds,
                Presence::Sometimes => false,
            };
            if needed && columns.place(*column).is_none() {
                return Err(BillError::MissingColumn { column: column.name() });
            }
        }
        Ok(columns)
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

/// A column name with half-width brackets and without surrounding spaces.
pub(crate) fn normalised(name: &str) -> String {
    name.trim().replace('（', "(").replace('）', ")")
}

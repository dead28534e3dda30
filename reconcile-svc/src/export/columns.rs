//! The columns of differences: one table for the workbook and for CSV.

use money::Fen;

use super::cell::Cell;
use super::row::Row;
use super::words::{self, Words};
use crate::sentence::in_chinese;

/// One column.
pub(super) struct Column {
    /// What stands above it.
    pub(super) title: Words,
    /// Its width in a workbook, in characters.
    pub(super) width: u8,
    /// What it holds.
    pub(super) kind: Kind,
    /// Its value of a row.
    pub(super) cell: fn(&Row) -> Cell,
}

/// What a column holds, and so how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word, a number of a payment, a date.
    Word,
    /// A sentence; its lines break.
    Sentence,
    /// An amount that has a sum at the end.
    Money,
}

/// The columns that are printed: what follows is for the screen.
pub(super) const PRINTED: usize = 13;

/// Every column, in the order in which people read them.
pub(super) const COLUMNS: [Column; 25] = [
    column(Words("代码", "Code"), 8, Kind::Word, |row| Cell::text(&row.difference.code)),
    column(Words("含义", "Meaning"), 38, Kind::Sentence, |row| {
        let meaning = words::meaning(&row.difference.code);
        Cell::text(meaning.both().trim())
    }),
    column(Words("紧急", "Critical"), 9, Kind::Word, |row| {
        if row.difference.critical { Cell::text("是 Yes") } else { Cell::Empty }
    }),
    column(Words("状态", "State"), 16, Kind::Word, |row| Cell::Text(words::state(row.difference.state()).both())),
    column(Words("到期日", "Due date"), 12, Kind::Word, |row| Cell::date(&row.difference.due_date)),
    column(Words("账单金额（元）", "Bill (yuan)"), 15, Kind::Money, |row| {
        Cell::side(row.difference.bill_amount_fen)
    }),
    column(Words("账簿金额（元）", "Books (yuan)"), 15, Kind::Money, |row| {
        Cell::side(row.difference.book_amount_fen)
    }),
    column(Words("差额（元）", "Bill less books"), 15, Kind::Money, |row| {
        let (bill, book) = (Fen::new(row.difference.bill_amount_fen), Fen::new(row.difference.book_amount_fen));
        // Of two sides that have nothing there is no difference to tell.
        bill.checked_sub(book).filter(|_| (bill, book) != (Fen::ZERO, Fen::ZERO)).map_or(Cell::Empty, Cell::Amount)
    }),
    column(Words("涉及金额（元）", "At risk (yuan)"), 15, Kind::Money, |row| {
        Cell::Amount(Fen::new(row.difference.risk_fen))
    }),
    column(Words("中文说明", "In Chinese"), 58, Kind::Sentence, |row| {
        in_chinese(&row.difference).map_or(Cell::Empty, |sentence| Cell::Text(sentence.text))
    }),
    column(Words("应用", "App"), 10, Kind::Word, |row| Cell::text(&row.app)),
    column(Words("业务订单号", "Order no"), 22, Kind::Word, |row| Cell::text(&row.order_no)),
    column(Words("商户订单号", "out_trade_no"), 35, Kind::Word, |row| Cell::text(&row.difference.out_trade_no)),
    column(Words("微信支付订单号", "transaction_id"), 32, Kind::Word, |row| {
        Cell::text(&row.difference.transaction_id)
    }),
    column(Words("商户退款单号", "out_refund_no"), 36, Kind::Word, |row| {
        Cell::text(&row.difference.out_refund_no)
    }),
    column(Words("微信退款单号", "refund_id"), 32, Kind::Word, |row| Cell::text(&row.difference.refund_id)),
    column(Words("账户", "Account"), 22, Kind::Word, |row| Cell::text(&words::account(&row.difference.account))),
    column(Words("资金流水单号", "Movement"), 32, Kind::Word, |row| Cell::text(&row.difference.movement)),
    column(Words("说明", "Explanation"), 70, Kind::Sentence, |row| Cell::text(&row.difference.explanation)),
    column(Words("首次发现（北京时间）", "First seen"), 22, Kind::Word, |row| {
        Cell::instant(row.difference.open_time.as_ref())
    }),
    column(Words("负责人", "Assignee"), 14, Kind::Word, |row| Cell::text(&row.difference.assignee)),
    column(Words("豁免至", "Waived until"), 14, Kind::Word, |row| Cell::date(&row.difference.waived_until)),
    column(Words("处理结果", "Resolution"), 34, Kind::Word, |row| {
        Cell::text(&words::resolution(&row.difference.resolution))
    }),
    column(Words("最近答复", "Last answer"), 50, Kind::Sentence, |row| Cell::text(&row.difference.answer)),
    column(Words("差异编号", "Name"), 52, Kind::Word, |row| Cell::text(&row.difference.name)),
];

const fn column(title: Words, width: u8, kind: Kind, cell: fn(&Row) -> Cell) -> Column {
    Column { title, width, kind, cell }
}

use ::money::{Fen, MilliFen};
use reconciliation::books::MovedElsewhere;

/// One movement of an account, before its balance is known.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// 微信支付业务单号.
    pub(crate) number: String,
    /// 资金流水单号.
    pub(crate) id: String,
    /// 业务类型.
    pub(crate) kind: String,
    /// Negative when it leaves.
    pub(crate) fen: i64,
}

impl Flow {
    pub(crate) fn new(index: u64, number: &str, kind: &str, fen: i64) -> Flow {
        Flow { number: number.to_owned(), id: format!("19{index:012}"), kind: kind.to_owned(), fen }
    }
}

/// What the provider keeps, in the bill: 0.60 %.
pub(crate) fn fee(settled: i64) -> MilliFen {
    MilliFen::new(settled * 6)
}

/// What the account is charged for that: whole fen.
pub(crate) fn charged(settled: i64) -> i64 {
    (settled * 6 + 500) / 1000
}

/// `fen` more, or less.
pub(crate) fn more(amount: Fen, fen: i64) -> Fen {
    amount.checked_add(Fen::new(fen)).expect("small amounts")
}

/// As another day's fund flow has it: the money, and what was charged.
#[expect(clippy::unnecessary_wraps, reason = "books hold what may be missing")]
pub(crate) fn moved(principal: i64, fee: i64) -> Option<MovedElsewhere> {
    Some(MovedElsewhere { principal: Fen::new(principal), fee: Fen::new(fee) })
}

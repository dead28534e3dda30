//! 业务类型: what moves money, by WeChat's own words.

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A payment comes in.
    Payment,
    /// A refund leaves.
    Refund,
    /// A reversal leaves.
    Reversal,
    /// A refund that the provider did not do comes back.
    RefundClosed,
    /// The fee of a payment leaves.
    FeeTaken,
    /// The fee of a refund or a reversal comes back.
    FeeReturned,
    /// Needs no trade: the merchant's own doing, or another product's.
    Ordinary,
    /// A word that finance must look at: a complaint, or one that this release does not know.
    Other,
}

/// Words that need no trade, and what such words begin with.
const ORDINARY: [&str; 9] =
    ["提现", "充值", "现金红包", "裂变红包", "企业付款", "企业转账", "转账", "商家转账", "付款到零钱"];

impl Kind {
    pub(crate) fn of(word: &str) -> Kind {
        match word.trim() {
            "交易" => Kind::Payment,
            "退款" => Kind::Refund,
            "撤销" => Kind::Reversal,
            "退款关闭" => Kind::RefundClosed,
            "扣除交易手续费" => Kind::FeeTaken,
            "返还交易手续费" => Kind::FeeReturned,
            word if ORDINARY.iter().any(|known| word.starts_with(known)) => Kind::Ordinary,
            _ => Kind::Other,
        }
    }

    /// Whether it is the money of a trade itself.
    pub(crate) fn is_principal(self) -> bool {
        matches!(self, Kind::Payment | Kind::Refund | Kind::Reversal)
    }

    /// Whether it is a fee.
    pub(crate) fn is_fee(self) -> bool {
        matches!(self, Kind::FeeTaken | Kind::FeeReturned)
    }

    /// Whether money of this kind comes in. Of the others nobody asks.
    pub(crate) fn comes_in(self) -> bool {
        matches!(self, Kind::Payment | Kind::RefundClosed | Kind::FeeReturned)
    }
}

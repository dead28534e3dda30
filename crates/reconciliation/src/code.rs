use std::fmt;
use std::str::FromStr;

/// What differs. The direction is always from our books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// `BILL_ONLY_PENDING`: in the bill, our payment still open.
    P1,
    /// `BILL_ONLY_CLOSED`: money for an order that was closed, and that nobody has given back.
    P2,
    /// `BILL_ONLY_UNKNOWN`: in the bill, we never issued that number.
    P3,
    /// `DUPLICATE_PAYMENT`: two paid payments of one order, and the second was not given back.
    P4,
    /// `BOOK_ONLY`: paid here, not in the bill.
    P5,
    /// `AMOUNT`: both have it, the amounts differ, or two days' bills have it.
    P6,
    /// `SETTLEMENT`: total is not payer's amount plus coupons.
    P7,
    /// `STATUS`: the bill says revoked, we say paid.
    P8,
    /// `FACT_MISSING`: the order is paid, and the provider never told of it on the bus.
    P9,
    /// `FACT_ORPHAN`: the provider told of a payment that no order ever took, and the bill does not have it.
    P10,
    /// `REFUND_BILL_ONLY`: refunded at the provider's console, or although our books say that it did not happen.
    R1,
    /// `REFUND_BOOK_ONLY`: accepted here, not in the bill.
    R2,
    /// `REFUND_AMOUNT`: both have it, the amounts differ, or two days' bills have it.
    R3,
    /// `REFUND_STUCK`: under way for more than three working days, bounced, or closed.
    R4,
    /// `FEE`: the fee is not rate × amount within a fen.
    F1,
    /// `NOT_IN_FUND_FLOW`: a trade row without its movement, or with another amount on all days together.
    F2,
    /// `FUND_UNEXPLAINED`: a movement without a trade that is no ordinary kind.
    F3,
    /// `BALANCE_BREAK`: an account does not open as it closed, or its file is missing.
    F4,
}

/// What order-svc is asked to do about a difference, by itself and at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Repair {
    /// Ask about the payment.
    QueryPayment,
    /// Ask about the payment and tell its fact again.
    RepublishPayment,
    /// Ask about a refund of ours; send it again when the provider does not know it.
    QueryRefund,
    /// Ask about a refund of the provider's console and take it into our books.
    ImportRefund,
}

/// A text that is no code of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a difference code")]
pub struct UnknownCode;

impl Code {
    /// Every code, in the order in which people read them.
    pub const ALL: [Code; 18] = [
        Code::P1,
        Code::P2,
        Code::P3,
        Code::P4,
        Code::P5,
        Code::P6,
        Code::P7,
        Code::P8,
        Code::P9,
        Code::P10,
        Code::R1,
        Code::R2,
        Code::R3,
        Code::R4,
        Code::F1,
        Code::F2,
        Code::F3,
        Code::F4,
    ];

    /// `P1`, …: what wires, tables and pages call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::P1 => "P1",
            Code::P2 => "P2",
            Code::P3 => "P3",
            Code::P4 => "P4",
            Code::P5 => "P5",
            Code::P6 => "P6",
            Code::P7 => "P7",
            Code::P8 => "P8",
            Code::P9 => "P9",
            Code::P10 => "P10",
            Code::R1 => "R1",
            Code::R2 => "R2",
            Code::R3 => "R3",
            Code::R4 => "R4",
            Code::F1 => "F1",
            Code::F2 => "F2",
            Code::F3 => "F3",
            Code::F4 => "F4",
        }
    }

    /// What it means, for finance.
    pub const fn meaning(self) -> &'static str {
        match self {
            Code::P1 => "in the bill, our payment still open",
            Code::P2 => "money for a closed order",
            Code::P3 => "in the bill, number never issued by us",
            Code::P4 => "an order paid twice",
            Code::P5 => "paid in our books, not in the bill",
            Code::P6 => "payment amounts differ",
            Code::P7 => "total is not payer's amount plus coupons",
            Code::P8 => "revoked in the bill, paid in our books",
            Code::P9 => "paid without a message of the provider",
            Code::P10 => "told by the provider, taken by no order",
            Code::R1 => "refund in the bill, not in our books",
            Code::R2 => "refund in our books, not in the bill",
            Code::R3 => "refund amounts differ",
            Code::R4 => "refund stuck",
            Code::F1 => "fee is not rate times amount",
            Code::F2 => "trade without its movement of money",
            Code::F3 => "movement of money without a trade",
            Code::F4 => "balance broken or fund flow missing",
        }
    }

    /// What it means, for finance, in Chinese.
    pub const fn meaning_in_chinese(self) -> &'static str {
        match self {
            Code::P1 => "账单有，我方支付单未完成",
            Code::P2 => "已关闭订单收到款项",
            Code::P3 => "账单有，非我方单号",
            Code::P4 => "同一订单重复支付",
            Code::P5 => "账簿已付，账单没有",
            Code::P6 => "支付金额不一致",
            Code::P7 => "订单金额不等于实付加优惠",
            Code::P8 => "账单已撤销，账簿仍为已付",
            Code::P9 => "已付但未收到微信通知或查询结果",
            Code::P10 => "微信已告知，但无订单入账",
            Code::R1 => "账单有退款，账簿没有",
            Code::R2 => "账簿有退款，账单没有",
            Code::R3 => "退款金额不一致",
            Code::R4 => "退款滞留",
            Code::F1 => "手续费与费率不符",
            Code::F2 => "有交易，无资金流水",
            Code::F3 => "有资金流水，无交易",
            Code::F4 => "余额不连续或资金账单缺失",
        }
    }

    /// Whether somebody must look today, whatever the amount.
    pub const fn is_critical(self) -> bool {
        matches!(self, Code::P3 | Code::F4)
    }

    /// Whether it is about a refund.
    pub const fn is_of_a_refund(self) -> bool {
        matches!(self, Code::R1 | Code::R2 | Code::R3 | Code::R4)
    }
}

impl Repair {
    /// The word in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Repair::QueryPayment => "QUERY_PAYMENT",
            Repair::RepublishPayment => "REPUBLISH_PAYMENT",
            Repair::QueryRefund => "QUERY_REFUND",
            Repair::ImportRefund => "IMPORT_REFUND",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|code| code.as_str() == text).ok_or(UnknownCode)
    }
}

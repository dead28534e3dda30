use std::fmt;
use std::str::FromStr;

/// What differs. The direction is always from our books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// `BILL_ONLY_PENDING`: in the bill, our payment still open, or ended without money.
    P1,
    /// `BILL_ONLY_UNKNOWN`: in the bill, we never issued that number.
    P3,
    /// `BOOK_ONLY`: paid here, not in the bill.
    P5,
    /// `AMOUNT`: both have it, the amounts differ.
    P6,
    /// `STATUS`: the bill says revoked, we say paid.
    P8,
}

/// A text that is no code of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a difference code")]
pub struct UnknownCode;

impl Code {
    /// Every code, in the order in which people read them.
    pub const ALL: [Code; 5] = [Code::P1, Code::P3, Code::P5, Code::P6, Code::P8];

    /// `P1`, …: what wires, tables and pages call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::P1 => "P1",
            Code::P3 => "P3",
            Code::P5 => "P5",
            Code::P6 => "P6",
            Code::P8 => "P8",
        }
    }

    /// What it means, for finance.
    pub const fn meaning(self) -> &'static str {
        match self {
            Code::P1 => "in the bill, our payment still open",
            Code::P3 => "in the bill, number never issued by us",
            Code::P5 => "paid in our books, not in the bill",
            Code::P6 => "amounts differ",
            Code::P8 => "revoked in the bill, paid in our books",
        }
    }

    /// What it means, for finance, in Chinese.
    pub const fn meaning_in_chinese(self) -> &'static str {
        match self {
            Code::P1 => "账单有，我方支付单未完成",
            Code::P3 => "账单有，非我方单号",
            Code::P5 => "账簿已付，账单没有",
            Code::P6 => "金额不一致",
            Code::P8 => "账单已撤销，账簿仍为已付",
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

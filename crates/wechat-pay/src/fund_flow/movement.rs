//! One movement of a fund flow, typed.

use jiff::Timestamp;
use money::Fen;

/// Money that came into an account or left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The line in the file, from 1.
    pub line: u64,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// WeChat's number of what moved the money (微信支付业务单号): of a payment its `transaction_id`, of a refund its
    /// `refund_id`. Several movements share one, e.g. a payment and its fee.
    pub number: String,
    /// WeChat's number of the movement itself (资金流水单号), unique in a file.
    pub flow_number: String,
    /// 业务名称.
    pub name: String,
    /// 业务类型, e.g. `交易`, `退款`, `扣除交易手续费`: an open set.
    pub kind: String,
    /// Whether it came or left.
    pub direction: Direction,
    /// How much; never negative.
    pub amount: Fen,
    /// What the account held afterwards.
    pub balance: Fen,
    /// Who caused it (资金变更提交申请人): `system`, or a merchant number.
    pub by: String,
    /// 备注.
    pub remark: String,
    /// 业务凭证号: of a payment our own number.
    pub voucher: String,
}

/// Which way money went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It came (收入).
    In,
    /// It left (支出).
    Out,
}

impl Movement {
    /// The amount, negative when it left.
    pub fn signed(&self) -> Fen {
        match self.direction {
            Direction::In => self.amount,
            // An amount is not negative, so it has a negative.
            Direction::Out => Fen::new(-self.amount.get()),
        }
    }
}

impl Direction {
    /// Reads WeChat's word.
    pub fn parse(text: &str) -> Option<Direction> {
        match text {
            "收入" => Some(Direction::In),
            "支出" => Some(Direction::Out),
            _ => None,
        }
    }

    /// WeChat's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::In => "收入",
            Direction::Out => "支出",
        }
    }
}

//! Words of the wire for people, in both languages.

use proto::reconcile::v1::{discrepancy, run};
use reconciliation::Code;

/// Chinese and English of the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words(pub(super) &'static str, pub(super) &'static str);

impl Words {
    /// Both on one line.
    pub(super) fn both(self) -> String {
        format!("{} {}", self.0, self.1)
    }
}

/// What became of a run.
pub(super) fn verdict(state: run::State) -> Words {
    match state {
        run::State::Unspecified => Words("未知", "Unknown"),
        run::State::Running => Words("对账中", "Running"),
        run::State::Balanced => Words("已平", "Balanced"),
        run::State::Differences => Words("有差异", "Differences"),
        run::State::ControlFailed => Words("账单校验失败", "Bill refused"),
        run::State::BillInvalid => Words("账单无法读取", "Bill unreadable"),
        run::State::Waiting => Words("待下期账单", "Waiting"),
    }
}

/// What became of a difference.
pub(super) fn state(state: discrepancy::State) -> Words {
    match state {
        discrepancy::State::Unspecified => Words("未知", "Unknown"),
        discrepancy::State::Open => Words("未结", "Open"),
        discrepancy::State::Resolved => Words("已结", "Resolved"),
        discrepancy::State::Held => Words("待定", "Held"),
        discrepancy::State::Resolving => Words("查询中", "Resolving"),
        discrepancy::State::Proposed => Words("待复核", "Proposed"),
        discrepancy::State::Approved => Words("已批准", "Approved"),
        discrepancy::State::Applied => Words("已处理", "Applied"),
        discrepancy::State::Waived => Words("暂予豁免", "Waived"),
    }
}

/// How a difference ended; another release's word stays as it is.
pub(super) fn resolution(word: &str) -> String {
    match word {
        "RESOLVED_BY_RERUN" => "后续对账已无此差异 Resolved by a later run".to_owned(),
        "APPLIED" => "已按批准执行 Applied".to_owned(),
        "WAIVED" => "已豁免 Waived".to_owned(),
        _ => word.to_owned(),
    }
}

/// What a code means; empty for a code of another release.
pub(super) fn meaning(code: &str) -> Words {
    code.parse().map_or(Words("", ""), |code: Code| Words(code.meaning_in_chinese(), code.meaning()))
}

/// An account of the merchant.
pub(super) fn account(word: &str) -> String {
    match word {
        "BASIC" => "基本账户 Basic".to_owned(),
        "OPERATION" => "运营账户 Operation".to_owned(),
        "FEES" => "手续费账户 Fees".to_owned(),
        _ => word.to_owned(),
    }
}

/// What an input is.
pub(super) fn input(word: &str) -> String {
    match word {
        "TRADE" => "交易账单 Trade bill".to_owned(),
        "FUND_BASIC" => "资金账单（基本账户） Fund flow, basic".to_owned(),
        "FUND_OPERATION" => "资金账单（运营账户） Fund flow, operation".to_owned(),
        "FUND_FEES" => "资金账单（手续费账户） Fund flow, fees".to_owned(),
        "BOOK_PAYMENTS" => "账簿支付 Payments of our books".to_owned(),
        "BOOK_REFUNDS" => "账簿退款 Refunds of our books".to_owned(),
        _ => word.to_owned(),
    }
}

/// What there was to read.
pub(super) fn reading(word: &str) -> String {
    match word {
        "READ" => "已读取 Read".to_owned(),
        "NONE" => "无流水 None".to_owned(),
        "NOT_FETCHED" => "未获取 Not fetched".to_owned(),
        _ => word.to_owned(),
    }
}

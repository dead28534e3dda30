//! A difference in one Chinese sentence for finance, made from what its message holds. The engine's own sentence is English and is
//! written once, when the day is compared; where it knows more than the message does, it stands beside ours.

use std::collections::BTreeSet;

use money::Fen;
use proto::reconcile::v1::Discrepancy;
use reconciliation::Code;

use crate::report::yuan;

/// Facts of the engine's sentences that are neither a figure nor a word of WeChat's.
const ONLY_THE_ENGINE_KNOWS: [&str; 2] = ["any message of the provider", "dead letters"];

/// What is told in Chinese.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sentence {
    /// The sentence.
    pub(crate) text: String,
    /// The engine's sentence says something that this one does not.
    pub(crate) is_less: bool,
}

/// The Chinese sentence; `None` for a code of another release.
pub(crate) fn in_chinese(found: &Discrepancy) -> Option<Sentence> {
    let code: Code = found.code.parse().ok()?;
    let told = Told { found, trade: if found.refund_id.is_empty() { "交易" } else { "退款" } };
    let text = told.of(code);
    let is_less = told.is_vague(code) || says_more(&found.explanation, &text);
    Some(Sentence { text, is_less })
}

struct Told<'a> {
    found: &'a Discrepancy,
    /// What a row of the bill is called.
    trade: &'static str,
}

impl Told<'_> {
    fn of(&self, code: Code) -> String {
        let Discrepancy { bill_amount_fen, book_amount_fen, risk_fen, .. } = *self.found;
        let [bill, book, risk] = [bill_amount_fen, book_amount_fen, risk_fen].map(amount);
        let (has_bill, has_book) = (bill_amount_fen != 0, book_amount_fen != 0);
        let same = bill_amount_fen == book_amount_fen;
        match code {
            Code::P1 if has_book => format!("账单有 {bill}，微信亦已告知，但没有订单入账。"),
            Code::P1 => format!("账单有 {bill}，我方支付单尚未完成。"),
            Code::P2 if has_book => format!("已关闭的订单收到 {bill}，{}。", self.not_given_back()),
            Code::P2 => format!("账单有 {bill}，对应订单已关闭，账簿未入账。"),
            Code::P3 => format!("账单有 {bill}，单号并非我方所发；须查明由谁收取。"),
            Code::P4 if has_book => format!("订单已由另一笔支付付清，又收到 {bill}，{}。", self.not_given_back()),
            Code::P4 => format!("账单有 {bill}，但订单已由另一笔支付付清，账簿未入账。"),
            Code::P5 => format!("账簿有已付 {book}，账单没有{}。", self.may_come("相邻日期的账单")),
            Code::P6 if same => format!("账单为 {bill}，与订单或微信告知的金额不一致，相差 {risk}。"),
            Code::P6 => format!("支付金额不一致：账单 {bill}，账簿 {book}，相差 {risk}。"),
            Code::P7 => format!("订单金额 {bill}与用户实付、优惠、应结金额不符，相差 {risk}。"),
            Code::P8 if has_bill => format!("账单既有此笔支付，又有其撤销；账簿仍为已付 {book}。"),
            Code::P8 => format!("账单显示此笔支付已撤销，账簿仍为已付 {book}。"),
            Code::P9 => format!("账单与订单均为 {bill}，但未收到微信的通知或查询结果。"),
            Code::P10 => format!("微信告知有 {book}，账单没有，也没有订单入账。"),
            Code::R1 if has_book => format!("账单有退款 {bill}，账簿却记为微信已拒绝。"),
            Code::R1 => format!("账单有退款 {bill}，账簿没有：可能由商户平台发起。"),
            Code::R2 => format!("账簿有退款 {book}，账单没有{}。", self.may_come("相邻日期的账单")),
            Code::R3 if same => format!("账单退款为 {bill}，与微信告知的金额不一致，相差 {risk}。"),
            Code::R3 => format!("退款金额不一致：账单 {bill}，账簿 {book}，相差 {risk}。"),
            Code::R4 if self.is_waited_for() => format!("退款 {bill}处理中，应在 {} 前到账。", self.found.due_date),
            Code::R4 => format!("退款 {bill}未到账：逾期仍在处理、被退回，或已被微信关闭。"),
            Code::F1 => format!("手续费与费率或资金账单不符，相差 {risk}。"),
            Code::F2 => {
                let (what, later) = (self.trade, self.may_come("相邻日期的资金账单"));
                format!("{what} {bill}在资金账单中没有相符的变动，涉及 {risk}{later}。")
            }
            Code::F3 => {
                let direction = if bill_amount_fen < 0 { "支出" } else { "收入" };
                format!("{}{direction} {risk}，没有对应的交易。", self.account())
            }
            Code::F4 if has_bill => format!("{}期初 {bill}，与前一日期末不符，相差 {risk}。", self.account()),
            Code::F4 => format!("{}余额不连续，或缺少资金账单，涉及 {risk}。", self.account()),
        }
    }

    /// Whether several cases of the code have the same message.
    fn is_vague(&self, code: Code) -> bool {
        match code {
            Code::F1 => true,
            Code::R4 => !self.is_waited_for(),
            Code::F4 => self.found.bill_amount_fen == 0,
            _ => false,
        }
    }

    fn is_waited_for(&self) -> bool {
        !self.found.due_date.is_empty()
    }

    fn may_come(&self, with: &str) -> String {
        if self.is_waited_for() {
            format!("；{} 前仍可能出现在{with}中", self.found.due_date)
        } else {
            String::new()
        }
    }

    fn not_given_back(&self) -> String {
        if self.found.risk_fen < self.found.bill_amount_fen {
            format!("尚有 {}未退回", amount(self.found.risk_fen))
        } else {
            "尚未退回".to_owned()
        }
    }

    fn account(&self) -> &str {
        match self.found.account.as_str() {
            "BASIC" => "基本账户",
            "OPERATION" => "运营账户",
            "FEES" => "手续费账户",
            _ => "账户",
        }
    }
}

fn amount(fen: i64) -> String {
    format!("{} 元", yuan(Fen::new(fen)))
}

/// Whether the engine's sentence has a figure, a word of WeChat's or another fact that `ours` lacks.
fn says_more(engine: &str, ours: &str) -> bool {
    let known = figures(ours);
    !figures(engine).is_subset(&known)
        || engine.split(|c| !is_han(c)).any(|word| !ours.contains(word))
        || ONLY_THE_ENGINE_KNOWS.iter().any(|fact| engine.contains(fact))
}

/// Amounts and dates, without the commas at the thousands.
fn figures(text: &str) -> BTreeSet<String> {
    let plain = text.replace(',', "");
    let words = plain.split(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-'));
    let words = words.map(|word| word.trim_end_matches('.')).filter(|word| word.contains(|c: char| c.is_ascii_digit()));
    words.map(str::to_owned).collect()
}

fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

#[cfg(test)]
mod tests;

//! What a bill adds up to.

use std::collections::BTreeMap;

use serde::Serialize;
use wechat_pay::bill::{Summary, TradeRow};

use crate::output;

/// Counts and sums of a bill.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Totals {
    rows: u64,
    /// How many rows of each trade type (JSAPI, NATIVE, …) and state (SUCCESS, REFUND, …) there are.
    by_type_and_state: BTreeMap<String, BTreeMap<String, u64>>,
    /// How many refunds of each status there are.
    refunds_by_status: BTreeMap<String, u64>,
    /// What the summary row says; the rows add up to it, or there would be no totals.
    pub(super) summary: Option<Sums>,
}

/// The sums of a bill. Fees have fractions of a fen, so they are yuan as text; older layouts lack the last two.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Sums {
    rows: u64,
    settlement_total_fen: i64,
    settlement_refund_fen: i64,
    coupon_refund_fen: i64,
    fee_yuan: String,
    total_fen: Option<i64>,
    refund_fen: Option<i64>,
}

impl From<Summary> for Sums {
    fn from(summary: Summary) -> Sums {
        Sums {
            rows: summary.rows,
            settlement_total_fen: summary.settlement_total_fee.get(),
            settlement_refund_fen: summary.settlement_refund_fee.get(),
            coupon_refund_fen: summary.coupon_refund_fee.get(),
            fee_yuan: summary.fee.to_yuan(),
            total_fen: summary.total_fee.map(money::Fen::get),
            refund_fen: summary.refund_fee.map(money::Fen::get),
        }
    }
}

impl Totals {
    /// Counts one row. The sums are kept, and checked, by the reader.
    pub(super) fn add(&mut self, row: &TradeRow) {
        self.rows += 1;
        let states = self.by_type_and_state.entry(row.trade_type.clone()).or_default();
        *states.entry(row.state.as_str().to_owned()).or_default() += 1;
        if let Some(refund) = &row.refund {
            *self.refunds_by_status.entry(refund.refund_status.clone()).or_default() += 1;
        }
    }

    /// For people.
    pub(super) fn text(&self, mch_id: &str) -> String {
        let mut text = String::new();
        let mut line = |line: String| text.extend([line.as_str(), "\n"]);
        let whose = if mch_id.is_empty() { String::new() } else { format!(" of merchant {mch_id}") };
        let rows = output::counted(self.rows, "row", "rows");
        line(format!("{rows}{whose}; they add up to the summary row"));
        for (trade_type, states) in &self.by_type_and_state {
            for (state, count) in states {
                line(format!("  {:<10} {:<8} {count:>8}", or_dash(trade_type), or_dash(state)));
            }
        }
        for (status, count) in &self.refunds_by_status {
            line(format!("  refunds    {:<10} {count:>6}", or_dash(status)));
        }
        if let Some(sums) = &self.summary {
            let yuan = |fen: i64| money::Fen::new(fen).to_yuan();
            let mut sum = |name: &str, value: String| line(format!("  {name:<34} {value:>14} yuan"));
            if let Some(total) = sums.total_fen {
                sum("orders 订单总金额", yuan(total));
            }
            sum("settled orders 应结订单总金额", yuan(sums.settlement_total_fen));
            if let Some(refund) = sums.refund_fen {
                sum("refunds asked for 申请退款总金额", yuan(refund));
            }
            sum("refunds 退款总金额", yuan(sums.settlement_refund_fen));
            sum("of coupons 充值券退款总金额", yuan(sums.coupon_refund_fen));
            sum("fees 手续费总金额", sums.fee_yuan.clone());
        }
        text
    }
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

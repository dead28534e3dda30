use std::error::Error as _;
use std::io::{self, BufRead};

use jiff::civil::Date;
use wechat_pay::bill::{BillError, BillState, Expected, TradeBillReader, TradeRow};

use super::Bill;
use crate::engine::{BillRow, Comparison, EngineError, RowKind};
use crate::gateway::Merchant;

/// The only currency we take money in.
const CURRENCY: &str = "CNY";

/// Why nothing of a bill was used.
#[derive(Debug, thiserror::Error)]
pub enum BillRefused {
    /// A control failed; the text says which, with line and column, and holds no value of the bill.
    #[error("{0}")]
    Control(String),
    /// Our own disk.
    #[error("the bill cannot be read from disk")]
    Disk(#[source] io::Error),
}

/// Feeds every row of the bill into the comparison and checks the whole: header, widths, values, merchant number, sub-merchant,
/// day, currency, duplicates, and the sums of the bill's own summary. Blocks; memory is bounded by the comparison's.
///
/// # Errors
/// [`BillRefused::Control`] for the first thing that is wrong; the comparison is gone then, so nothing is half used.
pub fn read(bill: Bill, account: &Merchant, day: Date, comparison: Comparison) -> Result<Comparison, BillRefused> {
    feed(bill.open().map_err(BillRefused::Disk)?, account, day, comparison)
}

fn feed(
    input: impl BufRead,
    account: &Merchant,
    day: Date,
    mut comparison: Comparison,
) -> Result<Comparison, BillRefused> {
    let expected = Expected { mch_id: account.mch_id.clone(), bill_date: Some(day) };
    let mut rows = TradeBillReader::open(input, expected).map_err(refused)?;
    while let Some(row) = rows.next() {
        let row = row.map_err(refused)?;
        let line = rows.line();
        let at_line = |problem: &str| BillRefused::Control(format!("line {line}: {problem}"));
        // A service provider's sub-merchants share its number, so a row of one could stand in the bill of another. The bill of
        // a direct merchant says that there is none.
        if row.sub_mch_id.as_deref().unwrap_or_default() != account.sub_mch_id {
            return Err(at_line("the row belongs to another sub-merchant"));
        }
        if row.fee_type != CURRENCY {
            return Err(at_line("the currency is not CNY"));
        }
        let row = known(&row).ok_or_else(|| at_line("a kind of row that this release does not know"))?;
        comparison.bill_row(&row).map_err(|error| match error {
            EngineError::TooManyDifferences => BillRefused::Control(error.to_string()),
            EngineError::Overflow | EngineError::Duplicate => at_line(&error.to_string()),
        })?;
    }
    rows.finish().map_err(refused)?;
    Ok(comparison)
}

fn known(row: &TradeRow) -> Option<BillRow<'_>> {
    let (kind, amount) = match (&row.state, &row.refund) {
        (BillState::Success, _) => (RowKind::Payment, row.total_fee),
        (BillState::Refund, Some(refund)) => (RowKind::Refund, refund.refund_fee),
        // A reversal of money that had come is written as its refund; sources do not say whether every one is.
        (BillState::Revoked, Some(refund)) => (RowKind::Revoked, refund.refund_fee),
        (BillState::Revoked, None) => (RowKind::Revoked, row.total_fee),
        (BillState::Refund, None) | (BillState::Other(_), _) => return None,
    };
    let (out_trade_no, transaction_id, app_id) = (&row.out_trade_no, &row.transaction_id, &row.appid);
    Some(BillRow { kind, out_trade_no, transaction_id, app_id, amount, fee: row.fee })
}

fn refused(error: BillError) -> BillRefused {
    match error {
        BillError::Io(error) if error.raw_os_error().is_some() => BillRefused::Disk(error),
        error => {
            let mut text = error.to_string();
            if let Some(cause) = error.source() {
                text = format!("{text}: {cause}");
            }
            BillRefused::Control(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,\
                          货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,\
                          商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
    const SUMMARY: &str =
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

    fn row(time: &str, mch_id: &str, number: &str, state: &str, currency: &str) -> String {
        row_of(time, mch_id, "0", number, state, currency)
    }

    fn row_of(time: &str, mch_id: &str, sub_mch_id: &str, number: &str, state: &str, currency: &str) -> String {
        format!(
            "`{time},`wx1,`{mch_id},`{sub_mch_id},`,`42{number},`A{number},`o1,`JSAPI,`{state},`OTHERS,`{currency},`1.00,`0.00,`0,`0,\
             `0.00,`0.00,`,`,`茶, 绿`茶,`,`0.01000,`0.60%,`1.00,`0.00,`"
        )
    }

    fn bill(rows: &[String], summary: &str) -> String {
        let mut text = format!("\u{feff}{HEADER}\r\n");
        for row in rows {
            text += row;
            text += "\r\n";
        }
        text + &format!("{SUMMARY}\r\n{summary}\r\n")
    }

    fn fed(text: &str) -> Result<Comparison, BillRefused> {
        fed_for("", text)
    }

    fn fed_for(sub_mch_id: &str, text: &str) -> Result<Comparison, BillRefused> {
        let day = date(2026, 11, 20);
        let account = Merchant {
            name: "acme".to_owned(),
            provider: "wechat-v2".to_owned(),
            mch_id: "1900000001".to_owned(),
            sub_mch_id: sub_mch_id.to_owned(),
        };
        feed(text.as_bytes(), &account, day, Comparison::new(day, []).expect("no books"))
    }

    fn problem(text: &str) -> String {
        match fed(text) {
            Err(BillRefused::Control(problem)) => problem,
            other => panic!("not a failed control: {other:?}"),
        }
    }

    fn good(number: &str) -> String {
        row("2026-11-20 10:00:00", "1900000001", number, "SUCCESS", "CNY")
    }

    const ONE: &str = "`1.0,`1.0,`0.0,`0.0,`0.01,`1.0,`0.0";
    const TWO: &str = "`2.0,`2.0,`0.0,`0.0,`0.02,`2.0,`0.0";

    #[test]
    fn a_good_bill_is_read_to_its_end() {
        let outcome = fed(&bill(&[good("1"), good("2")], TWO)).expect("read").finish([], []).expect("compared");
        assert_eq!((outcome.bill.count, outcome.bill.sum.get(), outcome.fee.get()), (2, 200, 2000));
    }

    #[test]
    fn a_bill_that_lost_a_row_is_refused() {
        assert!(problem(&bill(&[good("1")], TWO)).contains("summary"));
    }

    #[test]
    fn a_bill_cut_anywhere_is_refused() {
        let whole = bill(&[good("1"), good("2")], TWO);
        let whole = whole.trim_end();
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            // Without its last characters the summary may still say the same: `0.0` and `0.` and `0` are one number.
            let same_numbers = whole[end..].bytes().all(|byte| matches!(byte, b'0' | b'.'));
            assert!(same_numbers || fed(&whole[..end]).is_err(), "cut after {end} bytes");
        }
    }

    #[test]
    fn a_bill_of_another_day_or_merchant_is_refused() {
        let foreign_day = row("2026-11-21 00:00:00", "1900000001", "1", "SUCCESS", "CNY");
        assert!(problem(&bill(&[foreign_day], ONE)).contains("another day"));
        let foreign_merchant = row("2026-11-20 10:00:00", "1900000002", "1", "SUCCESS", "CNY");
        assert!(problem(&bill(&[foreign_merchant], ONE)).contains("another merchant"));
    }

    #[test]
    fn only_rows_of_the_accounts_own_sub_merchant_are_read() {
        let of =
            |sub_mch_id| bill(&[row_of("2026-11-20 10:00:00", "1900000001", sub_mch_id, "1", "SUCCESS", "CNY")], ONE);
        for (account, rows) in [("", "0"), ("", ""), ("1900000315", "1900000315")] {
            assert!(fed_for(account, &of(rows)).is_ok(), "{account:?} {rows:?}");
        }
        for (account, rows) in
            [("", "1900000315"), ("1900000315", "0"), ("1900000315", ""), ("1900000315", "1900000316")]
        {
            match fed_for(account, &of(rows)) {
                Err(BillRefused::Control(problem)) => {
                    assert_eq!(problem, "line 2: the row belongs to another sub-merchant");
                }
                other => panic!("{account:?} {rows:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_row_twice_is_refused() {
        assert!(problem(&bill(&[good("1"), good("1")], TWO)).contains("repeats"));
    }

    #[test]
    fn another_currency_and_an_unknown_kind_of_row_are_refused_not_ignored() {
        let dollars = row("2026-11-20 10:00:00", "1900000001", "1", "SUCCESS", "USD");
        assert!(problem(&bill(&[dollars], ONE)).contains("not CNY"));
        let unknown = row("2026-11-20 10:00:00", "1900000001", "1", "TRANSFER", "CNY");
        assert!(problem(&bill(&[unknown], ONE)).contains("does not know"));
    }

    #[test]
    fn what_is_no_bill_at_all_is_refused() {
        for text in ["", "<html>busy</html>", "a,b,c\n`1,`2,`3\n"] {
            assert!(!problem(text).is_empty(), "{text:?}");
        }
    }
}

//! The first sheet: the verdict, and everything that it rests on, on one page.

use money::Fen;
use proto::reconcile::v1::{Account, CodeCount, Run, run::State};
use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::super::conservation::{Conservation, Leg};
use super::super::row::Head;
use super::super::words::{self, Words};
use super::formats::Formats;
use super::sheet::{put_amount, put_count, put_decimal, put_text, put_titles, set_print};

/// Widths of the columns, in characters.
const WIDTHS: [u8; 7] = [66, 18, 20, 20, 20, 20, 20];

/// A sheet and the next free row of it.
struct Page<'a> {
    sheet: Worksheet,
    row: u32,
    formats: &'a Formats,
}

/// Verdict, sums by leg, differences by code, accounts, and whether everything adds up.
pub(super) fn sheet(head: &Head, sums: &Conservation, formats: &Formats) -> Result<Worksheet, XlsxError> {
    let run = &head.run;
    let mut page = Page { sheet: Worksheet::new(), row: 0, formats };
    page.sheet.set_name("对账汇总 Summary")?;
    for (column, width) in (0_u16..).zip(WIDTHS) {
        page.sheet.set_column_width(column, width)?;
    }
    set_print(&mut page.sheet, run);
    page.verdict(run)?;
    page.legs(run)?;
    page.codes(run)?;
    page.accounts(run)?;
    page.conservation(run, sums)?;
    Ok(page.sheet)
}

impl Page<'_> {
    fn verdict(&mut self, run: &Run) -> Result<(), XlsxError> {
        let title = format!("{} · {} · v{}", run.merchant, run.bill_date, run.version);
        put_text(&mut self.sheet, 0, 0, &title, &self.formats.title)?;
        self.sheet.set_row_height(0, 28)?;
        let format = match run.state() {
            State::Balanced | State::Waiting => &self.formats.good,
            State::Differences | State::ControlFailed | State::BillInvalid => &self.formats.bad,
            State::Unspecified | State::Running => &self.formats.neutral,
        };
        let words = words::verdict(run.state()).both();
        let text = if run.problem.is_empty() { words } else { format!("{words}: {}", run.problem) };
        self.sheet.merge_range(1, 0, 1, 6, "", format)?;
        put_text(&mut self.sheet, 1, 0, &text, format)?;
        self.sheet.set_row_height(1, if run.problem.is_empty() { 24 } else { 44 })?;
        self.row = 3;
        Ok(())
    }

    fn legs(&mut self, run: &Run) -> Result<(), XlsxError> {
        self.titles(&[Words("口径", "Leg"), Words("笔数", "Count"), Words("金额（元）", "Sum (yuan)")], 1)?;
        for (label, count, fen) in [
            (Words("账单支付", "Bill: payments"), run.bill_count, run.bill_sum_fen),
            (Words("账单退款", "Bill: refunds"), run.bill_refund_count, run.bill_refund_sum_fen),
            (Words("账单撤销", "Bill: reversals"), run.bill_revoked_count, run.bill_revoked_sum_fen),
            (Words("账簿支付", "Books: payments"), run.book_count, run.book_sum_fen),
            (Words("账簿退款", "Books: refunds"), run.book_refund_count, run.book_refund_sum_fen),
            (Words("一致的支付", "Matched payments"), run.matched_count, run.matched_sum_fen),
            (Words("一致的退款", "Matched refunds"), run.matched_refund_count, run.matched_refund_sum_fen),
            (Words("待定", "Waiting"), run.waiting_count, run.waiting_sum_fen),
        ] {
            self.label(label)?;
            self.count(1, count)?;
            self.amount(2, Fen::new(fen))?;
            self.row += 1;
        }
        self.label(Words("账单净额（支付减退款）", "Bill net of refunds"))?;
        if let Some(net) = Fen::new(run.bill_sum_fen).checked_sub(Fen::new(run.bill_refund_sum_fen)) {
            self.amount(2, net)?;
        }
        self.row += 1;
        self.label(Words("手续费", "Provider's fees"))?;
        put_decimal(&mut self.sheet, self.row, 2, &run.bill_fee_yuan, &self.formats.fee)?;
        self.row += 2;
        Ok(())
    }

    fn codes(&mut self, run: &Run) -> Result<(), XlsxError> {
        if run.differences.is_empty() {
            return Ok(());
        }
        self.titles(
            &[
                Words("差异分类", "Differences by code"),
                Words("笔数", "Count"),
                Words("涉及金额（元）", "At risk (yuan)"),
            ],
            1,
        )?;
        for tally in &run.differences {
            let label = format!("{} {}", tally.code, words::meaning(&tally.code).both());
            self.text(0, label.trim())?;
            self.count(1, tally.count)?;
            self.amount(2, Fen::new(tally.sum_fen))?;
            self.row += 1;
        }
        self.total(&run.differences)?;
        self.row += 1;
        Ok(())
    }

    /// All codes together; no sum when it does not fit.
    fn total(&mut self, tallies: &[CodeCount]) -> Result<(), XlsxError> {
        let count = tallies.iter().fold(0_i64, |sum, tally| sum.saturating_add(tally.count));
        let sum = tallies.iter().try_fold(Fen::ZERO, |sum, tally| sum.checked_add(Fen::new(tally.sum_fen)));
        put_text(&mut self.sheet, self.row, 0, "合计 Total", &self.formats.total)?;
        put_decimal(&mut self.sheet, self.row, 1, &count.to_string(), &self.formats.total_count)?;
        if let Some(sum) = sum {
            put_amount(&mut self.sheet, self.row, 2, sum, &self.formats.total_amount)?;
        }
        self.row += 1;
        Ok(())
    }

    fn accounts(&mut self, run: &Run) -> Result<(), XlsxError> {
        if run.accounts.is_empty() {
            return Ok(());
        }
        self.titles(
            &[
                Words("账户", "Account"),
                Words("状态", "State"),
                Words("期初余额（元）", "Opening"),
                Words("当日变动（元）", "Moved"),
                Words("期末余额（元）", "Closing"),
                Words("未解释（元）", "Unexplained"),
            ],
            2,
        )?;
        for account in &run.accounts {
            self.text(0, &words::account(&account.account))?;
            self.text(1, &words::reading(&account.state))?;
            // Of an account that nobody looked into, nothing is known to have moved.
            let moved = if account.state == "NOT_FETCHED" { None } else { moved(account) };
            for (column, fen) in [(2, account.opening_fen), (3, moved.map(Fen::get)), (4, account.closing_fen)] {
                if let Some(fen) = fen {
                    self.amount(column, Fen::new(fen))?;
                }
            }
            if let Some(rest) = unexplained(account, moved) {
                self.rest(5, rest)?;
            }
            self.row += 1;
        }
        self.row += 1;
        Ok(())
    }

    fn conservation(&mut self, run: &Run, sums: &Conservation) -> Result<(), XlsxError> {
        let sides = Leg::ALL.map(|leg| (leg, sums.of(run, leg)));
        if sides.iter().all(|(_, side)| side.is_none()) {
            return Ok(());
        }
        self.titles(
            &[
                Words("守恒：合计 = 一致 + 差异 + 待定", "Conservation"),
                Words("笔数", "Count"),
                Words("合计（元）", "Total"),
                Words("一致（元）", "Matched"),
                Words("差异（元）", "Different"),
                Words("待定（元）", "Waiting"),
                Words("未解释（元）", "Unexplained"),
            ],
            1,
        )?;
        for (leg, balance) in sides {
            let Some(balance) = balance else { continue };
            self.label(match leg {
                Leg::BillPayments => Words("账单支付", "Bill: payments"),
                Leg::BookPayments => Words("账簿支付", "Books: payments"),
                Leg::BillRefunds => Words("账单退款", "Bill: refunds"),
                Leg::BookRefunds => Words("账簿退款", "Books: refunds"),
            })?;
            self.count(1, balance.total.count)?;
            let parts = [balance.total, balance.matched, balance.side.different, balance.side.waiting];
            for (column, part) in (2_u16..).zip(parts) {
                self.amount(column, part.sum)?;
            }
            if let Some(rest) = balance.rest {
                self.rest(6, rest)?;
            }
            self.row += 1;
        }
        Ok(())
    }

    /// The columns from `first_number` on hold numbers.
    fn titles(&mut self, titles: &[Words], first_number: usize) -> Result<(), XlsxError> {
        put_titles(&mut self.sheet, self.row, titles, first_number..titles.len(), self.formats)?;
        self.row += 1;
        Ok(())
    }

    fn label(&mut self, label: Words) -> Result<(), XlsxError> {
        self.text(0, &label.both())
    }

    fn text(&mut self, column: u16, text: &str) -> Result<(), XlsxError> {
        put_text(&mut self.sheet, self.row, column, text, &self.formats.text)
    }

    fn count(&mut self, column: u16, count: i64) -> Result<(), XlsxError> {
        put_count(&mut self.sheet, self.row, column, count, self.formats)
    }

    fn amount(&mut self, column: u16, amount: Fen) -> Result<(), XlsxError> {
        self.money(column, amount, &self.formats.amount)
    }

    /// A sum that should be nothing.
    fn rest(&mut self, column: u16, amount: Fen) -> Result<(), XlsxError> {
        let format = if amount == Fen::ZERO { &self.formats.amount } else { &self.formats.wrong };
        self.money(column, amount, format)
    }

    fn money(&mut self, column: u16, amount: Fen, format: &Format) -> Result<(), XlsxError> {
        put_amount(&mut self.sheet, self.row, column, amount, format)
    }
}

/// Everything that moved on the account; `None` when it does not fit.
pub(super) fn moved(account: &Account) -> Option<Fen> {
    account.movements.iter().try_fold(Fen::ZERO, |sum, moved| sum.checked_add(Fen::new(moved.sum_fen)))
}

/// Opening and movements less closing: nothing, or the file would have been refused.
fn unexplained(account: &Account, moved: Option<Fen>) -> Option<Fen> {
    let (opening, closing) = (Fen::new(account.opening_fen?), Fen::new(account.closing_fen?));
    opening.checked_add(moved?)?.checked_sub(closing)
}

#[cfg(test)]
mod tests {
    use proto::reconcile::v1::Movements;

    use super::*;

    #[test]
    fn an_account_explains_its_closing_balance_by_what_moved() {
        let movements = [(990, true), (-90, true), (-500, false)];
        let movements = movements.map(|(sum_fen, of_trades)| Movements { sum_fen, of_trades, ..Movements::default() });
        let mut account = Account {
            opening_fen: Some(100),
            closing_fen: Some(500),
            movements: movements.to_vec(),
            ..Account::default()
        };
        assert_eq!(unexplained(&account, moved(&account)), Some(Fen::ZERO));
        account.closing_fen = Some(499);
        assert_eq!(unexplained(&account, moved(&account)), Some(Fen::new(1)));
        account.opening_fen = None;
        assert_eq!(unexplained(&account, moved(&account)), None);
    }
}

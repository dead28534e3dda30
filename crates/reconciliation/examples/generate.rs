//! Writes a large day: a trade bill in the provider's form and our own two files, of which nearly everything agrees.
//!
//! ```text
//! generate FOLDER ROWS [DAY]
//! ```
//! `DAY` is a date in Beijing such as `2026-11-28`, which is also what it is by itself.
//!
//! `trade.csv` has `ROWS` rows, one in fifty a refund, in the order of their times. `payments.tsv` and `refunds.tsv` are sorted by
//! the provider's number, as reconcile-svc writes them. `funds.csv` has what moved on the basic account: each row's principal, and
//! behind it its fee, unless that is less than half a fen. Of 3,900 payments one is only in the bill, one only in our books, one has
//! another amount, and one did not move: a thousand differences in a million rows. The same arguments give the same bytes.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use money::{Fen, MilliFen};
use reconciliation::books::{BookPayment, BookRefund, Fact, OrderState, RefundCause, RefundState, Taken, TakenAs};
use wechat_pay::bill::{BillRefund, BillState, TradeBillWriter, TradeRow};
use wechat_pay::fund_flow::{Direction, FundFlowWriter, Movement};
use wechat_pay::time;
use wechat_pay::v2::OpenId;

/// Of so many rows one is a refund.
const ROWS_PER_REFUND: u64 = 50;

/// Of so many payments one differs in each of four ways.
const DIFFERENT: u64 = 3_900;

/// What people sell; names hold commas.
const GOODS: [&str; 8] =
    ["苹果", "咖啡, 大杯", "会员月卡", "Coffee", "地铁充值", "午餐套餐A,加饮料", "图书 «平凡的世界»", "话费"];

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("which folder?")?;
    let rows: u64 = arguments.next().context("how many rows?")?.parse().context("how many rows?")?;
    let date = arguments.next().map_or(Ok(date(2026, 11, 28)), |day| day.parse()).context("which day?")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let day = Day { date, payments: rows - rows / ROWS_PER_REFUND, refunds: rows / ROWS_PER_REFUND };
    day.bill(&folder.join("trade.csv"))?;
    day.fund_flow(&folder.join("funds.csv"))?;
    let mut file = BufWriter::new(File::create(folder.join("payments.tsv"))?);
    for at in 0..day.payments {
        if at % DIFFERENT != 1 {
            file.write_all(day.book_payment(at).to_line().as_bytes())?;
        }
    }
    file.flush()?;
    let mut file = BufWriter::new(File::create(folder.join("refunds.tsv"))?);
    for at in 0..day.refunds {
        file.write_all(day.book_refund(at).to_line().as_bytes())?;
    }
    Ok(file.flush()?)
}

/// A day of so many payments and refunds. Everything about one follows from its number.
struct Day {
    date: Date,
    payments: u64,
    refunds: u64,
}

impl Day {
    fn bill(&self, path: &Path) -> anyhow::Result<()> {
        let mut bill = TradeBillWriter::new(BufWriter::with_capacity(1 << 20, File::create(path)?))?;
        for row in self.rows() {
            bill.row(&row)?;
        }
        bill.finish()?;
        Ok(())
    }

    /// Those of the bill, in its order.
    fn rows(&self) -> impl Iterator<Item = TradeRow> {
        let rows = self.payments + self.refunds;
        (0..rows).filter_map(move |place| {
            // Times have another order than numbers. The step has no factor in common with any number of rows used here.
            let at = place.wrapping_mul(7_368_787) % rows;
            if self.payments <= at {
                return Some(self.refund(at - self.payments, place, rows));
            }
            (at % DIFFERENT != 2).then(|| self.payment(at, place, rows))
        })
    }

    fn fund_flow(&self, path: &Path) -> anyhow::Result<()> {
        let mut flow = FundFlowWriter::new(BufWriter::with_capacity(1 << 20, File::create(path)?))?;
        let unmoved: HashSet<String> =
            (0..self.payments).filter(|at| at % DIFFERENT == 4).map(|at| self.transaction_id(at)).collect();
        let (mut balance, mut written) = (100_000_000_000, 0_u64);
        for row in self.rows().filter(|row| row.refund.is_some() || !unmoved.contains(&row.transaction_id)) {
            for (word, fen) in moved(&row).into_iter().filter(|(_, fen)| *fen != 0) {
                balance += fen;
                written += 1;
                let (number, voucher, remark) = match &row.refund {
                    Some(refund) => (&refund.refund_id, &refund.out_refund_no, "缺货"),
                    None => (&row.transaction_id, &row.out_trade_no, ""),
                };
                flow.row(&Movement {
                    line: 0,
                    booked_at: row.trade_time,
                    number: number.clone(),
                    flow_number: flow_number(written),
                    name: word.to_owned(),
                    kind: word.to_owned(),
                    direction: if 0 < fen { Direction::In } else { Direction::Out },
                    amount: Fen::new(fen.abs()),
                    balance: Fen::new(balance),
                    by: "system".to_owned(),
                    remark: remark.to_owned(),
                    voucher: voucher.clone(),
                })?;
            }
        }
        flow.finish()?;
        Ok(())
    }

    fn payment(&self, at: u64, place: u64, rows: u64) -> TradeRow {
        let (amount, coupon) = (amount(at), coupon(at));
        let settled = Fen::new(amount.get() - coupon.get());
        TradeRow {
            trade_time: moment(self.date, place, rows),
            appid: "wx8888888888888888".to_owned(),
            mch_id: "1900000109".to_owned(),
            sub_mch_id: None,
            device_info: if at.is_multiple_of(3) { String::new() } else { format!("POS-{:03}", at % 700) },
            transaction_id: self.transaction_id(at),
            out_trade_no: our_number(at, 1),
            openid: OpenId::new(format!("o{:027}", mixed(at % 3_000_000))),
            trade_type: ["JSAPI", "NATIVE", "APP", "MICROPAY"][index(at, 4)].to_owned(),
            state: BillState::Success,
            bank_type: ["OTHERS", "CMB_DEBIT", "ICBC_CREDIT", "CCB_DEBIT", "SPDB_CREDIT"][index(at, 5)].to_owned(),
            fee_type: "CNY".to_owned(),
            total_fee: amount,
            settlement_total_fee: settled,
            coupon_fee: coupon,
            refund: None,
            body: GOODS[index(at, 8)].to_owned(),
            attach: format!("shop-{}", mixed(at) % 9_000),
            fee: MilliFen::new(settled.get() * 6),
            rate: "0.60%".to_owned(),
            rate_note: String::new(),
        }
    }

    fn refund(&self, at: u64, place: u64, rows: u64) -> TradeRow {
        let of = at * (ROWS_PER_REFUND - 1);
        let whole = self.payment(of, place, rows);
        let amount = refunded(of);
        TradeRow {
            state: BillState::Refund,
            total_fee: Fen::ZERO,
            settlement_total_fee: Fen::ZERO,
            coupon_fee: Fen::ZERO,
            fee: MilliFen::new(-amount.get() * 6),
            refund: Some(BillRefund {
                refund_id: refund_id(at),
                out_refund_no: our_number(at, 2),
                refund_fee: amount,
                settlement_refund_fee: amount,
                coupon_refund_fee: Fen::ZERO,
                refund_type: "ORIGINAL".to_owned(),
                refund_status: "PROCESSING".to_owned(),
                applied_at: None,
                succeeded_at: None,
            }),
            ..whole
        }
    }

    fn book_payment(&self, at: u64) -> BookPayment {
        let more = i64::from(at % DIFFERENT == 3);
        let amount = Fen::new(amount(at).get() + more);
        BookPayment {
            out_trade_no: our_number(at, 1),
            transaction_id: self.transaction_id(at),
            issued: Some(amount),
            taken: Some(Taken { amount, taken_as: TakenAs::Paid }),
            fact: Some(Fact { amount, payer: Fen::new(amount.get() - coupon(at).get()), ripe: true }),
            paid_date: self.date,
            billed_on: None,
            billed: None,
            moved_on: None,
            moved: None,
            order: OrderState::Paid,
            given_back: Fen::ZERO,
        }
    }

    fn book_refund(&self, at: u64) -> BookRefund {
        let of = at * (ROWS_PER_REFUND - 1);
        let amount = refunded(of);
        BookRefund {
            out_refund_no: our_number(at, 2),
            refund_id: Some(refund_id(at)),
            out_trade_no: our_number(of, 1),
            transaction_id: self.transaction_id(of),
            amount,
            state: RefundState::Succeeded,
            cause: RefundCause::Requested,
            fact: Some(amount),
            accept_date: Some(self.date),
            billed_on: None,
            moved_on: None,
            moved: None,
        }
    }

    /// Rises with `at`: four digits of the provider's own, the day, and ten digits that leave gaps.
    fn transaction_id(&self, at: u64) -> String {
        let step = 9_999_999_999 / self.payments;
        format!("4200002764{}{:010}", "20261128", at * step + mixed(at) % step)
    }
}

/// How a row's money moves: the kind and how much, negative when it leaves.
fn moved(row: &TradeRow) -> [(&'static str, i64); 2] {
    let charged = |settled: i64| (settled * 6 + 500) / 1000;
    if let Some(refund) = &row.refund {
        let settled = refund.settlement_refund_fee.get();
        return [("退款", -settled), ("返还交易手续费", charged(settled))];
    }
    let settled = row.settlement_total_fee.get();
    [("交易", settled), ("扣除交易手续费", -charged(settled))]
}

/// The merchant, the day, and ten digits that do not rise.
fn flow_number(at: u64) -> String {
    format!("190000010920261128{:010}", at.wrapping_mul(7_368_787) % 10_000_000_000)
}

fn refund_id(at: u64) -> String {
    format!("503002076420261128{:011}", at * 40_009)
}

/// 32 hex digits that do not rise with `at`.
fn our_number(at: u64, kind: u64) -> String {
    format!("019ac7{:010x}{:016x}", mixed(at) >> 24, mixed(at ^ kind << 56))
}

/// Most amounts are small.
fn amount(at: u64) -> Fen {
    let random = mixed(at);
    let limit = [500, 2_000, 10_000, 100_000][index(random >> 32, 4)];
    Fen::new(i64::try_from(1 + random % limit).expect("it is small"))
}

fn coupon(at: u64) -> Fen {
    let whole = amount(at).get();
    Fen::new(if at % 17 == 5 { whole / 4 } else { 0 })
}

fn refunded(of: u64) -> Fen {
    let paid = amount(of).get() - coupon(of).get();
    Fen::new((paid / 2).max(1))
}

/// A moment of the day in Beijing.
fn moment(date: Date, place: u64, rows: u64) -> Timestamp {
    let start = time::day_start(date).expect("the day is in the calendar");
    start + SignedDuration::from_secs(i64::try_from(place * 86_400 / rows).expect("a day is short"))
}

fn index(random: u64, length: u64) -> usize {
    usize::try_from(random % length).expect("it is small")
}

/// A number without any pattern, always the same for one `at`.
fn mixed(at: u64) -> u64 {
    let mut random = at.wrapping_add(0x9e37_79b9_7f4a_7c15);
    random = (random ^ random >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    random = (random ^ random >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    random ^ random >> 31
}

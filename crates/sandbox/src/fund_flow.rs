//! The fund flow of a day: every movement of a merchant's money, with the balance after it. Written from the same ledger
//! as the trade bill, so that each proves the other.
//!
//! The basic account takes what payers pay and gives what goes back to them; WeChat's fee leaves it beside each payment
//! and comes back beside each refund. A trade bill says fees in thousandths of a fen, an account only has whole fen: each
//! is the bill's fee of the same row, rounded half up. Red packets leave the operation account. The fees account is for
//! merchants who settle fees apart, which nobody here does.

use std::io::{self, Write as _};

use jiff::{SignedDuration, Timestamp, civil::Date};
use money::Fen;
use wechat_pay::time;

use crate::{
    control::{Fault, RefundSource},
    ledger::{Ledger, Order, OtherMovement, Refund},
    spoiled,
};

/// WeChat keeps six fen of a thousand.
const FEE_PER_MILLE: i64 = 6;

/// The columns, in order.
const HEADER: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,\
                      备注,业务凭证号";

/// The columns of the summary.
const SUMMARY: &str = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";

/// What the summary begins with. A row cannot, because its values follow backticks.
const SUMMARY_START: &str = "\n资金流水总笔数";

/// Whose flow is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Account {
    Basic,
    Operation,
    Fees,
}

impl Account {
    pub(crate) const ALL: [Account; 3] = [Account::Basic, Account::Operation, Account::Fees];

    /// WeChat's word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Account::Basic => "Basic",
            Account::Operation => "Operation",
            Account::Fees => "Fees",
        }
    }
}

/// Whose movements are asked for: a merchant's, or of a service provider those of all its sub-merchants or of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whose<'a> {
    pub(crate) mch_id: &'a str,
    pub(crate) sub_mch_id: Option<&'a str>,
}

/// One movement.
#[derive(Clone, Debug)]
pub(crate) struct Movement {
    at: Timestamp,
    /// WeChat's number of what moved the money.
    number: String,
    name: String,
    /// Positive comes in, negative goes out.
    amount: Fen,
    by: String,
    remark: String,
    voucher: String,
    /// The balance knows of it, and no file.
    hidden: bool,
}

/// A movement with its number and the balance after it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    movement: Movement,
    flow_number: String,
    balance: Fen,
}

/// The movements of a day, oldest first, as they were known at `made_at`.
pub(crate) fn of_day(ledger: &Ledger, whose: Whose<'_>, account: Account, day: Date, made_at: Timestamp) -> Vec<Line> {
    let mch_id = whose.mch_id;
    let mut movements = match account {
        Account::Basic => basic(ledger, whose),
        Account::Operation => operation(ledger, mch_id, made_at),
        Account::Fees => Vec::new(),
    };
    movements.extend(others(ledger, whose, account));
    movements.sort_by_key(|movement| movement.at);
    let mut balance = Fen::ZERO;
    let mut lines = Vec::new();
    for (at, movement) in movements.into_iter().enumerate() {
        balance = balance.checked_add(movement.amount).expect("a ledger of limited size holds no such sum");
        let moved_on = time::bill_date(movement.at);
        if moved_on == day && !movement.hidden {
            let flow_number = format!("{mch_id}{}{at:010}", time::print_date(moved_on));
            lines.push(Line { movement, flow_number, balance });
        }
    }
    lines
}

fn basic(ledger: &Ledger, Whose { mch_id, sub_mch_id }: Whose<'_>) -> Vec<Movement> {
    let is_meant = |order: &&Order| sub_mch_id.is_none_or(|number| order.sub_mch_id() == Some(number));
    ledger.orders_of(mch_id).filter(is_meant).flat_map(|order| of_order(ledger, order)).collect()
}

fn of_order(ledger: &Ledger, order: &Order) -> Vec<Movement> {
    let Some(payment) = &order.payment else { return Vec::new() };
    let (number, voucher) = (payment.transaction_id.as_str(), order.out_trade_no.as_str());
    let said = &order.misbilling;
    let (amount, paid_at) = (said.amount.unwrap_or(payment.amount), said.at(payment.paid_at));
    let mut movements = Vec::new();
    if !said.left_out && !said.left_out_of_funds {
        let mut moves = Moves { into: &mut movements, by: "system".to_owned(), number, voucher };
        moves.enter(paid_at, "交易", amount, "");
        moves.enter(paid_at, "扣除交易手续费", negative(fee(amount)), "");
    }
    let voucher = format!("REF{}", payment.transaction_id);
    if let Some(number) = &said.revoked {
        let by = format!("{}API", order.mch_id);
        let mut moves = Moves { into: &mut movements, by, number, voucher: &voucher };
        moves.enter(paid_at, "撤销", negative(amount), "");
        moves.enter(paid_at, "返还交易手续费", fee(amount), "");
    }
    if let Some((reversal, number)) =
        order.reversal.as_ref().and_then(|reversal| Some((reversal, reversal.refund_id.as_deref()?)))
    {
        let by = format!("{}API", order.mch_id);
        let mut moves = Moves { into: &mut movements, by, number, voucher: &voucher };
        moves.enter(reversal.at, "撤销", negative(payment.amount), "");
        moves.enter(reversal.at, "返还交易手续费", fee(payment.amount), "");
    }
    for refund in ledger.refunds_of(order) {
        of_refund(order, refund, &voucher, &mut movements);
    }
    movements
}

fn of_refund(order: &Order, refund: &Refund, voucher: &str, movements: &mut Vec<Movement>) {
    let said = &refund.misbilling;
    if said.left_out || said.left_out_of_funds {
        return;
    }
    let (amount, at) = (said.amount.unwrap_or(refund.amount), said.at(refund.created_at));
    let by = match refund.source {
        RefundSource::Api => format!("{}API", order.mch_id),
        RefundSource::VendorPlatform => order.mch_id.clone(),
    };
    let remark = refund.requested("refund_desc").unwrap_or_default();
    let mut moves = Moves { into: movements, by, number: &refund.refund_id, voucher };
    moves.enter(at, "退款", negative(amount), remark);
    moves.enter(at, "返还交易手续费", fee(amount), "");
    if let Some(at) = refund.closed_at() {
        moves.enter(at, "退款关闭", amount, "");
        moves.enter(at, "扣除交易手续费", negative(fee(amount)), "");
    }
}

fn operation(ledger: &Ledger, mch_id: &str, made_at: Timestamp) -> Vec<Movement> {
    let mut movements = Vec::new();
    for packet in ledger.red_packets.of(mch_id) {
        let (number, voucher) = (packet.detail_id.as_str(), packet.content.mch_billno.as_str());
        let by = format!("{mch_id}API");
        let mut moves = Moves { into: &mut movements, by, number, voucher };
        moves.enter(packet.sent_at, "现金红包", negative(packet.content.amount), &packet.content.act_name);
        if let Some(at) = packet.back_at(made_at) {
            moves.enter(at, "现金红包退款", packet.content.amount, "");
        }
    }
    movements
}

/// Withdrawals, complaints and whatever else a command moved.
fn others<'a>(ledger: &'a Ledger, whose: Whose<'a>, account: Account) -> impl Iterator<Item = Movement> {
    let is_meant = move |moved: &&OtherMovement| {
        moved.account == account
            && moved.mch_id == whose.mch_id
            && whose.sub_mch_id.is_none_or(|number| moved.sub_mch_id.as_deref() == Some(number))
    };
    ledger.movements().filter(is_meant).map(|moved| Movement {
        at: moved.at,
        number: moved.number.clone(),
        name: moved.kind.clone(),
        amount: moved.amount,
        by: "system".to_owned(),
        remark: moved.remark.clone(),
        voucher: moved.number.clone(),
        hidden: moved.hidden,
    })
}

/// Movements about the same thing.
struct Moves<'a> {
    into: &'a mut Vec<Movement>,
    by: String,
    number: &'a str,
    voucher: &'a str,
}

impl Moves<'_> {
    /// Enters a movement, unless nothing moves.
    fn enter(&mut self, at: Timestamp, name: &'static str, amount: Fen, remark: &str) {
        if amount != Fen::ZERO {
            self.into.push(Movement {
                at,
                number: self.number.to_owned(),
                name: name.to_owned(),
                hidden: false,
                amount,
                by: self.by.clone(),
                remark: remark.to_owned(),
                voucher: self.voucher.to_owned(),
            });
        }
    }
}

/// The fee of an amount in whole fen, rounded half up.
fn fee(amount: Fen) -> Fen {
    Fen::new((amount.get().saturating_mul(FEE_PER_MILLE) + 500) / 1_000)
}

fn negative(amount: Fen) -> Fen {
    amount.checked_neg().expect("amounts are far from the smallest number")
}

/// Writes a flow of at least one line, spoiled by `fault`.
pub(crate) fn write(mut lines: Vec<Line>, fault: Option<&Fault>) -> io::Result<Vec<u8>> {
    match fault {
        Some(Fault::Empty) => return Ok(Vec::new()),
        Some(Fault::ExtraRow) => {
            if let Some(mut extra) = lines.first().cloned() {
                extra.flow_number.push('9');
                extra.movement.number.push('9');
                lines.push(extra);
            }
        }
        Some(Fault::MissingRow) => drop(lines.remove(0)),
        Some(Fault::OtherDay) => {
            for line in &mut lines {
                line.movement.at -= SignedDuration::from_hours(24);
            }
        }
        Some(Fault::HostileNames) => {
            for line in &mut lines {
                spoiled::MARK.clone_into(&mut line.movement.remark);
            }
        }
        _ => {}
    }
    let mut file = Vec::new();
    write!(file, "\u{feff}{HEADER}\r\n")?;
    for (at, line) in lines.iter().enumerate() {
        // The altered row stands above the sums of the right ones.
        let more = i64::from(at == 0 && fault == Some(&Fault::AlterAmount));
        write_line(&mut file, line, more)?;
    }
    let sum = |is_meant: fn(Fen) -> bool| {
        let amounts = lines.iter().map(|line| line.movement.amount).filter(|amount| is_meant(*amount));
        amounts.fold((0_u64, Fen::ZERO), |(count, sum), amount| {
            (count + 1, sum.checked_add(absolute(amount)).expect("a ledger of limited size holds no such sum"))
        })
    };
    let ((incomes, income), (spendings, spent)) = (sum(Fen::is_positive), sum(|amount| !amount.is_positive()));
    let (income, spent) = (income.to_yuan(), spent.to_yuan());
    write!(file, "{SUMMARY}\r\n`{}.0,`{incomes}.0,`{income},`{spendings}.0,`{spent}\r\n", lines.len())?;
    let text = String::from_utf8(file).expect("the flow is written from texts");
    Ok(spoiled::text(text, SUMMARY_START, fault))
}

fn write_line(file: &mut Vec<u8>, line: &Line, more_fen: i64) -> io::Result<()> {
    let Line { movement, flow_number, balance } = line;
    let direction = if movement.amount.is_positive() { "收入" } else { "支出" };
    let amount = absolute(movement.amount).checked_add(Fen::new(more_fen)).unwrap_or(Fen::ZERO);
    let cells = [
        time::print_spaced(movement.at),
        movement.number.clone(),
        flow_number.clone(),
        movement.name.clone(),
        movement.name.clone(),
        direction.to_owned(),
        amount.to_yuan(),
        balance.to_yuan(),
        movement.by.clone(),
        // The format cannot carry these.
        movement.remark.replace(char::is_control, " ").replace(",`", ", `"),
        movement.voucher.clone(),
    ];
    write!(file, "`{}\r\n", cells.join(",`"))
}

fn absolute(amount: Fen) -> Fen {
    if amount.is_positive() { amount } else { negative(amount) }
}

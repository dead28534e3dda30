//! Files become rows, rows become groups, and groups that are plainly equal become sums.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use money::{Fen, MilliFen};

use crate::books::{BookPayment, BookRefund};
use crate::fast::{self, Basic, Sharing, Sifted};
use crate::findings::Findings;
use crate::funds::{self, AccountFlow, Movement};
use crate::group::{PaymentGroup, RefundGroup, likeness};
use crate::judge::{Judge, Known, KnownTrade, MovementsJudged, unexplained};
use crate::movement_kind::Kind;
use crate::trade::{self, BillRow, RowKind};
use crate::{AccountKind, Closings, FundFile, Inputs, MAX_DIFFERENCES, MovementState, Questions, Refused, Tally};

/// A day whose files were read, controlled and joined. What is left are the groups in which something is to be told or asked.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    pub(crate) judge: Judge,
    pub(crate) closings: Closings,
    /// Sums of the groups that are plainly equal, and what movements tell by themselves.
    pub(crate) findings: Findings,
    pub(crate) revoked: Tally,
    pub(crate) fee: MilliFen,
    /// Whether the trade bill has any row.
    pub(crate) has_trades: bool,
    pub(crate) payments: Vec<PaymentGroup>,
    pub(crate) refunds: Vec<RefundGroup>,
    /// Movements of the basic account under numbers that are no trade of the bill, by number.
    pub(crate) strays: BTreeMap<String, Vec<Movement>>,
    /// What the day's books have that is not in the bill, by the provider's number.
    pub(crate) not_billed: HashMap<String, Known>,
    pub(crate) accounts: Vec<AccountFlow>,
    files: PhantomData<&'a [u8]>,
}

/// Reads every file of the day, checks the bills and joins all by the provider's numbers.
///
/// # Errors
/// All of [`Refused`]; nothing of any file was used then.
pub fn read<'a>(inputs: &Inputs<'a>) -> Result<Reading<'a>, Refused> {
    read_with(inputs, fast::sift(inputs, Sharing::of_this_machine()))
}

/// Most bytes of a day's files together that become rows in memory, which takes some four times as much.
const MAX_BYTES_AS_ROWS: usize = 1 << 30;

/// A process that dies of a day would take it up again for ever. Of a day that `is_sifted` only the fund flows of the other
/// accounts become rows as a whole.
fn check_size(inputs: &Inputs<'_>, is_sifted: bool) -> Result<(), Refused> {
    let [basic, operation, fees] = inputs.funds.map(|file| match file {
        FundFile::Read(bytes) => bytes.len(),
        FundFile::None | FundFile::NotFetched => 0,
    });
    let sum = |files: &[usize]| files.iter().copied().fold(0, usize::saturating_add);
    let sifted = sum(&[inputs.trade.map_or(0, <[u8]>::len), inputs.payments.len(), inputs.refunds.len(), basic]);
    let as_rows = sum(&[operation, fees, if is_sifted { 0 } else { sifted }]);
    if as_rows <= MAX_BYTES_AS_ROWS {
        return Ok(());
    }
    Err(Refused::TooLarge { mib: sum(&[sifted, operation, fees]) >> 20 })
}

/// Joins what was not put away before; everything, when nothing was.
pub(crate) fn read_with<'a>(inputs: &Inputs<'a>, sifted: Option<Sifted>) -> Result<Reading<'a>, Refused> {
    check_size(inputs, sifted.is_some())?;
    let (sifted, basic, accounts) = if let Some(mut sifted) = sifted {
        let (basic, flow) = sifted.basic.take().map(|Basic { judged, moved, flow }| ((judged, moved), flow)).unzip();
        (sifted, basic, funds::read(inputs, flow)?)
    } else {
        let rows = trade::read(inputs)?;
        let accounts = funds::read(inputs, None)?;
        let book_payments = lines("payments", inputs.payments, BookPayment::parse_line)?;
        let book_refunds = lines("refunds", inputs.refunds, BookRefund::parse_line)?;
        (Sifted { rows, book_payments, book_refunds, ..Sifted::default() }, None, accounts)
    };
    let (movements, moved) = basic.unwrap_or_else(|| (movements_judged(&accounts[0]), Vec::new()));
    let judge = Judge { day: inputs.day, as_of: inputs.as_of, rules: inputs.rules, movements };
    let mut reading = Reading {
        judge,
        closings: inputs.closings,
        findings: Findings::of_agreed(sifted.payments, sifted.refunds, moved),
        revoked: Tally::default(),
        fee: sifted.fee,
        has_trades: !sifted.rows.is_empty() || 0 < sifted.payments.count + sifted.refunds.count,
        payments: Vec::new(),
        refunds: Vec::new(),
        strays: BTreeMap::new(),
        not_billed: HashMap::new(),
        accounts,
        files: PhantomData,
    };
    reading.count_rows(&sifted.rows)?;
    reading.group(sifted.rows, sifted.book_payments, sifted.book_refunds)?;
    Ok(reading)
}

impl Reading<'_> {
    /// What only the books can answer.
    pub fn questions(&self) -> Questions {
        let mut questions = Questions::default();
        for group in self.payments.iter().filter(|group| group.book.is_none()) {
            questions.payments.extend(group.billed.iter().chain(&group.revoked).map(|row| row.out_trade_no.clone()));
        }
        for row in self.refunds.iter().filter(|group| group.book.is_none()).filter_map(|group| group.billed.as_ref()) {
            questions.refunds.extend([row.out_refund_no.clone(), row.refund_id.clone()]);
        }
        questions.movements.extend(self.strays.keys().filter(|number| !self.not_billed.contains_key(*number)).cloned());
        for list in [&mut questions.payments, &mut questions.refunds, &mut questions.movements] {
            list.sort_unstable();
            list.dedup();
            list.retain(|number| !number.is_empty());
        }
        questions
    }

    fn count_rows(&mut self, rows: &[BillRow]) -> Result<(), Refused> {
        for row in rows {
            if row.kind == RowKind::Revoked {
                self.revoked.add(row.amount)?;
            }
            self.fee = self
                .fee
                .checked_add(row.fee)
                .ok_or_else(|| Refused::Control("the sum of all fees is larger than any amount of money".to_owned()))?;
        }
        Ok(())
    }

    fn group(
        &mut self,
        rows: Vec<BillRow>,
        payments: Vec<BookPayment>,
        refunds: Vec<BookRefund>,
    ) -> Result<(), Refused> {
        let mut payments = self.group_payments(payments)?;
        let mut refunds = self.group_refunds(refunds)?;
        let mut guessed = Vec::new();
        for row in rows {
            let place = match row.kind {
                RowKind::Payment => &mut payments.entry(payment_key(&row)).or_default().billed,
                RowKind::Revoked => &mut payments.entry(payment_key(&row)).or_default().revoked,
                RowKind::Refund if refunds.without_refund_id.contains_key(&row.out_refund_no) => {
                    guessed.push(row);
                    continue;
                }
                RowKind::Refund => &mut refunds.of_row(&row).billed,
            };
            *place = Some(row);
        }
        let ours = &refunds.without_refund_id;
        guessed.sort_by(|a, b| likeness(a, ours[&a.out_refund_no]).cmp(&likeness(b, ours[&b.out_refund_no])));
        for row in guessed {
            let group = refunds.of_row(&row);
            group.billed = Some(row);
        }
        let mut refunds = refunds.groups;
        self.deal_out_movements(&mut payments, &mut refunds)?;
        for group in payments.into_values() {
            if group.amounts().is_some_and(|amounts| self.judge.is_plain_payment(&amounts)) {
                let judgement = self.judge.payment(&group, None);
                debug_assert!(judgement.is_plain(), "{judgement:?} of {group:?}");
                self.findings.payment(judgement)?;
            } else {
                self.payments.push(group);
            }
        }
        for group in refunds.into_values() {
            if group.amounts().is_some_and(|amounts| self.judge.is_plain_refund(&amounts)) {
                let judgement = self.judge.refund(&group, false);
                debug_assert!(judgement.is_plain(), "{judgement:?} of {group:?}");
                self.findings.refund(judgement)?;
            } else {
                self.refunds.push(group);
            }
        }
        self.note_not_billed();
        let unknown = self.payments.iter().filter(|group| group.book.is_none()).count()
            + self.refunds.iter().filter(|group| group.book.is_none()).count();
        if MAX_DIFFERENCES < unknown || MAX_DIFFERENCES < self.strays.len() {
            return Err(Refused::TooManyDifferences);
        }
        Ok(())
    }

    fn group_payments(&self, books: Vec<BookPayment>) -> Result<BTreeMap<PaymentKey, PaymentGroup>, Refused> {
        let mut groups: BTreeMap<PaymentKey, PaymentGroup> = BTreeMap::new();
        for book in books {
            if book.paid_date != self.judge.day {
                return Err(Refused::Books("payments: one of another day".to_owned()));
            }
            let key = (book.transaction_id.clone(), book.out_trade_no.clone());
            if groups.entry(key).or_default().book.replace(book).is_some() {
                return Err(Refused::Books("payments: one stands there twice".to_owned()));
            }
        }
        Ok(groups)
    }

    fn group_refunds(&self, books: Vec<BookRefund>) -> Result<RefundGroups, Refused> {
        let mut refunds = RefundGroups::default();
        for book in books {
            if book.accept_date != Some(self.judge.day) {
                return Err(Refused::Books("refunds: one of another day".to_owned()));
            }
            if book.refund_id.is_none() {
                refunds.without_refund_id.insert(book.out_refund_no.clone(), book.amount);
            }
            let key = (book.refund_id.clone().unwrap_or_default(), book.out_refund_no.clone());
            if refunds.groups.entry(key).or_default().book.replace(book).is_some() {
                return Err(Refused::Books("refunds: one stands there twice".to_owned()));
            }
        }
        Ok(refunds)
    }

    /// Gives every movement of the basic account to the group whose row it is under; the others stay strays, but for those that
    /// speak for themselves.
    fn deal_out_movements(
        &mut self,
        payments: &mut BTreeMap<PaymentKey, PaymentGroup>,
        refunds: &mut BTreeMap<RefundKey, RefundGroup>,
    ) -> Result<(), Refused> {
        let mut by_number: BTreeMap<String, Vec<Movement>> = BTreeMap::new();
        for movement in std::mem::take(&mut self.accounts[0].movements) {
            by_number.entry(movement.number.clone()).or_default().push(movement);
        }
        for group in payments.values_mut() {
            if let Some(row) = group.billed.as_ref().or(group.revoked.as_ref()) {
                group.movements = by_number.remove(&row.transaction_id).unwrap_or_default();
            }
            if let Some(row) = group.revoked.as_ref().filter(|row| !row.refund_id.is_empty()) {
                group.reversal_movements = by_number.remove(&row.refund_id).unwrap_or_default();
            }
        }
        for group in refunds.values_mut() {
            if let Some(row) = &group.billed {
                group.movements = by_number.remove(&row.refund_id).unwrap_or_default();
            }
        }
        for (number, movements) in by_number {
            let of_trades = |movement: &Movement| !matches!(Kind::of(&movement.kind), Kind::Ordinary | Kind::Other);
            let (asked, told): (Vec<_>, Vec<_>) = movements.into_iter().partition(of_trades);
            for movement in told {
                self.findings.add(unexplained(AccountKind::Basic, &movement))?;
            }
            if !asked.is_empty() {
                self.strays.insert(number, asked);
            }
        }
        for flow in &mut self.accounts[1..] {
            for movement in std::mem::take(&mut flow.movements) {
                self.findings.add(unexplained(flow.account, &movement))?;
            }
        }
        Ok(())
    }

    fn note_not_billed(&mut self) {
        for book in self.payments.iter().filter(|group| !group.is_in_bill()).filter_map(|group| group.book.as_ref()) {
            self.not_billed.insert(book.transaction_id.clone(), known_payment(book));
        }
        for book in self.refunds.iter().filter(|group| group.billed.is_none()).filter_map(|group| group.book.as_ref()) {
            self.not_billed.extend(known_refund(book));
        }
    }
}

/// The provider's number and ours.
type PaymentKey = (String, String);
type RefundKey = (String, String);

fn payment_key(row: &BillRow) -> PaymentKey {
    (row.transaction_id.clone(), row.out_trade_no.clone())
}

#[derive(Default)]
struct RefundGroups {
    groups: BTreeMap<RefundKey, RefundGroup>,
    /// Our numbers of refunds whose number of the provider our books do not know, and what goes back.
    without_refund_id: HashMap<String, Fen>,
}

impl RefundGroups {
    fn of_row(&mut self, row: &BillRow) -> &mut RefundGroup {
        let key = (row.refund_id.clone(), row.out_refund_no.clone());
        if !self.groups.contains_key(&key) && self.without_refund_id.remove(&row.out_refund_no).is_some() {
            let group = self.groups.remove(&(String::new(), row.out_refund_no.clone())).unwrap_or_default();
            self.groups.insert(key.clone(), group);
        }
        self.groups.entry(key).or_default()
    }
}

pub(crate) fn known_payment(book: &BookPayment) -> Known {
    let moved = book.moved.map_or(Fen::ZERO, |moved| moved.principal);
    Known { trade: KnownTrade::Payment, amount: book.amount(), date: book.paid_date, moved }
}

/// `None` for a refund that the provider has not accepted: no money moves for it.
pub(crate) fn known_refund(book: &BookRefund) -> Option<(String, Known)> {
    let (number, date) = (book.refund_id.clone()?, book.accept_date?);
    let moved = book.moved.map_or(Fen::ZERO, |moved| moved.principal);
    Some((number, Known { trade: KnownTrade::Refund, amount: book.amount, date, moved }))
}

fn movements_judged(basic: &AccountFlow) -> MovementsJudged {
    match basic.state {
        MovementState::NotFetched | MovementState::None => MovementsJudged::None,
        MovementState::Read if basic.movements.iter().any(|movement| Kind::of(&movement.kind).is_fee()) => {
            MovementsJudged::All
        }
        MovementState::Read => MovementsJudged::Principal,
    }
}

fn lines<T, E: std::fmt::Display>(name: &str, file: &[u8], read: fn(&str) -> Result<T, E>) -> Result<Vec<T>, Refused> {
    let text = std::str::from_utf8(file).map_err(|_| Refused::Books(format!("{name}: not UTF-8")))?;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(Refused::Books(format!("{name}: the last line has no end")));
    }
    let numbered = text.split_terminator('\n').enumerate();
    numbered
        .map(|(at, line)| read(line).map_err(|error| Refused::Books(format!("{name}, line {}: {error}", at + 1))))
        .collect()
}

//! One row of a trade bill, from bytes to an entry.

use money::{Fen, MilliFen};
use wechat_pay::bill::{BillState, TradeRow};
use wechat_pay::time;

use super::cells::{Cells, Values, is_same};
use super::layout::{Layout, Places};
use super::numbers::{digits, hex, milli_fen, yuan};
use super::table::{Amounts, Bins, Entry, Marks};
use super::{DayText, LINE, Splits, day_text, is_on};
use crate::Inputs;
use crate::books::{Fact, RefundState, Taken, TakenAs};
use crate::judge::{Judge, PlainMoved, PlainPayment, PlainRefund};
use crate::rate::Rate;
use crate::trade::{self, BillRow};

/// How many rows are looked at before all are read.
const SAMPLES: usize = 8192;

/// How far they are apart at least: a small day is one partition.
const MIN_STEP: usize = 4096;

/// What a thread found.
pub(super) struct Found {
    pub(super) bins: Bins,
    /// Rows that are no entries, and where they begin.
    pub(super) loose: Vec<(usize, BillRow)>,
    /// The provider's numbers of payments that the bill takes back, and of what takes them back.
    pub(super) taken_back: Vec<u128>,
    pub(super) sums: Sums,
    cells: Cells,
    /// The last rate: nearly every row has the same.
    rate: (Vec<u8>, Rate),
}

/// Sums of rows, as the bill's own summary has them. No amount has more than eleven digits and no bill more than a hundred million
/// rows, so nothing overflows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) rows: u64,
    pub(super) settled: i64,
    pub(super) settled_refund: i64,
    pub(super) coupon_refund: i64,
    pub(super) fee: i64,
    pub(super) amount: i64,
    pub(super) refund: i64,
}

/// Reads rows of one bill.
pub(super) struct RowReader<'a> {
    file: &'a [u8],
    layout: &'a Layout,
    inputs: &'a Inputs<'a>,
    judge: &'a Judge,
    day: DayText,
}

impl<'a> RowReader<'a> {
    pub(super) fn new(
        file: &'a [u8],
        layout: &'a Layout,
        inputs: &'a Inputs<'a>,
        judge: &'a Judge,
    ) -> Option<RowReader<'a>> {
        Some(RowReader { file, layout, inputs, judge, day: day_text(inputs.day)? })
    }

    /// The keys of rows here and there.
    pub(super) fn some_keys(&self) -> Vec<u128> {
        let rows = &self.layout.rows;
        let step = (rows.len() / SAMPLES).max(MIN_STEP);
        let mut cells = Cells::new(self.layout.columns.width());
        let keys = rows.clone().step_by(step).filter_map(|at| {
            let at = at + memchr::memchr(b'\n', &self.file[at..rows.end])? + 1;
            let bytes = &self.file[at..rows.end];
            cells.cut(bytes, &self.layout.contents)?;
            let values = cells.values(bytes);
            let places = &self.layout.places;
            digits(values.get(places.refund_id)).or_else(|| digits(values.get(places.transaction_id)))
        });
        keys.collect()
    }

    /// What a thread has before its first row.
    pub(super) fn begin(&self, splits: &Splits) -> Found {
        Found {
            bins: Bins::new(splits),
            loose: Vec::new(),
            taken_back: Vec::new(),
            sums: Sums::default(),
            cells: Cells::new(self.layout.columns.width()),
            rate: (Vec::new(), Rate::Untold),
        }
    }

    /// Reads the row with which `bytes` begin, `at` this place of the file. How long it is with its end.
    ///
    /// `None` when the ordinary reader has to say what is wrong with the row.
    pub(super) fn read(&self, found: &mut Found, splits: &Splits, at: usize, bytes: &[u8]) -> Option<usize> {
        // A row whose values seemed to end where those of the row before did is looked at again before it is thought unusual.
        for guesses in [true, false] {
            if !guesses {
                found.cells.forget();
            }
            let Some(length) = found.cells.cut(bytes, &self.layout.contents) else { continue };
            let values = found.cells.values(bytes);
            if let Some((entry, sums)) = self.entry(&mut found.rate, &values, at) {
                found.bins.push(splits, entry);
                found.sums.add(&sums);
                return Some(length);
            }
        }
        self.loose(found, splits, at, bytes)
    }

    /// The entry of a usual row and what it adds to the sums. `None` when something is unusual, or when a value that is no free
    /// text might not end where it seems to.
    fn entry(&self, rate: &mut (Vec<u8>, Rate), values: &Values<'_>, at: usize) -> Option<(Entry, Sums)> {
        let places = &self.layout.places;
        let get = |place| values.get(place);
        let account = &self.inputs.account;
        let sub_mch_id = Some(get(places.sub_mch_id)).filter(|number| *number != b"0").unwrap_or_default();
        let is_ours = is_same(get(places.mch_id), account.mch_id.as_bytes())
            && is_same(sub_mch_id, account.sub_mch_id.as_bytes())
            && is_same(get(places.fee_type), trade::CURRENCY.as_bytes());
        if !is_ours || !values.are_utf8(&self.layout.contents) {
            return None;
        }
        let sums = Sums::of(places, values)?;
        let rate_text = get(places.rate);
        if !is_same(&rate.0, rate_text) {
            if !rate_text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'%')) {
                return None;
            }
            *rate = (rate_text.to_vec(), Rate::parse(std::str::from_utf8(rate_text).ok()?));
        }
        let numbers = (digits(get(places.transaction_id))?, hex(get(places.out_trade_no))?);
        match get(places.state) {
            b"SUCCESS" => self.payment(&sums, rate.1, numbers, values, at),
            b"REFUND" => self.refund(&sums, rate.1, values, at),
            _ => None,
        }
        .map(|entry| (entry, sums))
    }

    fn payment(
        &self,
        sums: &Sums,
        rate: Rate,
        (key, ours): (u128, u128),
        values: &Values<'_>,
        at: usize,
    ) -> Option<Entry> {
        let places = &self.layout.places;
        let is_none = |place| matches!(values.get(place), b"" | b"0");
        let has_refund = !is_none(places.refund_id)
            || !is_none(places.out_refund_no)
            || [sums.settled_refund, sums.coupon_refund, sums.refund] != [0; 3];
        if has_refund || !is_on(&self.day, values.get(places.trade_time)) {
            return None;
        }
        let (amount, coupon) = (yuan(values.get(places.amount))?, yuan(values.get(places.coupon))?);
        let net = amount.checked_sub(coupon);
        // Plain as soon as our books have the same amount and this net one.
        let is_plain = net.is_some_and(|net| {
            let (net, amount) = (Fen::new(i64::from(net)), Fen::new(i64::from(amount)));
            self.judge.is_plain_payment(&PlainPayment {
                amount,
                settled: Fen::new(sums.settled),
                coupon: Fen::new(i64::from(coupon)),
                fee: MilliFen::new(sums.fee),
                rate,
                issued: Some(amount),
                taken: Some(Taken { amount, taken_as: TakenAs::Paid }),
                fact: Some(Fact { amount, payer: net, ripe: true }),
                given_back: Fen::ZERO,
                moved: PlainMoved::default(),
            })
        });
        let (settled, fee) = (u32::try_from(sums.settled).ok()?, i32::try_from(sums.fee));
        let marks = if is_plain && fee.is_ok() { Marks::NONE } else { Marks::NOT_PLAIN };
        let amounts = Amounts { amount, net: net.unwrap_or_default(), settled, fee: fee.unwrap_or_default() };
        Some(Entry::new(key, ours, amounts, at, marks))
    }

    fn refund(&self, sums: &Sums, rate: Rate, values: &Values<'_>, at: usize) -> Option<Entry> {
        let places = &self.layout.places;
        let trade_time = values.get(places.trade_time);
        let is_time = |text| std::str::from_utf8(text).is_ok_and(|text| time::parse_spaced(text).is_ok());
        if !(is_on(&self.day, trade_time) || is_time(trade_time)) {
            return None;
        }
        let (key, ours) = (digits(values.get(places.refund_id))?, hex(values.get(places.out_refund_no))?);
        yuan(values.get(places.coupon))?;
        let amount = yuan(values.get(places.refund))?;
        let refunded = Fen::new(i64::from(amount));
        let is_plain = self.judge.is_plain_refund(&PlainRefund {
            amount: refunded,
            settled: Fen::new(sums.settled_refund),
            fee: MilliFen::new(sums.fee),
            rate,
            book_amount: refunded,
            state: RefundState::Succeeded,
            fact: Some(refunded),
            moved: PlainMoved::default(),
        });
        let (settled, fee) = (u32::try_from(sums.settled_refund).ok()?, i32::try_from(sums.fee));
        let marks = if is_plain && fee.is_ok() { Marks::REFUND } else { Marks::REFUND.and(Marks::NOT_PLAIN) };
        let amounts = Amounts { amount, net: 0, settled, fee: fee.unwrap_or_default() };
        Some(Entry::new(key, ours, amounts, at, marks))
    }

    /// A row that the ordinary reader takes and this one does not know. How long it is with its end.
    fn loose(&self, found: &mut Found, splits: &Splits, at: usize, bytes: &[u8]) -> Option<usize> {
        let (row, length) = self.layout.columns.read_first(LINE, bytes).ok()?;
        let is_foreign = row.mch_id != self.inputs.account.mch_id
            || (row.state == BillState::Success && time::bill_date(row.trade_time) != self.inputs.day);
        if is_foreign {
            return None;
        }
        found.sums.add(&Sums::of_row(&row)?);
        let state = row.state.clone();
        let row = trade::known(row, self.inputs).ok()?;
        let key = digits(row.number().as_bytes());
        match (state, key) {
            // It is an entry for the sake of finding a second one under its number.
            (BillState::Success, Some(key)) => {
                found.bins.push(splits, Entry::new(key, 0, Amounts::default(), at, Marks::NOT_PLAIN));
            }
            (BillState::Refund, Some(key)) => {
                let marks = Marks::REFUND.and(Marks::NOT_PLAIN);
                found.bins.push(splits, Entry::new(key, 0, Amounts::default(), at, marks));
            }
            (state, _) => {
                if state == BillState::Revoked {
                    let numbers = [&row.transaction_id, &row.refund_id];
                    found.taken_back.extend(numbers.into_iter().filter_map(|number| digits(number.as_bytes())));
                }
                found.loose.push((at, row));
            }
        }
        Some(length)
    }

    /// The row that begins `at` this place, whole.
    pub(super) fn reread(&self, at: usize) -> Option<BillRow> {
        let (row, _) = self.layout.columns.read_first(LINE, self.file.get(at..self.layout.rows.end)?).ok()?;
        trade::known(row, self.inputs).ok()
    }
}

impl Sums {
    fn of(places: &Places, values: &Values<'_>) -> Option<Sums> {
        let fen = |place| yuan(values.get(place)).map(i64::from);
        Some(Sums {
            rows: 1,
            settled: fen(places.settled)?,
            settled_refund: fen(places.settled_refund)?,
            coupon_refund: fen(places.coupon_refund)?,
            fee: milli_fen(values.get(places.fee))?,
            amount: fen(places.amount)?,
            refund: fen(places.refund)?,
        })
    }

    /// `None` for amounts so large that the ordinary reader's sums might not hold them.
    fn of_row(row: &TradeRow) -> Option<Sums> {
        const LARGEST: u64 = 10_000_000_000;
        let refund = |amount: fn(&wechat_pay::bill::BillRefund) -> Fen| row.refund.as_ref().map_or(Fen::ZERO, amount);
        let fen = |amount: Fen| Some(amount.get()).filter(|_| amount.get().unsigned_abs() <= LARGEST);
        Some(Sums {
            rows: 1,
            settled: fen(row.settlement_total_fee)?,
            settled_refund: fen(refund(|refund| refund.settlement_refund_fee))?,
            coupon_refund: fen(refund(|refund| refund.coupon_refund_fee))?,
            fee: Some(row.fee.get()).filter(|_| row.fee.get().unsigned_abs() <= LARGEST)?,
            amount: fen(row.total_fee)?,
            refund: fen(refund(|refund| refund.refund_fee))?,
        })
    }

    pub(super) fn add(&mut self, other: &Sums) {
        self.rows += other.rows;
        self.settled += other.settled;
        self.settled_refund += other.settled_refund;
        self.coupon_refund += other.coupon_refund;
        self.fee += other.fee;
        self.amount += other.amount;
        self.refund += other.refund;
    }
}

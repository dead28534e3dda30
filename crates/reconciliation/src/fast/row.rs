//! One row of a trade bill, from bytes to an entry.

use jiff::civil::Date;
use money::{Fen, MilliFen};
use wechat_pay::bill::{BillState, TradeRow};
use wechat_pay::time;

use super::layout::{Layout, Places};
use super::numbers::{digit_of, digits, hex, milli_fen, yuan};
use super::table::{Bins, Entry, Marks};
use crate::Inputs;
use crate::books::{Fact, RefundState, Taken, TakenAs};
use crate::judge::{Judge, PlainMoved, PlainPayment, PlainRefund};
use crate::rate::Rate;
use crate::trade::{self, BillRow};

/// Longer lines are left to the ordinary reader, which has its own limit.
const MAX_LINE_BYTES: usize = 60_000;

/// What a thread found.
pub(super) struct Found {
    pub(super) bins: Bins,
    /// Rows that are no entries, and where they begin.
    pub(super) loose: Vec<(usize, BillRow)>,
    /// The provider's numbers of payments that the bill takes back.
    pub(super) taken_back: Vec<u128>,
    pub(super) sums: Sums,
    /// Where the values of the row at hand begin.
    starts: Vec<usize>,
    /// The last rate: nearly every row has the same.
    rate: (Vec<u8>, Rate),
}

/// Sums of rows, as the bill's own summary has them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) rows: u64,
    pub(super) settled: i128,
    pub(super) settled_refund: i128,
    pub(super) coupon_refund: i128,
    pub(super) fee: i128,
    pub(super) amount: i128,
    pub(super) refund: i128,
}

/// Reads rows of one bill.
pub(super) struct RowReader<'a> {
    file: &'a [u8],
    layout: &'a Layout,
    inputs: &'a Inputs<'a>,
    judge: &'a Judge,
    /// The day as a row has it.
    day: Vec<u8>,
}

/// The values of one row.
struct Values<'r> {
    line: &'r [u8],
    starts: &'r [usize],
}

impl Found {
    pub(super) fn new() -> Found {
        let (bins, loose, taken_back, sums) = (Bins::new(), Vec::new(), Vec::new(), Sums::default());
        Found { bins, loose, taken_back, sums, starts: Vec::new(), rate: (Vec::new(), Rate::Untold) }
    }
}

impl<'a> RowReader<'a> {
    pub(super) fn new(file: &'a [u8], layout: &'a Layout, inputs: &'a Inputs<'a>, judge: &'a Judge) -> RowReader<'a> {
        RowReader { file, layout, inputs, judge, day: day_text(inputs.day) }
    }

    /// Reads the row that begins `at` this place. `line` is without its end.
    ///
    /// `None` when the ordinary reader has to say what is wrong with the row, or whether it is a row at all.
    pub(super) fn read(&self, found: &mut Found, at: usize, line: &[u8]) -> Option<()> {
        if line.first() != Some(&b'`') || MAX_LINE_BYTES < line.len() || std::str::from_utf8(line).is_err() {
            return None;
        }
        let mut starts = std::mem::take(&mut found.starts);
        let is_whole = split(line, &mut starts, self.layout.columns.width());
        let values = Values { line, starts: &starts };
        let done = is_whole.and_then(|()| match self.entry(&mut found.rate, &values, at) {
            Some((entry, sums)) => {
                found.bins.push(entry);
                found.sums.add(&sums);
                Some(())
            }
            None => self.loose(found, at, line),
        });
        found.starts = starts;
        done
    }

    /// The entry of a usual row and what it adds to the sums. `None` when something is unusual.
    fn entry(&self, rate: &mut (Vec<u8>, Rate), values: &Values<'_>, at: usize) -> Option<(Entry, Sums)> {
        let places = &self.layout.places;
        let get = |place| values.get(place);
        let account = &self.inputs.account;
        let sub_mch_id = Some(get(places.sub_mch_id)).filter(|number| *number != b"0").unwrap_or_default();
        let is_ours = get(places.mch_id) == account.mch_id.as_bytes()
            && sub_mch_id == account.sub_mch_id.as_bytes()
            && get(places.fee_type) == trade::CURRENCY.as_bytes();
        if !is_ours || get(places.out_trade_no).is_empty() {
            return None;
        }
        let sums = Sums::of(places, values)?;
        let rate_text = get(places.rate);
        if rate.0 != rate_text {
            *rate = (rate_text.to_vec(), Rate::parse(std::str::from_utf8(rate_text).ok()?));
        }
        match get(places.state) {
            b"SUCCESS" => self.payment(&sums, rate.1, values, at),
            b"REFUND" => self.refund(&sums, rate.1, values, at),
            _ => None,
        }
        .map(|entry| (entry, sums))
    }

    fn payment(&self, sums: &Sums, rate: Rate, values: &Values<'_>, at: usize) -> Option<Entry> {
        let places = &self.layout.places;
        let has_refund = !matches!(values.get(places.refund_id), b"" | b"0")
            || [sums.settled_refund, sums.coupon_refund, sums.refund] != [0; 3];
        if has_refund || !self.is_on_day(values.get(places.trade_time)) {
            return None;
        }
        let key = digits(values.get(places.transaction_id))?;
        let (amount, coupon) = (yuan(values.get(places.amount))?, yuan(values.get(places.coupon))?);
        let ours = hex(values.get(places.out_trade_no));
        let net = amount.checked_sub(coupon);
        // Plain as soon as our books have the same amount and this net one.
        let is_plain = ours.is_some()
            && net.is_some_and(|net| {
                let (net, amount) = (Fen::new(i64::from(net)), Fen::new(i64::from(amount)));
                self.judge.is_plain_payment(&PlainPayment {
                    amount,
                    settled: fen(sums.settled),
                    coupon: Fen::new(i64::from(coupon)),
                    fee: milli(sums.fee),
                    rate,
                    issued: Some(amount),
                    taken: Some(Taken { amount, taken_as: TakenAs::Paid }),
                    fact: Some(Fact { amount, payer: net, ripe: true }),
                    given_back: Fen::ZERO,
                    moved: PlainMoved::default(),
                })
            });
        let marks = if is_plain { Marks::NONE } else { Marks::NOT_PLAIN };
        Some(Entry::new(key, ours.unwrap_or_default(), [amount, net.unwrap_or_default()], at, marks))
    }

    fn refund(&self, sums: &Sums, rate: Rate, values: &Values<'_>, at: usize) -> Option<Entry> {
        let places = &self.layout.places;
        let trade_time = values.get(places.trade_time);
        let is_time = |text| std::str::from_utf8(text).is_ok_and(|text| time::parse_spaced(text).is_ok());
        if values.get(places.transaction_id).is_empty() || !(self.is_on_day(trade_time) || is_time(trade_time)) {
            return None;
        }
        let key = digits(values.get(places.refund_id))?;
        yuan(values.get(places.coupon))?;
        let amount = yuan(values.get(places.refund))?;
        let ours = hex(values.get(places.out_refund_no));
        let refunded = Fen::new(i64::from(amount));
        let is_plain = ours.is_some()
            && self.judge.is_plain_refund(&PlainRefund {
                amount: refunded,
                settled: fen(sums.settled_refund),
                fee: milli(sums.fee),
                rate,
                book_amount: refunded,
                state: RefundState::Succeeded,
                fact: Some(refunded),
                moved: PlainMoved::default(),
            });
        let marks = if is_plain { Marks::REFUND } else { Marks::REFUND.and(Marks::NOT_PLAIN) };
        Some(Entry::new(key, ours.unwrap_or_default(), [amount, 0], at, marks))
    }

    /// Whether it is a time of the day.
    fn is_on_day(&self, text: &[u8]) -> bool {
        let Some(time) = text.strip_prefix(self.day.as_slice()) else { return false };
        let &[b' ', h1, h0, b':', m1, m0, b':', s1, s0] = time else { return false };
        let below = |limit, tens, ones| matches!((digit_of(tens), digit_of(ones)), (Some(tens), Some(ones)) if tens * 10 + ones < limit);
        below(24, h1, h0) && below(60, m1, m0) && below(60, s1, s0)
    }

    /// A row that the ordinary reader takes and this one does not know.
    fn loose(&self, found: &mut Found, at: usize, line: &[u8]) -> Option<()> {
        let row = self.layout.columns.read_row(0, line).ok()?;
        let is_foreign = row.mch_id != self.inputs.account.mch_id
            || (row.state == BillState::Success && time::bill_date(row.trade_time) != self.inputs.day);
        if is_foreign {
            return None;
        }
        found.sums.add(&Sums::of_row(&row)?);
        let (state, number) = (row.state.clone(), row.transaction_id.clone());
        let row = trade::known(row, self.inputs).ok()?;
        let key = digits(row.number().as_bytes());
        match (state, key) {
            // It is an entry for the sake of finding a second one under its number.
            (BillState::Success, Some(key)) => found.bins.push(Entry::new(key, 0, [0; 2], at, Marks::NOT_PLAIN)),
            (BillState::Refund, Some(key)) => {
                found.bins.push(Entry::new(key, 0, [0; 2], at, Marks::REFUND.and(Marks::NOT_PLAIN)));
            }
            (state, _) => {
                found.taken_back.extend(digits(number.as_bytes()).filter(|_| state == BillState::Revoked));
                found.loose.push((at, row));
            }
        }
        Some(())
    }

    /// The row that begins `at` this place, whole.
    pub(super) fn reread(&self, at: usize) -> Option<BillRow> {
        let line = self.file.get(at..self.layout.rows.end)?;
        let line = memchr::memchr(b'\n', line).map_or(line, |end| &line[..end]);
        trade::known(self.layout.columns.read_row(0, line).ok()?, self.inputs).ok()
    }
}

impl Values<'_> {
    fn get(&self, place: usize) -> &[u8] {
        // Between two values stand a comma and a backtick.
        let end = self.starts.get(place + 1).map_or(self.line.len(), |next| next - 2);
        &self.line[self.starts[place]..end]
    }
}

impl Sums {
    fn of(places: &Places, values: &Values<'_>) -> Option<Sums> {
        let fen = |place| yuan(values.get(place)).map(i128::from);
        Some(Sums {
            rows: 1,
            settled: fen(places.settled)?,
            settled_refund: fen(places.settled_refund)?,
            coupon_refund: fen(places.coupon_refund)?,
            fee: i128::from(milli_fen(values.get(places.fee))?),
            amount: fen(places.amount)?,
            refund: fen(places.refund)?,
        })
    }

    /// `None` for amounts so large that the ordinary reader's sums might not hold them.
    fn of_row(row: &TradeRow) -> Option<Sums> {
        const LARGEST: u64 = 10_000_000_000;
        let refund = |amount: fn(&wechat_pay::bill::BillRefund) -> Fen| row.refund.as_ref().map_or(Fen::ZERO, amount);
        let fen = |amount: Fen| Some(i128::from(amount.get())).filter(|_| amount.get().unsigned_abs() <= LARGEST);
        Some(Sums {
            rows: 1,
            settled: fen(row.settlement_total_fee)?,
            settled_refund: fen(refund(|refund| refund.settlement_refund_fee))?,
            coupon_refund: fen(refund(|refund| refund.coupon_refund_fee))?,
            fee: Some(i128::from(row.fee.get())).filter(|_| row.fee.get().unsigned_abs() <= LARGEST)?,
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

/// Where the values of a row begin, when there are as many as columns: behind the first backtick and behind each that follows a
/// comma.
fn split(line: &[u8], starts: &mut Vec<usize>, width: usize) -> Option<()> {
    starts.clear();
    for at in memchr::memchr_iter(b'`', line) {
        if at == 0 || line[at - 1] == b',' {
            if starts.len() == width {
                return None;
            }
            starts.push(at + 1);
        }
    }
    (starts.len() == width).then_some(())
}

/// A day as files have it.
pub(super) fn day_text(day: Date) -> Vec<u8> {
    day.to_string().into_bytes()
}

fn fen(amount: i128) -> Fen {
    Fen::new(i64::try_from(amount).expect("it was nine digits"))
}

fn milli(fee: i128) -> MilliFen {
    MilliFen::new(i64::try_from(fee).expect("it was ten digits"))
}

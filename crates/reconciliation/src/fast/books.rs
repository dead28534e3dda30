//! Our own files, line by line past the entries of the bill.

use super::numbers::{digit_of, digits, hex};
use super::pieces;
use super::row::day_text;
use super::table::{Hash, Marks, Table};
use super::{Count, Sharing};
use crate::Inputs;
use crate::books::{BookPayment, BookRefund, RefundCause, RefundState, TakenAs};

/// Lines whose entries are looked for together, so that the memory is not waited for line by line.
const BATCH: usize = 32;

/// What our files have, compared with the bill.
#[derive(Default)]
pub(super) struct Books {
    pub(super) plain_payments: Count,
    pub(super) plain_refunds: Count,
    /// Everything else.
    pub(super) payments: Vec<BookPayment>,
    pub(super) refunds: Vec<BookRefund>,
}

/// Compares every line of both files, on all cores. `None` when the ordinary readers must.
pub(super) fn pass(inputs: &Inputs<'_>, table: &Table, sharing: Sharing) -> Option<Books> {
    let (plain_payments, payments) = Pass::<BookPayment>::over(inputs, inputs.payments, table, sharing)?;
    let (plain_refunds, refunds) = Pass::<BookRefund>::over(inputs, inputs.refunds, table, sharing)?;
    Some(Books { plain_payments, plain_refunds, payments, refunds })
}

/// A line of one of our files.
trait Line: Sized + Send {
    const KIND: Marks;

    /// What of a line is compared, when it is a usual one, and where the line ends.
    fn usual(bytes: &[u8], day: &[u8]) -> Option<(Side, usize)>;

    /// The line as a value. `None` when the ordinary reader must say what is wrong.
    fn whole(line: &str, inputs: &Inputs<'_>) -> Option<Self>;

    /// The provider's number and ours.
    fn numbers(&self) -> (Option<&str>, &str);
}

/// What of our side is compared with an entry.
#[derive(Clone, Copy)]
struct Side {
    key: u128,
    ours: u128,
    amount: u32,
    net: u32,
    /// Whether it is plain when the entry is.
    may_be_plain: bool,
}

struct Pass<'p, T> {
    inputs: &'p Inputs<'p>,
    file: &'p [u8],
    day: &'p [u8],
    table: &'p Table,
    batch: Vec<(Side, Hash, usize)>,
    plain: Count,
    left: Vec<T>,
}

impl<T: Line> Pass<'_, T> {
    fn over(inputs: &Inputs<'_>, file: &[u8], table: &Table, sharing: Sharing) -> Option<(Count, Vec<T>)> {
        if file.last().is_some_and(|last| *last != b'\n') {
            return None;
        }
        let day = day_text(inputs.day);
        let pieces = pieces::cut(file, 0..file.len(), sharing);
        let start = || Pass {
            inputs,
            file,
            day: &day,
            table,
            batch: Vec::with_capacity(BATCH),
            plain: Count::default(),
            left: Vec::new(),
        };
        let passes = pieces::share(sharing, pieces.len(), start, |pass: &mut Pass<'_, T>, piece| {
            let mut at = pieces[piece].start;
            while at < pieces[piece].end {
                at = pass.line(at)?;
            }
            pass.settle()
        })?;
        let mut all = (Count::default(), Vec::new());
        for pass in passes {
            all.0 = all.0.and(pass.plain);
            all.1.extend(pass.left);
        }
        Some(all)
    }

    /// Reads the line that begins `at` this place. Where the next one begins.
    fn line(&mut self, at: usize) -> Option<usize> {
        let (side, length) = if let Some(usual) = T::usual(&self.file[at..], self.day) {
            usual
        } else {
            let line = line_at(self.file, at)?;
            let value = T::whole(line, self.inputs)?;
            let (key, ours) = value.numbers();
            let numbers = key.and_then(|key| digits(key.as_bytes())).zip(hex(ours.as_bytes()));
            let Some((key, ours)) = numbers else {
                self.left.push(value);
                return Some(at + line.len() + 1);
            };
            (Side { key, ours, amount: 0, net: 0, may_be_plain: false }, line.len() + 1)
        };
        self.batch.push((side, Hash::of(T::KIND, side.key), at));
        if self.batch.len() == BATCH {
            self.settle()?;
        }
        Some(at + length)
    }

    /// Compares the lines at hand.
    fn settle(&mut self) -> Option<()> {
        let mut candidates = [None; BATCH];
        for (candidate, (_, hash, _)) in candidates.iter_mut().zip(&self.batch) {
            *candidate = Some(self.table.candidate(*hash));
        }
        let mut entries = [None; BATCH];
        for ((entry, candidate), (side, hash, _)) in entries.iter_mut().zip(candidates).zip(&self.batch) {
            *entry = candidate.and_then(|candidate| self.table.find(*hash, candidate, T::KIND, side.key));
        }
        for (entry, (side, _, at)) in entries.into_iter().zip(&self.batch) {
            // Under another number of ours it is another thing.
            let Some(entry) = entry.filter(|entry| entry.ours == side.ours) else {
                self.left.push(T::whole(line_at(self.file, *at)?, self.inputs)?);
                continue;
            };
            let is_plain = side.may_be_plain
                && !entry.marks().has(Marks::NOT_PLAIN)
                && (entry.amount, entry.net) == (side.amount, side.net);
            let marks = if is_plain { Marks::BOOKED.and(Marks::COUNTED) } else { Marks::BOOKED };
            if entry.mark(marks).has(Marks::BOOKED) {
                // Our books have it twice.
                return None;
            }
            if is_plain {
                self.plain.add(side.amount);
            } else {
                self.left.push(T::whole(line_at(self.file, *at)?, self.inputs)?);
            }
        }
        self.batch.clear();
        Some(())
    }
}

/// The line that begins `at` this place, without its end.
fn line_at(file: &[u8], at: usize) -> Option<&str> {
    let line = &file[at..];
    std::str::from_utf8(&line[..memchr::memchr(b'\n', line)?]).ok()
}

impl Line for BookPayment {
    const KIND: Marks = Marks::NONE;

    fn usual(bytes: &[u8], day: &[u8]) -> Option<(Side, usize)> {
        let mut rest = Rest(bytes);
        let ours = hex(rest.take(32)?)?;
        rest.skip(b"\t")?;
        let key = digits(rest.until_tab()?)?;
        let issued = rest.fen()?;
        rest.skip(TakenAs::Paid.as_str().as_bytes())?;
        rest.skip(b"\t")?;
        let (taken, fact, payer) = (rest.fen()?, rest.fen()?, rest.fen()?);
        if !matches!(rest.take(1)?, b"t" | b"f") {
            return None;
        }
        rest.skip(b"\t")?;
        rest.skip(day)?;
        // Neither billed nor moved on another day; of a payment that pays its order nothing more is asked.
        rest.skip(b"\t\\N\t\\N\tPAID\t")?;
        let given_back = memchr::memchr(b'\n', rest.0).filter(|length| (1..10).contains(length))?;
        rest.take(given_back)?.iter().try_for_each(|digit| digit_of(*digit).map(|_| ()))?;
        rest.skip(b"\n")?;
        let may_be_plain = [taken, fact] == [issued; 2];
        Some((Side { key, ours, amount: issued, net: payer, may_be_plain }, bytes.len() - rest.0.len()))
    }

    fn whole(line: &str, inputs: &Inputs<'_>) -> Option<BookPayment> {
        BookPayment::parse_line(line).ok().filter(|payment| payment.paid_date == inputs.day)
    }

    fn numbers(&self) -> (Option<&str>, &str) {
        (Some(&self.transaction_id), &self.out_trade_no)
    }
}

impl Line for BookRefund {
    const KIND: Marks = Marks::REFUND;

    fn usual(bytes: &[u8], day: &[u8]) -> Option<(Side, usize)> {
        let mut rest = Rest(bytes);
        let ours = hex(rest.take(32)?)?;
        rest.skip(b"\t")?;
        let key = digits(rest.until_tab()?)?;
        hex(rest.take(32)?)?;
        rest.skip(b"\t")?;
        digits(rest.until_tab()?)?;
        let amount = rest.fen()?;
        rest.skip(RefundState::Succeeded.as_str().as_bytes())?;
        rest.skip(b"\t")?;
        let cause = rest.until_tab()?;
        RefundCause::parse(std::str::from_utf8(cause).ok()?)?;
        let fact = match rest.skip(b"\\N\t") {
            Some(()) => amount,
            None => rest.fen()?,
        };
        rest.skip(day)?;
        rest.skip(b"\t\\N\t\\N\n")?;
        let side = Side { key, ours, amount, net: 0, may_be_plain: fact == amount };
        Some((side, bytes.len() - rest.0.len()))
    }

    fn whole(line: &str, inputs: &Inputs<'_>) -> Option<BookRefund> {
        BookRefund::parse_line(line).ok().filter(|refund| refund.accept_date == Some(inputs.day))
    }

    fn numbers(&self) -> (Option<&str>, &str) {
        (self.refund_id.as_deref(), &self.out_refund_no)
    }
}

/// What of a line is not read yet.
struct Rest<'l>(&'l [u8]);

impl<'l> Rest<'l> {
    fn take(&mut self, length: usize) -> Option<&'l [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Leaves the rest as it was when it does not begin so.
    fn skip(&mut self, text: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// A value and the tab behind it.
    fn until_tab(&mut self) -> Option<&'l [u8]> {
        // No value that this reader knows is longer.
        let near = &self.0[..self.0.len().min(48)];
        let value = self.take(near.iter().position(|byte| *byte == b'\t')?)?;
        self.skip(b"\t")?;
        Some(value)
    }

    /// An amount of at most nine digits and the tab behind it.
    fn fen(&mut self) -> Option<u32> {
        let mut amount = 0_u32;
        for (length, byte) in self.0.iter().take(10).enumerate() {
            match digit_of(*byte) {
                Some(digit) if length < 9 => amount = amount * 10 + digit,
                None if *byte == b'\t' && 0 < length => {
                    self.0 = &self.0[length + 1..];
                    return Some(amount);
                }
                _ => return None,
            }
        }
        None
    }
}

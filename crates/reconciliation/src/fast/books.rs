//! Our own files, line by line past the entries of the bill.

mod again;

use super::numbers::{digit_of, digits, hex};
use super::pieces;
use super::table::{Marks, Notes, Table};
use super::{Count, DayText, MAX_LEFT, Sharing, day_text};
use crate::Inputs;
use crate::books::{BookPayment, BookRefund, RefundCause};

/// Lines whose entries are looked for together, so that the memory is not waited for line by line.
const BATCH: usize = 32;

/// What our files have, compared with the bill.
pub(super) struct Books {
    pub(super) plain_payments: Count,
    pub(super) plain_refunds: Count,
    /// Everything else.
    pub(super) payments: Vec<BookPayment>,
    pub(super) refunds: Vec<BookRefund>,
    /// Which entries agree.
    pub(super) notes: Notes,
}

/// Compares every line of both files, on all cores. `None` when the ordinary readers must.
pub(super) fn pass(inputs: &Inputs<'_>, table: &Table, sharing: Sharing) -> Option<Books> {
    let mut notes = table.notes();
    let (plain_payments, payments) = Pass::<BookPayment>::over(inputs, inputs.payments, table, &mut notes, sharing)?;
    let (plain_refunds, refunds) = Pass::<BookRefund>::over(inputs, inputs.refunds, table, &mut notes, sharing)?;
    Some(Books { plain_payments, plain_refunds, payments, refunds, notes })
}

/// A line of one of our files.
trait Line: Sized + Send {
    const KIND: Marks;

    /// What of a line is compared, when it is a usual one, and where the line ends.
    fn usual(bytes: &[u8], day: &DayText) -> Option<(Side, usize)>;

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
    day: &'p DayText,
    table: &'p Table,
    batch: Vec<(Side, usize)>,
    /// Where the last key was.
    partition: usize,
    notes: Notes,
    plain: Count,
    left: Vec<T>,
}

impl<T: Line> Pass<'_, T> {
    fn over(
        inputs: &Inputs<'_>,
        file: &[u8],
        table: &Table,
        notes: &mut Notes,
        sharing: Sharing,
    ) -> Option<(Count, Vec<T>)> {
        if file.last().is_some_and(|last| *last != b'\n') {
            return None;
        }
        let day = day_text(inputs.day)?;
        let pieces = pieces::cut(file, 0..file.len(), pieces::LINE, sharing);
        let start = || Pass {
            inputs,
            file,
            day: &day,
            table,
            batch: Vec::with_capacity(BATCH),
            partition: 0,
            notes: table.notes(),
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
            notes.add(&pass.notes)?;
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
        self.batch.push((side, at));
        if self.batch.len() == BATCH {
            self.settle()?;
        }
        Some(at + length)
    }

    /// Compares the lines at hand.
    fn settle(&mut self) -> Option<()> {
        let mut candidates = [None; BATCH];
        for (candidate, (side, _)) in candidates.iter_mut().zip(&self.batch) {
            self.partition = self.table.partition_of(side.key, self.partition);
            *candidate = Some(self.table.candidate(self.partition, T::KIND, side.key));
        }
        let mut verdicts = [None; BATCH];
        for ((verdict, candidate), (side, _)) in verdicts.iter_mut().zip(candidates).zip(&self.batch) {
            let found = candidate.and_then(|candidate| self.table.find(candidate, T::KIND, side.key));
            // Under another number of ours it is another thing.
            *verdict = found.filter(|(_, entry)| entry.ours() == side.ours).map(|(number, entry)| {
                let is_plain = side.may_be_plain && !entry.marks().has(Marks::NOT_PLAIN);
                (number, is_plain && entry.amounts.amount == side.amount && entry.amounts.net == side.net)
            });
        }
        for (verdict, (side, at)) in verdicts.into_iter().zip(&self.batch) {
            let mut agrees = false;
            if let Some((number, is_plain)) = verdict {
                self.notes.booked(number, is_plain)?;
                agrees = is_plain;
            }
            if agrees {
                self.plain.add(side.amount);
            } else {
                self.left.push(T::whole(line_at(self.file, *at)?, self.inputs)?);
            }
        }
        self.batch.clear();
        (self.left.len() <= MAX_LEFT).then_some(())
    }
}

/// The line that begins `at` this place, without its end.
fn line_at(file: &[u8], at: usize) -> Option<&str> {
    let line = &file[at..];
    std::str::from_utf8(&line[..memchr::memchr(b'\n', line)?]).ok()
}

impl Line for BookPayment {
    const KIND: Marks = Marks::NONE;

    fn usual(bytes: &[u8], day: &DayText) -> Option<(Side, usize)> {
        let mut rest = Rest(bytes);
        let ours = hex(rest.take(32)?)?;
        rest.skip(b"\t")?;
        let key = digits(rest.until_tab()?)?;
        let issued = rest.fen()?;
        rest.skip(b"PAID\t")?;
        let (taken, fact, payer) = (rest.fen()?, rest.fen()?, rest.fen()?);
        if !matches!(rest.take(1)?, b"t" | b"f") {
            return None;
        }
        rest.skip(b"\t")?;
        rest.skip(day)?;
        // Neither billed nor moved on another day; of a payment that pays its order nothing more is asked.
        rest.skip(b"\t\\N\t\\N\t\\N\t\\N\t\\N\tPAID\t")?;
        rest.digits()?;
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

    fn usual(bytes: &[u8], day: &DayText) -> Option<(Side, usize)> {
        let mut rest = Rest(bytes);
        let ours = hex(rest.take(32)?)?;
        rest.skip(b"\t")?;
        let key = digits(rest.until_tab()?)?;
        hex(rest.take(32)?)?;
        rest.skip(b"\t")?;
        digits(rest.until_tab()?)?;
        let amount = rest.fen()?;
        rest.skip(b"SUCCEEDED\t")?;
        let cause = rest.until_tab()?;
        RefundCause::parse(std::str::from_utf8(cause).ok()?)?;
        let fact = match rest.skip(b"\\N\t") {
            Some(()) => amount,
            None => rest.fen()?,
        };
        rest.skip(day)?;
        rest.skip(b"\t\\N\t\\N\t\\N\t\\N\n")?;
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
    fn skip<const LENGTH: usize>(&mut self, text: &[u8; LENGTH]) -> Option<()> {
        let (begin, rest) = self.0.split_first_chunk()?;
        (begin == text).then(|| self.0 = rest)
    }

    /// A value and the tab behind it.
    fn until_tab(&mut self) -> Option<&'l [u8]> {
        // No number is longer.
        let length = memchr::memchr(b'\t', &self.0[..self.0.len().min(48)])?;
        let value = self.take(length)?;
        self.skip(b"\t")?;
        Some(value)
    }

    /// One to nine digits, which no one asks for.
    fn digits(&mut self) -> Option<()> {
        let length = self.0.iter().take(10).position(|byte| digit_of(*byte).is_none())?;
        self.take(length).filter(|digits| !digits.is_empty()).map(|_| ())
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

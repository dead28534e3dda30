//! The quick way through a day's files: what plainly agrees is counted and put away, and only the rest becomes rows.
//!
//! Ten million rows that agree need no ten million values in memory. The bill is cut at line ends into pieces for every core;
//! of each row only what a plain group is judged by becomes an entry of a few numbers ([`row`]), kept in partitions by its key
//! ([`table`]). Then our own files go past the partitions line by line ([`books`]): where both numbers and all amounts are the
//! same, the pair is counted. Then the fund flow goes past those pairs ([`flow`]): what did not move as it must is no pair any more.
//! What is left on any side is read again from its bytes by the ordinary readers.
//!
//! Nothing is taken here that the ordinary readers would not take with the same result. What this reader does not know (other
//! layouts, broken rows, anything odd in a control) makes [`sift`] answer `None`, and the ordinary reader reads the file from
//! its beginning and tells what is wrong. Keys are whole numbers, never hashes of them.

mod bill;
mod books;
mod cells;
mod flow;
mod layout;
mod numbers;
mod pieces;
mod row;
mod splits;
mod table;
#[cfg(test)]
mod tests;

use jiff::civil::Date;
use money::{Fen, MilliFen};

use splits::Splits;

use crate::books::{BookPayment, BookRefund};
use crate::funds::AccountFlow;
use crate::judge::{Judge, MovementsJudged};
use crate::trade::BillRow;
use crate::{FundFile, Inputs, MAX_DIFFERENCES, Tally};

/// What is left of a day's files when everything that plainly agrees is counted and put away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sifted {
    /// Payments that plainly agree.
    pub(crate) payments: Tally,
    /// Refunds that plainly agree.
    pub(crate) refunds: Tally,
    /// The fees of their rows.
    pub(crate) fee: MilliFen,
    /// Every other row of the bill, in order.
    pub(crate) rows: Vec<BillRow>,
    /// Every other payment of our books.
    pub(crate) book_payments: Vec<BookPayment>,
    /// Every other refund of our books.
    pub(crate) book_refunds: Vec<BookRefund>,
    /// The fund flow of the basic account, when there is one.
    pub(crate) basic: Option<Basic>,
}

/// What is left of the basic account's fund flow.
#[derive(Clone, Debug)]
pub(crate) struct Basic {
    /// With the movements that are neither of what plainly agrees nor of a kind that needs no trade.
    pub(crate) flow: AccountFlow,
    /// Which movements a trade must have, by all of the file.
    pub(crate) judged: MovementsJudged,
    /// All other movements: the word, whether they are of trades, and their sum.
    pub(crate) moved: Vec<(String, bool, Tally)>,
}

/// Most rows of the bill and of the fund flow, most lines of our books for each thread, and most entries that did not move as they
/// must, that are left. A day with more is not one of which nearly everything agrees, and the ordinary way says whether it can be
/// compared.
const MAX_LEFT: usize = 4 * MAX_DIFFERENCES;

/// Most rows of one bill, as the ordinary reader has it.
const MAX_ROWS: u64 = wechat_pay::bill::cells::MAX_ROWS;

/// What is said to be the line of a row that is read alone. Nobody is told of it: what is wrong the ordinary reader tells.
const LINE: u64 = 2;

/// How work is shared out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sharing {
    pub(crate) threads: usize,
    /// About how large a piece is.
    pub(crate) piece_bytes: usize,
}

impl Sharing {
    /// Every core works. Pieces are many, so that none waits long for another's last one.
    pub(crate) fn of_this_machine() -> Sharing {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Sharing { threads, piece_bytes: 4 * 1024 * 1024 }
    }
}

/// Reads, controls and joins the trade bill and the books of the day. `None` when the ordinary readers must.
pub(crate) fn sift(inputs: &Inputs<'_>, sharing: Sharing) -> Option<Sifted> {
    // What is plain by its row and our books is plain until its movements are known.
    let movements = MovementsJudged::None;
    let judge = Judge { day: inputs.day, as_of: inputs.as_of, rules: inputs.rules, movements };
    let bill = bill::read(inputs, &judge, sharing)?;
    let mut books = books::pass(inputs, &bill.table, sharing)?;
    let basic = if let FundFile::Read(file) = inputs.funds[0] {
        let (basic, unmoved) = flow::pass(inputs, file, &judge, &bill.table, &books.notes, sharing)?;
        books.take_back(inputs, &unmoved, sharing)?;
        Some(basic)
    } else {
        None
    };
    let (mut rows, left_fee) = bill.left(inputs, &judge, &books.notes)?;
    rows.sort_unstable_by_key(|(at, _)| *at);
    let fee = MilliFen::new(i64::try_from(bill.fee.checked_sub(left_fee)?).ok()?);
    Some(Sifted {
        payments: books.plain_payments.tally()?,
        refunds: books.plain_refunds.tally()?,
        fee,
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        book_payments: books.payments,
        book_refunds: books.refunds,
        basic,
    })
}

/// A count and a sum that nothing in one file can overflow.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    count: u32,
    fen: i128,
}

impl Count {
    fn add(&mut self, fen: u32) {
        self.count += 1;
        self.fen += i128::from(fen);
    }

    fn take_back(&mut self, fen: u32) {
        self.count -= 1;
        self.fen -= i128::from(fen);
    }

    fn and(self, other: Count) -> Count {
        Count { count: self.count + other.count, fen: self.fen + other.fen }
    }

    fn tally(self) -> Option<Tally> {
        Some(Tally { count: i64::from(self.count), sum: Fen::new(i64::try_from(self.fen).ok()?) })
    }
}

/// A day as files have it, e.g. `2026-11-28`.
type DayText = [u8; 10];

fn day_text(day: Date) -> Option<DayText> {
    day.to_string().into_bytes().try_into().ok()
}

/// Whether it is a time of the day, e.g. `2026-11-28 23:59:59`.
fn is_on(day: &DayText, text: &[u8]) -> bool {
    let Some((date, time)) = text.split_first_chunk() else { return false };
    let &[b' ', h1, h0, b':', m1, m0, b':', s1, s0] = time else { return false };
    let below = |limit, tens, ones| {
        let digits = numbers::digit_of(tens).zip(numbers::digit_of(ones));
        digits.is_some_and(|(tens, ones)| tens * 10 + ones < limit)
    };
    date == day && below(24, h1, h0) && below(60, m1, m0) && below(60, s1, s0)
}

//! A day made of single payments, each with what should come of it.

use jiff::civil::{Date, date};
use money::{Fen, MilliFen};
use reconcile_svc::engine::{BillRow, BookPayment, Code, Comparison, EngineError, Issued, Key, Outcome, RowKind};

pub(crate) const DAY: Date = date(2026, 11, 20);
pub(crate) const DAY_BEFORE: Date = date(2026, 11, 19);

/// Both sides of one day, in any order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Day {
    pub(crate) bill: Vec<Row>,
    pub(crate) books: Vec<BookPayment>,
    pub(crate) issued: Vec<Issued>,
}

/// A row of the bill that owns its texts.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) kind: RowKind,
    pub(crate) number: String,
    pub(crate) transaction: String,
    pub(crate) fen: i64,
    pub(crate) fee_milli_fen: i64,
}

/// What happened to one payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Story {
    /// Paid, told, accepted, billed.
    Agrees,
    /// Billed; an order took it, no message of the provider came.
    AgreesWithoutFact,
    /// Billed; our books have it on the day before.
    AboutMidnight,
    /// Ours of this day, and in the bill of another.
    BilledElsewhere,
    /// Billed; our payment is still open.
    Pending,
    /// Billed, and told by the provider; no order took it.
    ToldOnly,
    /// Billed under a number that is not ours.
    Unknown,
    /// Paid here, not billed.
    BookOnly,
    /// Billed with this many fen more.
    AmountDiffers(i64),
    /// The bill says revoked, we say paid.
    Revoked,
    /// Paid by pay code and taken back; our books never had it as paid.
    Reversed,
    /// As that, and the provider had told that it was paid.
    ToldAndReversed,
    /// Money went back; counted, not compared.
    Refunded,
}

impl Story {
    /// The code that should come of it.
    pub(crate) fn code(self) -> Option<Code> {
        match self {
            Story::Pending | Story::ToldOnly => Some(Code::P1),
            Story::Unknown => Some(Code::P3),
            Story::BookOnly => Some(Code::P5),
            Story::AmountDiffers(_) => Some(Code::P6),
            Story::Revoked => Some(Code::P8),
            Story::Agrees
            | Story::AgreesWithoutFact
            | Story::AboutMidnight
            | Story::BilledElsewhere
            | Story::Reversed
            | Story::ToldAndReversed
            | Story::Refunded => None,
        }
    }
}

impl Day {
    /// Adds payment `index` of `fen`.
    pub(crate) fn add(&mut self, index: usize, fen: i64, story: Story) {
        let (number, transaction) = (format!("N{index:05}"), format!("42{index:05}"));
        let key = Key { out_trade_no: number.clone(), transaction_id: transaction.clone() };
        let amount = Some(Fen::new(fen));
        let book = BookPayment {
            key,
            issued_amount: amount,
            order_amount: amount,
            fact_amount: amount,
            paid_date: DAY,
            billed_on: None,
        };
        let row = |kind, fen| Row {
            kind,
            number: number.clone(),
            transaction: transaction.clone(),
            fen,
            fee_milli_fen: fen.saturating_mul(6),
        };
        let issued = Issued { out_trade_no: number.clone(), amount: Fen::new(fen) };
        let mut bill = |kind, fen| self.bill.push(row(kind, fen));
        match story {
            Story::Agrees
            | Story::AgreesWithoutFact
            | Story::AboutMidnight
            | Story::Pending
            | Story::ToldOnly
            | Story::Unknown => {
                bill(RowKind::Payment, fen);
            }
            Story::AmountDiffers(by) => bill(RowKind::Payment, fen + by),
            Story::Revoked => bill(RowKind::Revoked, fen),
            Story::Reversed | Story::ToldAndReversed => {
                bill(RowKind::Payment, fen);
                bill(RowKind::Revoked, fen);
            }
            Story::Refunded => {
                bill(RowKind::Payment, fen);
                bill(RowKind::Refund, fen);
            }
            Story::BilledElsewhere | Story::BookOnly => {}
        }
        match story {
            Story::Pending | Story::Reversed => self.issued.push(issued),
            Story::Unknown => {}
            Story::ToldOnly | Story::ToldAndReversed => self.books.push(BookPayment { order_amount: None, ..book }),
            Story::AgreesWithoutFact => self.books.push(BookPayment { fact_amount: None, ..book }),
            Story::AboutMidnight => self.books.push(BookPayment { paid_date: DAY_BEFORE, ..book }),
            Story::BilledElsewhere => self.books.push(BookPayment { billed_on: Some(DAY_BEFORE), ..book }),
            _ => self.books.push(book),
        }
    }

    pub(crate) fn of(stories: &[(i64, Story)]) -> Self {
        let mut day = Self::default();
        stories.iter().enumerate().for_each(|(index, (fen, story))| day.add(index, *fen, *story));
        day
    }

    /// Compares as the service does: the day's books first, what else the books know when the bill asks for it.
    pub(crate) fn compare(&self) -> Result<Outcome, EngineError> {
        let (today, others): (Vec<_>, Vec<_>) = self.books.iter().cloned().partition(|book| book.paid_date == DAY);
        let mut comparison = Comparison::new(DAY, today)?;
        for row in &self.bill {
            comparison.bill_row(&BillRow {
                kind: row.kind,
                out_trade_no: &row.number,
                transaction_id: &row.transaction,
                app_id: "wx1",
                amount: Fen::new(row.fen),
                fee: MilliFen::new(row.fee_milli_fen),
            })?;
        }
        let wanted = comparison.numbers_to_look_up();
        let is_wanted = |number: &String| wanted.binary_search(number).is_ok();
        let others: Vec<_> = others.into_iter().filter(|book| is_wanted(&book.key.out_trade_no)).collect();
        let known =
            self.books.iter().map(|book| Issued { out_trade_no: book.key.out_trade_no.clone(), amount: book.amount() });
        let issued: Vec<_> =
            self.issued.iter().cloned().chain(known).filter(|issued| is_wanted(&issued.out_trade_no)).collect();
        comparison.finish(others, issued)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.compare().expect("this day can be compared")
    }
}

/// The codes of an outcome, in order.
pub(crate) fn codes(outcome: &Outcome) -> Vec<Code> {
    outcome.differences.iter().map(|difference| difference.code).collect()
}

//! A day in all its legs: what happened, as the provider's files and our books tell it.
//!
//! A [`World`] is a list of payments, refunds and other movements, each of which holds what every leg has of it. It starts clean:
//! [`World::pay`], [`World::refund`] and the others write all legs so that they agree. A test then changes one leg of one of them,
//! prints the files ([`World::files`]) and compares ([`World::reconcile`]). [`Damage`] knows ways to spoil it and what must be
//! found then.

mod clean;
mod damage;
mod files;
mod money;
mod payment;
mod refund;

use ::money::Fen;
use jiff::civil::{Date, date};
use reconciliation::books::{BookPayment, BookRefund};
use reconciliation::{Account, Closings, FundFile, Inputs, Outcome, Questions, Refused, Rules};

pub(crate) use clean::Clean;
pub(crate) use damage::{Damage, Expected};
pub(crate) use files::{Files, fund_flow, trade};
pub(crate) use money::Flow;
pub(crate) use payment::{Payment, noon};
pub(crate) use refund::Refund;

/// A Friday.
pub(crate) const DAY: Date = date(2026, 11, 20);
pub(crate) const DAY_BEFORE: Date = date(2026, 11, 19);
pub(crate) const DAY_AFTER: Date = date(2026, 11, 21);
/// Long enough after it for nothing to be waited for.
pub(crate) const LATER: Date = date(2026, 12, 10);

pub(crate) const MCH_ID: &str = "1900000001";

/// One merchant's day.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// The bill day. What [`World::pay`] and [`World::refund`] make is of [`DAY`].
    pub(crate) day: Date,
    /// When it is compared.
    pub(crate) as_of: Date,
    pub(crate) sub_mch_id: String,
    pub(crate) payments: Vec<Payment>,
    pub(crate) refunds: Vec<Refund>,
    /// Movements of no trade, of the three accounts.
    pub(crate) flows: [Vec<Flow>; 3],
    /// What each account opens with.
    pub(crate) openings: [Fen; 3],
    /// What each account closed with on the day before.
    pub(crate) closings: Closings,
    /// Whether each account's file can be fetched.
    pub(crate) fetched: [bool; 3],
    /// Whether the provider has each account's file although something moved.
    pub(crate) lost: [bool; 3],
    made: u64,
}

impl Default for World {
    fn default() -> Self {
        let openings = [Fen::new(100_000_000), Fen::new(50_000), Fen::ZERO];
        World {
            day: DAY,
            as_of: LATER,
            sub_mch_id: String::new(),
            payments: Vec::new(),
            refunds: Vec::new(),
            flows: [Vec::new(), Vec::new(), Vec::new()],
            openings,
            closings: openings.map(Some),
            fetched: [true; 3],
            lost: [false; 3],
            made: 0,
        }
    }
}

impl World {
    /// Somebody pays, and every leg tells it.
    pub(crate) fn pay(&mut self, fen: i64) -> &mut Payment {
        let index = self.next();
        self.payments.push(Payment::clean(index, fen, &self.sub_mch_id));
        self.payments.last_mut().expect("there is one")
    }

    /// `fen` of a payment go back, and every leg tells it.
    pub(crate) fn refund(&mut self, payment: usize, fen: i64) -> &mut Refund {
        let index = self.next();
        self.refunds.push(Refund::clean(index, &self.payments[payment], fen, &self.sub_mch_id));
        self.refunds.last_mut().expect("there is one")
    }

    /// The merchant takes money out of the basic account.
    pub(crate) fn withdraw(&mut self, fen: i64) {
        let index = self.next();
        self.flows[0].push(Flow::new(index * 10, &format!("15{index:08}"), "提现", -fen));
    }

    /// A red packet leaves the operation account.
    pub(crate) fn send_red_packet(&mut self, fen: i64) {
        let index = self.next();
        self.flows[1].push(Flow::new(index * 10, &format!("10{index:08}"), "现金红包", -fen));
    }

    /// A number that nothing has yet.
    pub(crate) fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Compares as the service does: reads the files, asks the books, concludes.
    pub(crate) fn reconcile(&self) -> Result<Outcome, Refused> {
        self.reconcile_files(&self.files())
    }

    /// As [`World::reconcile`], of these files.
    pub(crate) fn reconcile_files(&self, files: &Files) -> Result<Outcome, Refused> {
        let reading = reconciliation::read(&self.inputs(files))?;
        let answers = self.answers(&reading.questions());
        reading.conclude(&answers)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.reconcile().expect("this day can be compared")
    }

    /// What a run gives to the engine.
    pub(crate) fn inputs<'a>(&'a self, files: &'a Files) -> Inputs<'a> {
        let fund = |at: usize| match &files.funds[at] {
            _ if !self.fetched[at] => FundFile::NotFetched,
            Some(file) => FundFile::Read(file),
            None => FundFile::None,
        };
        Inputs {
            day: self.day,
            as_of: self.as_of,
            account: Account { mch_id: MCH_ID, sub_mch_id: &self.sub_mch_id },
            rules: Rules::CURRENT,
            trade: files.trade.as_deref(),
            funds: [fund(0), fund(1), fund(2)],
            closings: self.closings,
            payments: &files.payments,
            refunds: &files.refunds,
        }
    }

    /// What our books know about the questions.
    pub(crate) fn answers(&self, questions: &Questions) -> reconciliation::Answers {
        let asks = |list: &[String], number: &str| list.binary_search_by(|asked| asked.as_str().cmp(number)).is_ok();
        let is_asked = |book: &BookPayment| {
            asks(&questions.payments, &book.out_trade_no) || asks(&questions.movements, &book.transaction_id)
        };
        let is_refund_asked = |book: &BookRefund| {
            let numbers = [Some(book.out_refund_no.as_str()), book.refund_id.as_deref()];
            let by_either = numbers.into_iter().flatten().any(|number| asks(&questions.refunds, number));
            by_either || book.refund_id.as_ref().is_some_and(|number| asks(&questions.movements, number))
        };
        let payments = self.payments.iter();
        let issued = payments.clone().filter_map(|payment| {
            let book = payment.book.as_ref().filter(|book| book.issued.is_some() || book.taken.is_some());
            payment.issued.clone().or_else(|| {
                book.map(|book| reconciliation::Issued {
                    out_trade_no: book.out_trade_no.clone(),
                    amount: book.amount(),
                    order: book.order,
                })
            })
        });
        let of_other_days =
            payments.filter_map(|payment| payment.book.as_ref()).filter(|book| book.paid_date != self.day);
        let refunds = self.refunds.iter().filter_map(|refund| refund.book.as_ref());
        reconciliation::Answers {
            payments: of_other_days.filter(|book| is_asked(book)).cloned().collect(),
            issued: issued.filter(|issued| asks(&questions.payments, &issued.out_trade_no)).collect(),
            refunds: refunds
                .filter(|book| book.accept_date != Some(self.day))
                .filter(|book| is_refund_asked(book))
                .cloned()
                .collect(),
        }
    }
}

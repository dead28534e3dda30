use std::fmt::Write as _;

use money::Fen;

use super::outcome::Difference;
use super::{BookPayment, Code, EngineError, Key};

/// One payment of the books, and what the bill said about it so far.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) book: BookPayment,
    pub(super) billed: Option<Billed>,
    pub(super) revoked: bool,
}

/// What the bill has.
#[derive(Debug)]
pub(super) struct Billed {
    pub(super) amount: Fen,
    pub(super) app_id: String,
}

impl Slot {
    pub(super) fn new(book: BookPayment) -> Self {
        Self { book, billed: None, revoked: false }
    }

    /// Takes a row about this payment; `None` is a row that says revoked.
    pub(super) fn take(&mut self, billed: Option<Billed>) -> Result<(), EngineError> {
        let twice = if billed.is_some() { self.billed.is_some() } else { self.revoked };
        if twice {
            return Err(EngineError::Duplicate);
        }
        match billed {
            Some(billed) => self.billed = Some(billed),
            None => self.revoked = true,
        }
        Ok(())
    }

    /// Whether this bill takes it back and no order of ours took it: then nobody paid, whatever the provider once told.
    pub(super) fn is_taken_back(&self) -> bool {
        self.revoked && self.book.order_amount.is_none()
    }

    /// The amount on which both sides agree, or how they differ. What the provider told is no agreement: only an order that took
    /// the money is.
    pub(super) fn judge(self) -> Result<Fen, Box<Difference>> {
        let ours = self.book.amount();
        let (code, explanation) = match &self.billed {
            billed if self.revoked => (
                Code::P8,
                match billed {
                    Some(_) => {
                        format!("The bill has this payment and its reversal; our books keep {ours} yuan as paid.")
                    }
                    None => format!("The bill says that this payment was revoked; our books keep {ours} yuan as paid."),
                },
            ),
            None => (Code::P5, book_only(&self.book)),
            Some(billed) if !self.book.is_ours() => (
                Code::P3,
                format!(
                    "The bill has {} yuan under a number that we never issued; find out who took it.",
                    billed.amount
                ),
            ),
            Some(billed) if self.book.agrees_with(billed.amount) && self.book.order_amount.is_some() => {
                return Ok(billed.amount);
            }
            Some(billed) if self.book.agrees_with(billed.amount) => (Code::P1, not_taken(billed.amount)),
            Some(billed) => (Code::P6, amounts(&self.book, billed.amount)),
        };
        Err(Box::new(Difference {
            code,
            key: self.book.key,
            bill_amount: self.billed.as_ref().map(|billed| billed.amount),
            app_id: self.billed.map(|billed| billed.app_id).unwrap_or_default(),
            book_amount: Some(ours),
            explanation,
        }))
    }
}

/// A payment that only the bill has. `asked` is what we asked for under that number; `None` when we never issued it.
pub(super) fn bill_only(key: Key, billed: Billed, asked: Option<Fen>) -> Difference {
    let (code, explanation) = match asked {
        None => (
            Code::P3,
            format!("The bill has {} yuan under a number that we never issued; find out who took it.", billed.amount),
        ),
        Some(asked) if asked == billed.amount => (
            Code::P1,
            format!("The bill has {asked} yuan for a payment that is still open here; the provider is asked about it."),
        ),
        Some(asked) => (
            Code::P1,
            format!(
                "The bill has {} yuan for a payment of {asked} yuan that is still open here; the provider is asked about it.",
                billed.amount
            ),
        ),
    };
    let (bill_amount, app_id) = (Some(billed.amount), billed.app_id);
    Difference { code, key, app_id, bill_amount, book_amount: None, explanation }
}

fn not_taken(told: Fen) -> String {
    format!(
        "The bill has {told} yuan and a message of the provider told of them, but no order took them; the provider is asked \
         about it, and order-svc's dead letters say why it refused them."
    )
}

fn book_only(book: &BookPayment) -> String {
    let ours = book.amount();
    match (book.order_amount, book.fact_amount) {
        (Some(_), Some(_)) => format!(
            "Our books have {ours} yuan as paid and the bill does not; until the second day after it may stand in a \
             neighbouring day's bill."
        ),
        (Some(_), None) => {
            format!("An order took {ours} yuan, but neither the bill nor any message of the provider knows about it.")
        }
        (None, _) => {
            format!("A message of the provider told of {ours} yuan that neither the bill nor any order has.")
        }
    }
}

fn amounts(book: &BookPayment, bill: Fen) -> String {
    let mut text = format!("The bill has {bill} yuan");
    let legs = [
        ("we asked for", book.issued_amount),
        ("the order took", book.order_amount),
        ("the provider's message said", book.fact_amount),
    ];
    for (words, amount) in legs {
        if let Some(amount) = amount {
            write!(text, ", {words} {amount} yuan").expect("a String takes every write");
        }
    }
    text.push('.');
    text
}

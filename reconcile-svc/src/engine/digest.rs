use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{BookPayment, Issued};

/// SHA-256 over the books' side of a comparison, independent of the order in which it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BooksDigest([u8; 32]);

impl BooksDigest {
    /// Over everything that the comparison looked at.
    pub(crate) fn of<'a>(
        payments: impl Iterator<Item = &'a BookPayment>,
        issued: impl Iterator<Item = &'a Issued>,
    ) -> Self {
        let mut lines: Vec<String> = payments.map(payment_line).chain(issued.map(issued_line)).collect();
        lines.sort_unstable();
        let mut hash = Sha256::new();
        for line in lines {
            hash.update(line.as_bytes());
        }
        Self(hash.finalize().into())
    }

    /// 64 lower-case hex digits.
    pub fn to_hex(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a String takes every write");
            hex
        })
    }
}

// Debug text of a str is quoted and escaped, so no value can imitate the border between two values.
fn payment_line(payment: &BookPayment) -> String {
    let amount = |amount: Option<money::Fen>| amount.map_or_else(|| "-".to_owned(), |fen| fen.get().to_string());
    format!(
        "paid {:?} {:?} {} {} {} {} {}\n",
        payment.key.out_trade_no,
        payment.key.transaction_id,
        amount(payment.issued_amount),
        amount(payment.order_amount),
        amount(payment.fact_amount),
        payment.paid_date,
        payment.billed_on.map_or_else(|| "-".to_owned(), |date| date.to_string()),
    )
}

fn issued_line(issued: &Issued) -> String {
    format!("issued {:?} {}\n", issued.out_trade_no, issued.amount.get())
}

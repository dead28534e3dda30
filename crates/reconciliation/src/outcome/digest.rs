//! What pins a result.

use std::fmt::{Display, Write as _};

use money::Fen;
use sha2::{Digest as _, Sha256};

use super::{AccountDay, BoundaryMatch, Difference, Outcome, Tally};
use crate::Repair;

impl Outcome {
    /// SHA-256 over a text of everything in it, line by line: the same for the same result, in every release that has the same
    /// [`crate::ENGINE_VERSION`].
    pub fn digest(&self) -> [u8; 32] {
        let mut text = Text(Sha256::new());
        for (name, tally) in [
            ("bill", self.bill),
            ("bill_refunds", self.bill_refunds),
            ("revoked", self.revoked),
            ("books", self.books),
            ("book_refunds", self.book_refunds),
            ("matched", self.matched),
            ("matched_refunds", self.matched_refunds),
        ] {
            text.tally(name, tally);
        }
        text.line(format_args!("fee {}", self.fee.get()));
        self.accounts.iter().for_each(|account| text.account(account));
        self.differences.iter().for_each(|difference| text.difference(difference));
        self.boundary.iter().for_each(|boundary| text.boundary(boundary));
        text.0.finalize().into()
    }

    /// [`Outcome::digest`] as 64 lower-case hex digits.
    pub fn digest_hex(&self) -> String {
        self.digest().iter().fold(String::with_capacity(64), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a String takes every write");
            hex
        })
    }
}

/// Lines on their way into the hash. Texts are written as Rust writes them, quoted and escaped, so that no value can imitate the
/// border between two.
struct Text(Sha256);

impl Text {
    fn line(&mut self, line: impl Display) {
        self.0.update(format!("{line}\n").as_bytes());
    }

    fn tally(&mut self, name: &str, tally: Tally) {
        self.line(format_args!("{name} {} {}", tally.count, tally.sum.get()));
    }

    fn account(&mut self, account: &AccountDay) {
        let (opening, closing) = (fen(account.opening), fen(account.closing));
        self.line(format_args!("account {} {} {opening} {closing}", account.account.as_str(), account.state.as_str()));
        for moved in &account.movements {
            let (count, sum) = (moved.count, moved.sum.get());
            self.line(format_args!("moved {:?} {count} {sum} {}", moved.kind, moved.of_trades));
        }
    }

    fn difference(&mut self, difference: &Difference) {
        let Difference { code, key, app_id, bill_amount, book_amount, risk, due, repair, explanation } = difference;
        let (bill, books, risk) = (fen(*bill_amount), fen(*book_amount), risk.get());
        let due = due.map_or_else(nothing, |due| due.to_string());
        let repair = repair.map_or("-", Repair::as_str);
        let fingerprint = key.fingerprint();
        self.line(format_args!(
            "{code} {fingerprint:?} {app_id:?} {bill} {books} {risk} {due} {repair} {explanation:?}"
        ));
    }

    fn boundary(&mut self, BoundaryMatch { leg, number, book_date, amount, fee }: &BoundaryMatch) {
        let (leg, amount, fee) = (leg.as_str(), fen(*amount), fee.get());
        self.line(format_args!("boundary {leg} {number:?} {book_date} {amount} {fee}"));
    }
}

fn fen(amount: Option<Fen>) -> String {
    amount.map_or_else(nothing, |amount| amount.get().to_string())
}

fn nothing() -> String {
    "-".to_owned()
}

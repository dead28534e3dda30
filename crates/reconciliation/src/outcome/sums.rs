//! What an outcome adds up to.

use money::Fen;

use super::{Difference, Outcome, Tally};
use crate::Code;

impl Outcome {
    /// Differences of one code and what they may lose together. Those that only wait are none yet.
    pub fn tally_of(&self, code: Code) -> Tally {
        self.risks(|difference| difference.code == code && difference.due.is_none())
    }

    /// What only waits, whatever its code.
    pub fn waiting(&self) -> Tally {
        self.risks(|difference| difference.due.is_some())
    }

    /// Whether each side is the matched part and its named differences, in rows and in fen: of payments, and of refunds. A stuck
    /// refund agrees, and fees and movements have no side.
    pub fn is_conserved(&self) -> bool {
        let is_of_payment = |code| {
            matches!(
                code,
                Code::P1
                    | Code::P2
                    | Code::P3
                    | Code::P4
                    | Code::P5
                    | Code::P6
                    | Code::P7
                    | Code::P8
                    | Code::P9
                    | Code::P10
            )
        };
        let is_of_refund = |code| matches!(code, Code::R1 | Code::R2 | Code::R3);
        let bill = |difference: &Difference| difference.bill_amount;
        let books = |difference: &Difference| difference.book_amount;
        self.side(self.matched, is_of_payment, bill) == Some(self.bill)
            && self.side(self.matched, is_of_payment, books) == Some(self.books)
            && self.side(self.matched_refunds, is_of_refund, bill) == Some(self.bill_refunds)
            && self.side(self.matched_refunds, is_of_refund, books) == Some(self.book_refunds)
    }

    fn side(
        &self,
        matched: Tally,
        is_meant: impl Fn(Code) -> bool,
        amount: impl Fn(&Difference) -> Option<Fen>,
    ) -> Option<Tally> {
        let meant = self.differences.iter().filter(|difference| is_meant(difference.code)).filter_map(amount);
        meant.into_iter().try_fold(matched, |mut sum, amount| sum.add(amount).ok().map(|()| sum))
    }

    fn risks(&self, is_meant: impl Fn(&Difference) -> bool) -> Tally {
        self.differences.iter().filter(|difference| is_meant(difference)).fold(Tally::default(), |sum, difference| {
            let added = sum.sum.checked_add(difference.risk).expect("Reading::conclude has added them up");
            Tally { count: sum.count + 1, sum: added }
        })
    }
}

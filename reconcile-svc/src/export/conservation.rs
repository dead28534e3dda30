//! Does each side of a run add up: what matched, what differs and what waits is all that there was?

use money::Fen;
use proto::reconcile::v1::Run;
use reconciliation::{Code, Tally};

use super::row::Row;

/// The first program whose runs compare refunds and tell every fen; runs of earlier ones do not add up by design.
const SINCE_ENGINE: i32 = 4;

/// One side of payments or refunds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Side {
    /// What differs.
    pub(super) different: Tally,
    /// What may still come.
    pub(super) waiting: Tally,
}

/// Which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    BillPayments,
    BookPayments,
    BillRefunds,
    BookRefunds,
}

/// What the differences of a run add up to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Conservation {
    sides: [Side; 4],
    overflow: bool,
}

/// One side with everything: `total` is `matched` and `side` together, and `rest` is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Balance {
    pub(super) total: Tally,
    pub(super) matched: Tally,
    pub(super) side: Side,
    /// `None` when it does not fit.
    pub(super) rest: Option<Fen>,
}

impl Leg {
    pub(super) const ALL: [Leg; 4] = [Leg::BillPayments, Leg::BookPayments, Leg::BillRefunds, Leg::BookRefunds];
}

impl Conservation {
    /// One difference more.
    pub(super) fn add(&mut self, row: &Row) {
        let Ok(code) = row.difference.code.parse::<Code>() else { return };
        let (bill, book) = match code {
            Code::R1 | Code::R2 | Code::R3 => (Leg::BillRefunds, Leg::BookRefunds),
            // A refund that is stuck agrees all the same; fees and movements are no rows of either side.
            Code::R4 | Code::F1 | Code::F2 | Code::F3 | Code::F4 => return,
            Code::P1
            | Code::P2
            | Code::P3
            | Code::P4
            | Code::P5
            | Code::P6
            | Code::P7
            | Code::P8
            | Code::P9
            | Code::P10 => (Leg::BillPayments, Leg::BookPayments),
        };
        for (leg, fen) in [(bill, row.difference.bill_amount_fen), (book, row.difference.book_amount_fen)] {
            if fen == 0 {
                continue;
            }
            let side = &mut self.sides[leg as usize];
            let tally = if row.waiting { &mut side.waiting } else { &mut side.different };
            match tally.sum.checked_add(Fen::new(fen)) {
                Some(sum) => *tally = Tally { count: tally.count.saturating_add(1), sum },
                None => self.overflow = true,
            }
        }
    }

    /// One side of `run`; `None` when the run does not claim to add up.
    pub(super) fn of(&self, run: &Run, leg: Leg) -> Option<Balance> {
        if run.engine_version < SINCE_ENGINE || self.overflow {
            return None;
        }
        let tally = |count, sum_fen| Tally { count, sum: Fen::new(sum_fen) };
        let payments = tally(run.matched_count, run.matched_sum_fen);
        let refunds = tally(run.matched_refund_count, run.matched_refund_sum_fen);
        let (total, matched) = match leg {
            Leg::BillPayments => (tally(run.bill_count, run.bill_sum_fen), payments),
            Leg::BookPayments => (tally(run.book_count, run.book_sum_fen), payments),
            Leg::BillRefunds => (tally(run.bill_refund_count, run.bill_refund_sum_fen), refunds),
            Leg::BookRefunds => (tally(run.book_refund_count, run.book_refund_sum_fen), refunds),
        };
        let side = self.sides[leg as usize];
        let parts = [matched.sum, side.different.sum, side.waiting.sum];
        let rest = parts.into_iter().try_fold(total.sum, Fen::checked_sub);
        Some(Balance { total, matched, side, rest })
    }
}

#[cfg(test)]
mod tests {
    use proto::reconcile::v1::Discrepancy;

    use super::*;

    fn row(code: &str, bill: i64, book: i64, waiting: bool) -> Row {
        let difference = Discrepancy {
            code: code.to_owned(),
            bill_amount_fen: bill,
            book_amount_fen: book,
            ..Discrepancy::default()
        };
        Row { difference, waiting, ..Row::default() }
    }

    #[test]
    fn a_day_with_every_kind_of_row_adds_up_on_each_side() {
        let mut sums = Conservation::default();
        for found in [
            row("P1", 100, 0, false),
            row("P5", 0, 70, true),
            row("P6", 11, 10, false),
            row("R1", 5, 0, false),
            row("R4", 900, 900, false),
            row("F3", 800, 0, false),
        ] {
            sums.add(&found);
        }
        let run = Run {
            engine_version: 4,
            bill_count: 3,
            bill_sum_fen: 1111,
            book_count: 3,
            book_sum_fen: 1080,
            matched_count: 1,
            matched_sum_fen: 1000,
            bill_refund_count: 1,
            bill_refund_sum_fen: 5,
            ..Run::default()
        };
        for leg in Leg::ALL {
            assert_eq!(sums.of(&run, leg).expect("it claims to").rest, Some(Fen::ZERO), "{leg:?}");
        }
        let books = sums.of(&run, Leg::BookPayments).expect("it claims to").side;
        assert_eq!((books.different.sum, books.waiting.sum), (Fen::new(10), Fen::new(70)));
        let lacks = Run { bill_sum_fen: 1112, ..run };
        assert_eq!(sums.of(&lacks, Leg::BillPayments).expect("it claims to").rest, Some(Fen::new(1)));
    }

    #[test]
    fn runs_of_programs_that_compared_payments_alone_claim_nothing() {
        assert_eq!(Conservation::default().of(&Run { engine_version: 3, ..Run::default() }, Leg::BillRefunds), None);
    }
}

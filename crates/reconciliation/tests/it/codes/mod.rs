//! Each code by example, with its near misses.

mod about_midnight;
mod fees;
mod funds;
mod payments;
mod refunds;

use money::Fen;
use reconciliation::{Code, Difference, Outcome, Tally};

use crate::world::World;

/// Waiting or not.
pub(crate) fn codes(world: &World) -> Vec<Code> {
    world.outcome().differences.iter().map(|difference| difference.code).collect()
}

/// The one difference of a day.
pub(crate) fn only(outcome: &Outcome) -> &Difference {
    match outcome.differences.as_slice() {
        [difference] => difference,
        others => panic!("not one difference: {others:#?}"),
    }
}

pub(crate) fn tally(count: i64, fen: i64) -> Tally {
    Tally { count, sum: Fen::new(fen) }
}

/// As differences hold it.
#[expect(clippy::unnecessary_wraps, reason = "it is compared with what may be missing")]
pub(crate) fn fen(fen: i64) -> Option<Fen> {
    Some(Fen::new(fen))
}

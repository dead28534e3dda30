//! Which faults come when: drawn from the seed before anything begins, so that a seed names a schedule. How processes interleave
//! under it is the machine's business and differs from run to run.

use std::time::Duration;

use super::kind::{Kind, Lane};

/// Faults that begin and end together, by their places in the list of kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phase {
    pub(super) faults: Vec<usize>,
}

/// The phases of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// In their order.
    pub phases: Vec<Phase>,
    /// How long each is.
    pub each: Duration,
}

impl Schedule {
    /// Draws one: every kind at least once, those that linger early.
    ///
    /// # Panics
    /// When the run is longer than anybody waits: millions of years.
    pub fn draw(kinds: &[Kind], time: Duration, rng: &mut fastrand::Rng) -> Self {
        let each = if time < Duration::from_mins(2) { Duration::from_secs(3) } else { Duration::from_secs(5) };
        let count = usize::try_from(time.as_millis() / each.as_millis()).expect("a run is short").max(2);
        let mut phases = vec![Phase::default(); count];
        for lane in [Lane::Process, Lane::Network, Lane::WeChat] {
            let bag: Vec<usize> = (0..kinds.len()).filter(|place| kinds[*place].lane() == lane).collect();
            fill(&mut phases, kinds, &bag, rng);
        }
        business(&mut phases, kinds, rng);
        Self { phases, each }
    }

    /// One more phase, of faults that did not strike.
    pub(super) fn retry(kinds: &[Kind], missed: &[usize], rng: &mut fastrand::Rng) -> Phase {
        let mut phase = Phase::default();
        for (lane, at_once) in [(Lane::Process, 1), (Lane::Network, 2), (Lane::WeChat, usize::MAX), (Lane::Business, 1)]
        {
            let mut of_lane: Vec<usize> = missed.iter().copied().filter(|place| kinds[*place].lane() == lane).collect();
            rng.shuffle(&mut of_lane);
            phase.faults.extend(of_lane.into_iter().take(at_once));
        }
        phase
    }
}

/// Spreads the faults of one lane evenly over all phases: each once, and again when there are more phases than faults. Those
/// that linger come in the first two thirds.
fn fill(phases: &mut [Phase], kinds: &[Kind], bag: &[usize], rng: &mut fastrand::Rng) {
    if bag.is_empty() {
        return;
    }
    let (count, total) = (phases.len(), phases.len().max(bag.len()));
    let early = total * 2 / 3;
    let mut order = Vec::with_capacity(total);
    while order.len() < total {
        let mut once = bag.to_vec();
        rng.shuffle(&mut once);
        order.extend(once.into_iter().take(total - order.len()));
    }
    for place in early..total {
        let fits = |other: &usize| !kinds[order[*other]].lingers();
        let others: Vec<usize> = (0..early).filter(fits).collect();
        if kinds[order[place]].lingers() && !others.is_empty() {
            order.swap(place, others[rng.usize(..others.len())]);
        }
    }
    for (place, phase) in phases.iter_mut().enumerate() {
        phase.faults.extend(&order[place * total / count..(place + 1) * total / count]);
    }
}

/// Time jumps in every other phase. An account is short of money once in a dozen phases, because all its refunds wait then.
fn business(phases: &mut [Phase], kinds: &[Kind], rng: &mut fastrand::Rng) {
    let place = |wanted: &Kind| kinds.iter().position(|kind| kind == wanted);
    if let Some(jump) = place(&Kind::Jump) {
        phases.iter_mut().skip(1).step_by(2).for_each(|phase| phase.faults.push(jump));
    }
    if let Some(short) = place(&Kind::ShortBalance) {
        for dozen in phases.chunks_mut(12) {
            let at = rng.usize(..dozen.len());
            dozen[at].faults.push(short);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_names_a_schedule_and_every_fault_is_in_it() {
        for seconds in [45, 180, 600] {
            let draw =
                |seed| Schedule::draw(&Kind::all(), Duration::from_secs(seconds), &mut fastrand::Rng::with_seed(seed));
            assert_eq!(draw(7), draw(7));
            assert_ne!(draw(7), draw(8));
            let (schedule, kinds) = (draw(7), Kind::all());
            for (place, kind) in kinds.iter().enumerate().filter(|(_, kind)| kind.lane() != Lane::Load) {
                assert!(schedule.phases.iter().any(|phase| phase.faults.contains(&place)), "{kind} in {seconds} s");
            }
        }
    }
}

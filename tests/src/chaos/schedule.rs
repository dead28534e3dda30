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
    pub fn draw(kinds: &[Kind], time: Duration, rng: &mut fastrand::Rng) -> Self {
        let each = if time < Duration::from_mins(2) { Duration::from_secs(3) } else { Duration::from_secs(5) };
        let count = usize::try_from(time.as_millis() / each.as_millis()).expect("a run is short").max(2);
        let mut phases = vec![Phase::default(); count];
        for lane in [Lane::Process, Lane::Network, Lane::WeChat, Lane::Business] {
            let bag: Vec<usize> = (0..kinds.len()).filter(|place| kinds[*place].lane() == lane).collect();
            fill(&mut phases, kinds, bag, rng);
        }
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

/// Spreads the faults of one lane over all phases: each once, and again when there are more phases than faults.
fn fill(phases: &mut [Phase], kinds: &[Kind], bag: Vec<usize>, rng: &mut fastrand::Rng) {
    if bag.is_empty() {
        return;
    }
    let (count, early) = (phases.len(), phases.len() * 2 / 3);
    let per_phase = bag.len().div_ceil(count);
    let mut waiting: Vec<usize> = Vec::new();
    for (place, phase) in phases.iter_mut().enumerate() {
        for _ in 0..per_phase {
            if waiting.is_empty() {
                waiting.clone_from(&bag);
                rng.shuffle(&mut waiting);
                // Taken from the end; lingering ones are taken first.
                waiting.sort_by_key(|fault| kinds[*fault].lingers());
                if early <= place {
                    waiting.retain(|fault| !kinds[*fault].lingers());
                }
            }
            phase.faults.extend(waiting.pop());
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

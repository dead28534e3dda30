//! Longer ways through a larger world, at random, with shrinking: more attempts, refunds, sendings and processes than a walk can
//! hold. Each way ends with everything answered, and then the world must come to rest.

use proptest::prelude::*;

use crate::{
    actions::Action,
    books::Wrong,
    config::{Config, Fault, Start},
    world::World,
};

const LARGE: Config = Config {
    name: "at random",
    start: Start::New,
    attempts: 3,
    charges: 0,
    sends: 4,
    wishes: 1,
    refunds: 4,
    refund_sends: 4,
    given_up: 0,
    console: false,
    desks: 3,
    hold: false,
    relay: true,
    fault: None,
};

/// More steps than any world needs to come to rest.
const PATIENCE: usize = 500;

/// Takes the steps that `picks` pick, each among those that are possible then.
fn go(config: &Config, picks: &[u16]) -> Result<World, Wrong> {
    let mut world = config.first();
    for pick in picks {
        let possible = world.next(config);
        let Some((action, _)) = possible.get(usize::from(*pick) % possible.len().max(1)) else { break };
        world = step(config, &world, *action)?;
    }
    Ok(world)
}

fn step(config: &Config, world: &World, action: Action) -> Result<World, Wrong> {
    let next = world.after(config, action).map_err(|why| format!("{action:?}: {why}"))?;
    next.check().map_err(|why| format!("after {action:?}: {why}"))?;
    Ok(next)
}

/// Lets happen what happens of itself: processes finish first, then time passes, then everybody asks.
fn rest(config: &Config, mut world: World) -> Result<World, Wrong> {
    for _ in 0..PATIENCE {
        if world.is_at_rest() {
            return Ok(world);
        }
        let rank = |action: &Action| match action {
            Action::Next(_) | Action::Arrives(..) | Action::Through(..) => 0,
            Action::Lost(_) => 1,
            Action::Minute | Action::Expire => 2,
            Action::Close(_) | Action::Reverse(_) | Action::Moves(..) => 4,
            _ => 3,
        };
        let calm = world.next(config).into_iter().filter(|(_, calm)| *calm).map(|(action, _)| action);
        let mut changing = Vec::new();
        for action in calm {
            let next = step(config, &world, action)?;
            if next != world {
                changing.push((rank(&action), next));
            }
        }
        let Some((_, next)) = changing.into_iter().min_by_key(|(rank, _)| *rank) else {
            return Err(format!("nothing happens of itself in {world:?}"));
        };
        world = next;
    }
    Err(format!("there is no rest from {world:?}"))
}

fn picks() -> impl Strategy<Value = Vec<u16>> {
    proptest::collection::vec(any::<u16>(), 0..160)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_in_whatever_order_every_promise_is_kept_and_the_world_comes_to_rest(
        start in prop_oneof![Just(Start::New), Just(Start::Accepted), Just(Start::Paid)],
        picks in picks(),
    ) {
        let config = Config { start, ..LARGE };
        let world = go(&config, &picks).map_err(TestCaseError::fail)?;
        rest(&config, world).map_err(TestCaseError::fail)?;
    }

    /// Charges among other attempts.
    #[test]
    fn charges_end_beside_cashiers_and_refunds(charges in 1_u8..8, picks in picks()) {
        let config = Config { charges, ..LARGE };
        let world = go(&config, &picks).map_err(TestCaseError::fail)?;
        rest(&config, world).map_err(TestCaseError::fail)?;
    }

    /// A provider that gives refunds up, so that a surplus is tried again.
    #[test]
    fn refunds_that_are_given_up_leave_nothing_behind(picks in picks()) {
        let config = Config { start: Start::Accepted, attempts: 2, wishes: 0, given_up: 2, ..LARGE };
        let world = go(&config, &picks).map_err(TestCaseError::fail)?;
        rest(&config, world).map_err(TestCaseError::fail)?;
    }
}

#[test]
fn a_fault_is_found_at_random_and_shrinks_to_a_short_way() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let config = Config { start: Start::Paid, attempts: 1, fault: Some(Fault::RefusedRefundEnds), ..LARGE };
    let found = runner.run(&picks(), |picks| go(&config, &picks).map(|_| ()).map_err(TestCaseError::fail));
    let Err(proptest::test_runner::TestError::Fail(why, picks)) = found else { panic!("it was not found: {found:?}") };
    println!("found by {} steps: {why}", picks.len());
    assert!(picks.len() < 40);
}

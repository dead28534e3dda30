//! Every way is slow.

use std::time::Duration;

use e2e::{Link, Options, proxy::Fault, reconciling::RunState, selling::MERCHANT, story};

use crate::reconcile::{next_morning, noon, sell};

/// For each chunk, each way: a continent away.
const LATE: Duration = Duration::from_millis(20);

#[test]
fn a_world_of_long_ways_sells_and_reconciles_as_any_other() {
    let options = Link::ALL.into_iter().fold(Options::default().with_reconcile(), Options::through);
    story(options, async |world| {
        let day = noon(world).await;
        for link in Link::ALL {
            world.link(link).delay(LATE);
        }
        sell(world, MERCHANT, &[100, 250]).await;
        next_morning(world).await;
        let run = world.reconcile_day(MERCHANT, day).await;
        assert_eq!((run.state(), run.matched_sum_fen), (RunState::Balanced, 350));
        for link in Link::ALL {
            assert!(1 <= world.link(link).observed(Fault::Delay), "nothing was late on {link:?}");
        }
    });
}

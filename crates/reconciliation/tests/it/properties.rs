use proptest::prelude::*;
use reconciliation::{Code, Outcome};

use crate::world::{Clean, DAY_AFTER, Damage, Expected, LATER, World};

#[derive(Clone, Copy, Debug)]
enum Story {
    Clean(Clean),
    Damage(Damage),
}

fn story() -> impl Strategy<Value = Story> {
    prop_oneof![
        prop::sample::select(&Clean::ALL[..]).prop_map(Story::Clean),
        prop::sample::select(&Damage::ALL[..]).prop_map(Story::Damage),
    ]
}

fn stories() -> impl Strategy<Value = Vec<(i64, Story)>> {
    prop::collection::vec((prop_oneof![2_i64..200, 2_i64..=100_000_000], story()), 0..40)
}

/// A day of these stories, and what must be found in it.
fn day_of(stories: &[(i64, Story)], as_of: jiff::civil::Date) -> (World, Vec<Expected>) {
    let mut world = World::default();
    world.as_of = as_of;
    // Something always moves, so that the file is there.
    world.withdraw(1);
    let mut expected = Vec::new();
    for (fen, story) in stories {
        match story {
            Story::Clean(clean) => clean.happen(&mut world, *fen),
            Story::Damage(damage) => expected.push(damage.strike(&mut world, *fen)),
        }
    }
    expected.sort();
    (world, expected)
}

fn found(outcome: &Outcome) -> Vec<Expected> {
    let mut found: Vec<_> = outcome.differences.iter().map(Expected::of).collect();
    found.sort();
    found
}

proptest! {
    #[test]
    fn every_damage_is_found_and_nothing_else(stories in stories(), early in any::<bool>()) {
        let (world, expected) = day_of(&stories, if early { DAY_AFTER } else { LATER });
        let outcome = world.outcome();
        prop_assert_eq!(found(&outcome), expected);
        prop_assert!(outcome.is_conserved());
    }

    #[test]
    fn what_waits_is_counted_apart(stories in stories()) {
        let (world, expected) = day_of(&stories, DAY_AFTER);
        let outcome = world.outcome();
        let count = |is_meant: &dyn Fn(&Expected) -> bool| {
            i64::try_from(expected.iter().filter(|it| is_meant(it)).count()).expect("a small number")
        };
        prop_assert_eq!(outcome.waiting().count, count(&|it| it.waits));
        for code in Code::ALL {
            prop_assert_eq!(outcome.tally_of(code).count, count(&|it| it.code == code && !it.waits), "{}", code);
        }
    }

    #[test]
    fn the_order_of_rows_never_changes_the_result(
        stories in stories(),
        seeds in prop::collection::vec(any::<u32>(), 1..120),
    ) {
        let (world, _) = day_of(&stories, LATER);
        let mut shuffled = world.clone();
        let mut seeds = seeds.iter().copied().cycle();
        shuffled.payments.sort_by_cached_key(|_| seeds.next());
        shuffled.refunds.sort_by_cached_key(|_| seeds.next());
        shuffled.flows.iter_mut().for_each(|flows| flows.sort_by_cached_key(|_| seeds.next()));
        let (one, other) = (world.outcome(), shuffled.outcome());
        prop_assert_eq!(one.digest(), other.digest());
        prop_assert_eq!(one, other);
    }

    #[test]
    fn the_same_inputs_give_the_same_result(stories in stories()) {
        let (world, _) = day_of(&stories, LATER);
        let (one, other) = (world.outcome(), world.outcome());
        prop_assert_eq!(one.digest_hex(), other.digest_hex());
        prop_assert_eq!(one, other);
    }

    #[test]
    fn every_fen_of_either_side_is_matched_or_in_a_named_difference(stories in stories()) {
        let (world, _) = day_of(&stories, LATER);
        let outcome = world.outcome();
        let is_of_payment = |code: Code| code <= Code::P10;
        let billed: i64 = world.payments.iter()
            .filter(|payment| payment.revoked.is_none() || payment.book.as_ref().is_some_and(|book| book.taken.is_some()))
            .filter_map(|payment| payment.billed.as_ref()).map(|row| row.total_fee.get()).sum();
        let differ = |side: fn(&reconciliation::Difference) -> Option<money::Fen>| -> i64 {
            let meant = outcome.differences.iter().filter(|found| is_of_payment(found.code));
            meant.filter_map(side).map(money::Fen::get).sum()
        };
        prop_assert_eq!(outcome.bill.sum.get(), billed);
        prop_assert_eq!(billed, outcome.matched.sum.get() + differ(|found| found.bill_amount));
        prop_assert_eq!(outcome.books.sum.get(), outcome.matched.sum.get() + differ(|found| found.book_amount));
        let moved: i64 = outcome.accounts.iter().flat_map(|account| &account.movements).map(|kind| kind.sum.get()).sum();
        let balances: i64 = outcome.accounts.iter()
            .filter_map(|account| Some(account.closing?.get() - account.opening?.get())).sum();
        prop_assert_eq!(moved, balances, "every movement is counted once");
    }
}

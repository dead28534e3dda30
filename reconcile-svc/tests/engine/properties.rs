use money::Fen;
use proptest::prelude::*;
use proptest::sample::Index;
use reconcile_svc::engine::{Code, Outcome};

use crate::day::{Day, Story};

fn story() -> impl Strategy<Value = Story> {
    prop_oneof![
        4 => Just(Story::Agrees),
        1 => Just(Story::AgreesWithoutFact),
        1 => Just(Story::AboutMidnight),
        1 => Just(Story::BilledElsewhere),
        1 => Just(Story::Pending),
        1 => Just(Story::ToldOnly),
        1 => Just(Story::Unknown),
        1 => Just(Story::BookOnly),
        1 => prop_oneof![Just(-1_i64), 1_i64..10_000].prop_map(Story::AmountDiffers),
        1 => Just(Story::Revoked),
        1 => Just(Story::Reversed),
        1 => Just(Story::ToldAndReversed),
        1 => Just(Story::Refunded),
    ]
}

fn stories() -> impl Strategy<Value = Vec<(i64, Story)>> {
    prop::collection::vec((2_i64..=100_000_000, story()), 0..40)
}

fn sum_of(outcome: &Outcome, side: fn(&reconcile_svc::engine::Difference) -> Option<Fen>) -> i64 {
    outcome.differences.iter().filter_map(side).map(Fen::get).sum()
}

proptest! {
    #[test]
    fn every_difference_and_nothing_else_is_named(stories in stories()) {
        let outcome = Day::of(&stories).outcome();
        for code in Code::ALL {
            let expected = stories.iter().filter(|(_, story)| story.code() == Some(code)).count();
            let tally = outcome.tally_of(code).expect("these sums fit");
            prop_assert_eq!(tally.count, i64::try_from(expected).expect("a small number"), "{}", code);
        }
    }

    #[test]
    fn every_fen_of_either_side_is_matched_or_in_a_named_difference(stories in stories()) {
        let day = Day::of(&stories);
        let outcome = day.outcome();
        let is_reversed = |story: &Story| matches!(story, Story::Reversed | Story::ToldAndReversed);
        let reversed: i64 = stories.iter().filter(|(_, story)| is_reversed(story)).map(|(fen, _)| fen).sum();
        let paid: i64 = day.bill.iter()
            .filter(|row| row.kind == reconcile_svc::engine::RowKind::Payment).map(|row| row.fen).sum();
        let billed = paid - reversed;
        prop_assert_eq!(outcome.bill.sum.get(), billed);
        prop_assert_eq!(billed, outcome.matched.sum.get() + sum_of(&outcome, |found| found.bill_amount));
        prop_assert_eq!(outcome.books.sum.get(), outcome.matched.sum.get() + sum_of(&outcome, |found| found.book_amount));
        prop_assert!(outcome.is_conserved());
    }

    #[test]
    fn the_order_of_rows_never_changes_the_result(
        stories in stories(),
        seeds in prop::collection::vec(any::<u32>(), 120),
    ) {
        let day = Day::of(&stories);
        let mut shuffled = day.clone();
        let mut seeds = seeds.iter().copied().cycle();
        shuffled.bill.sort_by_cached_key(|_| seeds.next());
        shuffled.books.sort_by_cached_key(|_| seeds.next());
        shuffled.issued.sort_by_cached_key(|_| seeds.next());
        prop_assert_eq!(day.outcome(), shuffled.outcome());
    }

    #[test]
    fn one_fen_changed_anywhere_in_the_bill_or_the_books_is_found(
        mut stories in prop::collection::vec((2_i64..=100_000_000, Just(Story::Agrees)), 1..30),
        which in any::<Index>(),
        leg in 0..4,
        by in prop_oneof![Just(-1_i64), Just(1)],
    ) {
        stories.truncate(30);
        let mut day = Day::of(&stories);
        let index = which.index(stories.len());
        let clean = day.outcome();
        prop_assert!(clean.differences.is_empty());
        let changed = Some(Fen::new(stories[index].0 + by));
        match leg {
            0 => day.bill[index].fen += by,
            1 => day.books[index].issued_amount = changed,
            2 => day.books[index].order_amount = changed,
            _ => day.books[index].fact_amount = changed,
        }
        let outcome = day.outcome();
        prop_assert_eq!(outcome.differences.len(), 1);
        prop_assert_eq!(outcome.differences[0].code, Code::P6);
        if leg != 0 {
            prop_assert_ne!(outcome.books_digest, clean.books_digest);
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_result(stories in stories()) {
        let day = Day::of(&stories);
        prop_assert_eq!(day.outcome(), day.outcome());
    }
}

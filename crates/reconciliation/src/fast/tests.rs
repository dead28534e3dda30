//! Whatever the quick way takes, the ordinary one takes with the same result.

use proptest::prelude::*;

use super::{Sharing, sift};
use crate::reading::read_with;
use crate::{Outcome, Refused};

mod flows;

#[path = "../../tests/world/mod.rs"]
#[expect(dead_code, unused_imports, reason = "tests of the outside need more of it")]
mod world;

use world::{Clean, DAY_AFTER, Damage, Files, LATER, World};

/// So small that every row is a piece of its own.
const SHARING: Sharing = Sharing { threads: 2, piece_bytes: 64 };

fn world(clean: &[(Clean, i64)], damage: &[(Damage, i64)], early: bool) -> World {
    let mut world = World::default();
    world.as_of = if early { DAY_AFTER } else { LATER };
    for (clean, fen) in clean {
        clean.happen(&mut world, *fen);
    }
    for (damage, fen) in damage {
        damage.strike(&mut world, *fen);
    }
    world
}

/// As that, of a merchant whose fund flows cannot be fetched.
fn without_funds(clean: &[(Clean, i64)], damage: &[(Damage, i64)]) -> World {
    let mut world = world(clean, damage, false);
    world.fetched[0] = false;
    world
}

fn worlds() -> impl Strategy<Value = World> {
    let fen = || prop_oneof![2_i64..200, 2_i64..=100_000_000];
    // Most of a day agrees.
    let clean =
        prop_oneof![3 => Just(Clean::Paid), 1 => Just(Clean::Refunded), 2 => prop::sample::select(&Clean::ALL[..])];
    let damage = prop::sample::select(&Damage::ALL[..]);
    let days =
        (prop::collection::vec((clean, fen()), 0..40), prop::collection::vec((damage, fen()), 0..8), any::<bool>());
    let fetched = prop_oneof![3 => Just(true), 1 => Just(false)];
    (days, fetched).prop_map(|((clean, damage, early), fetched)| {
        let mut world = world(&clean, &damage, early);
        world.fetched[0] = fetched;
        world
    })
}

/// As the ordinary way has it.
fn ordinary(world: &World, files: &Files) -> Result<Outcome, Refused> {
    let reading = read_with(&world.inputs(files), None)?;
    let answers = world.answers(&reading.questions());
    reading.conclude(&answers)
}

/// As the quick way has it; `None` when it does not take the files.
fn quick(world: &World, files: &Files) -> Option<Result<Outcome, Refused>> {
    quick_shared(world, files, SHARING)
}

fn quick_shared(world: &World, files: &Files, sharing: Sharing) -> Option<Result<Outcome, Refused>> {
    let inputs = world.inputs(files);
    let sifted = sift(&inputs, sharing)?;
    Some(read_with(&inputs, Some(sifted)).and_then(|reading| {
        let answers = world.answers(&reading.questions());
        reading.conclude(&answers)
    }))
}

fn agree(world: &World, files: &Files) -> Result<bool, TestCaseError> {
    let quick = quick(world, files);
    let taken = quick.is_some();
    if let Some(quick) = quick {
        prop_assert_eq!(quick, ordinary(world, files));
    }
    Ok(taken)
}

/// The lines of `file` from the first to before the last ones in another order.
fn shuffled(file: &[u8], heads: usize, tails: usize, seed: u32) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let end = lines.len().saturating_sub(tails);
    if heads < end {
        let body = &mut lines[heads..end];
        let mut random = u64::from(seed);
        for at in (1..body.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            body.swap(at, usize::try_from(random >> 33).expect("31 bits") % (at + 1));
        }
    }
    lines.concat()
}

#[test]
fn a_day_that_agrees_leaves_no_rows() {
    let world = without_funds(&[(Clean::Paid, 100), (Clean::PaidWithCoupon, 31), (Clean::Refunded, 7)], &[]);
    let files = world.files();
    let sifted = sift(&world.inputs(&files), SHARING).expect("the files are usual");
    assert_eq!((sifted.payments.count, sifted.payments.sum.get()), (3, 138));
    assert_eq!((sifted.refunds.count, sifted.refunds.sum.get()), (1, 3));
    assert_eq!((sifted.rows.len(), sifted.book_payments.len(), sifted.book_refunds.len()), (0, 0, 0));
}

#[test]
fn a_row_that_seems_to_be_like_the_one_before_and_is_not_is_taken_all_the_same() {
    let mut clean = vec![(Clean::Paid, 100); 30];
    clean.push((Clean::Refunded, 70));
    let world = without_funds(&clean, &[]);
    let files = world.files();
    let one_thread = Sharing { threads: 1, piece_bytes: 1 << 20 };
    for seed in 0..20 {
        let trade = shuffled(files.trade.as_deref().expect("there is a bill"), 1, 2, seed);
        let files = Files { trade: Some(trade), ..files.clone() };
        let sifted = sift(&world.inputs(&files), one_thread).expect("the files are usual");
        // The number of a refund is as long as what stands in its place and the next ones in a payment.
        assert_eq!((sifted.rows.len(), sifted.payments.count, sifted.refunds.count), (0, 31, 1));
    }
}

#[test]
fn a_day_without_bill_or_books_is_taken() {
    let paid = world(&[(Clean::Paid, 100)], &[], false);
    let files = paid.files();
    for files in [
        Files { trade: None, ..files.clone() },
        Files { payments: Vec::new(), ..files.clone() },
        Files { trade: None, payments: Vec::new(), ..files },
    ] {
        assert!(agree(&paid, &files).expect("both ways agree"));
    }
}

/// Whether every case of `cases` is taken, or none; that both ways agree about it in any case.
fn every(world: &World, is_taken: bool, cases: impl IntoIterator<Item = Files>) {
    for (case, files) in cases.into_iter().enumerate() {
        assert_eq!(agree(world, &files).expect("both ways agree"), is_taken, "case {case}");
    }
}

fn edited(files: &Files, edit: impl Fn(String) -> String) -> Files {
    let trade = files.trade.clone().map(|file| edit(String::from_utf8(file).expect("text")).into_bytes());
    Files { trade, ..files.clone() }
}

#[test]
fn unusual_rows_are_taken_as_rows() {
    let world = world(&[(Clean::Paid, 100), (Clean::Refunded, 70), (Clean::Reversed, 9)], &[], false);
    let files = world.files();
    every(
        &world,
        true,
        [
            // LF alone; an amount with one decimal; a number that is no digits; a full-width colon; a long name.
            edited(&files, |bill| bill.replace("\r\n", "\n")),
            edited(&files, |bill| bill.replacen("`1.00,", "`1.0,", 1)),
            edited(&files, |bill| bill.replacen("`4200000001,", "`X200000001,", 1)),
            edited(&files, |bill| bill.replacen("12:00:00", "12：00：00", 1)),
            edited(&files, |bill| bill.replace("绿`茶", &"绿,".repeat(900))),
            // Line breaks inside values, and spaces before a row.
            edited(&files, |bill| bill.replace("绿`茶", "绿\r\n 茶\n")),
            edited(&files, |bill| bill.replacen("`OTHERS", "`OTH\nERS", 1)),
            edited(&files, |bill| bill.replacen("\r\n`", "\r\n `", 1)),
        ],
    );
}

#[test]
fn what_the_ordinary_reader_must_refuse_or_read_is_left_to_it() {
    let world = world(&[(Clean::Paid, 100), (Clean::Paid, 100), (Clean::Refunded, 70)], &[], false);
    let files = world.files();
    let twice = |bill: String| {
        let row = bill.lines().nth(1).expect("a row").to_owned();
        bill.replacen(&row, &format!("{row}\r\n{row}"), 1)
    };
    every(
        &world,
        false,
        [
            edited(&files, twice),
            edited(&files, |bill| bill.replacen("`CNY", "`USD", 1)),
            // A value that begins with a line break ends its row when the next line begins as one.
            edited(&files, |bill| bill.replace("绿`茶", "\n`茶")),
            edited(&files, |bill| bill.replacen("`1900000001", "`1900000002", 1)),
            edited(&files, |bill| bill.replacen("2026-11-20", "2026-11-21", 1)),
            edited(&files, |bill| bill.replacen("12:00:00", "24:00:00", 1)),
            edited(&files, |bill| bill.replacen("`1.00,", "`1.001,", 1)),
            edited(&files, |bill| bill.replacen("`1.00,", "`-1.00,", 1)),
            edited(&files, |bill| bill.replacen("`1.00,", "`2.00,", 1)),
            edited(&files, |bill| bill.replacen("`SUCCESS", "`UNHEARD", 1)),
            edited(&files, |bill| bill.replacen("绿`茶", "绿,`茶", 1)),
            edited(&files, |bill| bill.replacen("\r\n`", "\r\n\r\n`", 1)),
            edited(&files, |bill| bill.replacen("绿`茶", &"\n".repeat(65), 1)),
            edited(&files, |bill| bill.replace("订单金额", "订单额")),
            edited(&files, |bill| bill + "x"),
            edited(&files, |bill| bill[..bill.len() / 2].to_owned()),
            edited(&files, |_| String::new()),
            Files { payments: [files.payments.clone(), files.payments.clone()].concat(), ..files.clone() },
            Files { payments: files.payments[..files.payments.len() - 1].to_vec(), ..files.clone() },
            Files { payments: b"x\n".to_vec(), ..files.clone() },
        ]
        .into_iter()
        .filter(|case| !is_same(case, &files)),
    );
}

fn file_mut(files: &mut Files, file: usize) -> &mut Vec<u8> {
    match file {
        0 => files.trade.get_or_insert_default(),
        1 => &mut files.payments,
        2 => &mut files.refunds,
        _ => files.funds[0].get_or_insert_default(),
    }
}

/// An edit that found nothing to edit proves nothing.
fn is_same(one: &Files, other: &Files) -> bool {
    assert_ne!(one, other);
    false
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn random_days_give_the_same_either_way(world in worlds()) {
        prop_assert!(agree(&world, &world.files())?, "a usual file is taken");
    }

    #[test]
    fn the_order_of_lines_does_not_matter_nor_how_work_is_shared(
        world in worlds(),
        seed: u32,
        threads in 1..4_usize,
        piece_bytes in 1..4000_usize,
    ) {
        let files = world.files();
        let other = Files {
            trade: files.trade.as_ref().map(|file| shuffled(file, 1, 2, seed)),
            payments: shuffled(&files.payments, 0, 0, seed),
            refunds: shuffled(&files.refunds, 0, 0, seed),
            ..files.clone()
        };
        let usual = quick(&world, &files);
        prop_assert_eq!(&usual, &quick(&world, &other));
        prop_assert_eq!(usual, quick_shared(&world, &files, Sharing { threads, piece_bytes }));
        agree(&world, &other)?;
    }

    #[test]
    fn a_damaged_file_is_refused_with_the_same_words_or_read_with_the_same_result(
        world in worlds(),
        file in 0..4_usize,
        at: prop::sample::Index,
        damage in prop_oneof![any::<u8>().prop_map(Ok), "[`,\\n\t0-9.a-f -]{0,3}".prop_map(Err)],
        length in 0..2_usize,
    ) {
        let mut files = world.files();
        let bytes = file_mut(&mut files, file);
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            let damage = damage.map_or_else(String::into_bytes, |byte| vec![byte]);
            bytes.splice(at..(at + length).min(bytes.len()), damage);
        }
        agree(&world, &files)?;
    }

    #[test]
    fn lines_that_are_lost_or_come_twice_give_the_same_either_way(
        world in worlds(),
        file in 0..4_usize,
        at: prop::sample::Index,
        twice: bool,
    ) {
        let mut files = world.files();
        let bytes = file_mut(&mut files, file);
        let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        if !lines.is_empty() {
            let line = lines.remove(at.index(lines.len()));
            if twice {
                lines.extend([line.clone(), line]);
            }
        }
        *bytes = lines.concat();
        agree(&world, &files)?;
    }
}

//! The fund flow, either way.

use proptest::prelude::*;

use super::world::{Clean, DAY, Damage, Files, Flow, World, fund_flow};
use super::{SHARING, Sharing, agree, every, is_same, ordinary, quick, quick_shared, sift, world, worlds};
use crate::MovementState;

const USUAL: [(Clean, i64); 5] = [
    (Clean::Paid, 10_000),
    (Clean::PaidWithCoupon, 3_100),
    (Clean::PaidByCouponAlone, 70),
    (Clean::Refunded, 7_000),
    (Clean::Withdrawn, 5),
];

fn edited(files: &Files, edit: impl Fn(String) -> String) -> Files {
    let mut edited = files.clone();
    edited.funds[0] = files.funds[0].clone().map(|file| edit(String::from_utf8(file).expect("text")).into_bytes());
    edited
}

/// Every movement of the basic account.
fn flows(world: &World) -> Vec<Flow> {
    let of_payments = world.payments.iter().flat_map(|payment| &payment.flows);
    let of_trades = of_payments.chain(world.refunds.iter().flat_map(|refund| &refund.flows));
    of_trades.chain(&world.flows[0]).cloned().collect()
}

/// The files with these movements of the basic account instead.
fn with_flows(world: &World, flows: &[Flow]) -> Files {
    let mut files = world.files();
    files.funds[0] = (!flows.is_empty()).then(|| fund_flow(DAY, flows, world.openings[0]));
    files
}

#[test]
fn a_day_whose_money_moved_as_it_must_leaves_nothing() {
    let world = world(&USUAL, &[], false);
    let files = world.files();
    for sharing in [SHARING, Sharing { threads: 1, piece_bytes: 1 << 20 }] {
        let sifted = sift(&world.inputs(&files), sharing).expect("the files are usual");
        assert_eq!((sifted.payments.count, sifted.refunds.count), (4, 1));
        assert_eq!((sifted.rows.len(), sifted.book_payments.len(), sifted.book_refunds.len()), (0, 0, 0));
        let basic = sifted.basic.expect("there is a fund flow");
        assert_eq!((basic.flow.state, basic.flow.movements.len()), (MovementState::Read, 0));
        let mut moved: Vec<_> =
            basic.moved.iter().map(|(word, of_trades, tally)| (word.as_str(), *of_trades, tally.count)).collect();
        moved.sort_unstable();
        let usual = [("交易", true, 3), ("扣除交易手续费", true, 3), ("提现", false, 1)];
        assert_eq!(moved, [&usual[..], &[("返还交易手续费", true, 1), ("退款", true, 1)]].concat());
    }
}

#[test]
fn only_what_did_not_move_as_it_must_is_left() {
    let world =
        world(&USUAL, &[(Damage::NotMoved, 500), (Damage::MovedOther, 600), (Damage::ChargedOther, 9_000)], false);
    let files = world.files();
    for sharing in [SHARING, Sharing { threads: 1, piece_bytes: 1 << 20 }] {
        let sifted = sift(&world.inputs(&files), sharing).expect("the files are usual");
        assert_eq!((sifted.payments.count, sifted.rows.len(), sifted.book_payments.len()), (4, 3, 3));
        assert_eq!(sifted.basic.expect("there is a fund flow").flow.movements.len(), 4);
    }
    assert!(agree(&world, &files).expect("both ways agree"));
}

#[test]
fn books_in_another_order_are_found_again_all_the_same() {
    let world =
        world(&USUAL, &[(Damage::NotMoved, 500), (Damage::RefundNotMoved, 600), (Damage::MovedTwice, 900)], false);
    let files = world.files();
    let reversed = |file: &[u8]| file.split_inclusive(|byte| *byte == b'\n').rev().collect::<Vec<_>>().concat();
    let files = Files { payments: reversed(&files.payments), refunds: reversed(&files.refunds), ..files };
    assert!(agree(&world, &files).expect("both ways agree"));
}

#[test]
fn unusual_rows_of_a_fund_flow_are_taken_as_rows() {
    let world = world(&USUAL, &[(Damage::Complained, 5)], false);
    let files = world.files();
    let cases = [
        edited(&files, |file| file.replace("\r\n", "\n")),
        edited(&files, |file| file.replace("12:00:00", "12：00：00")),
        edited(&files, |file| file.replacen("收入,`100.00,", "收入,`100.0,", 1)),
        edited(&files, |file| file.replacen("收入,`100.00,", "收入,`100,", 1)),
        edited(&files, |file| file.replace("`4200000001,", "`X200000001,")),
        edited(&files, |file| file.replace("`4200000001,", "`04200000001,")),
        edited(&files, |file| file.replace("`4200000001,", "`,")),
        edited(&files, |file| file.replacen("`19000000000010,", "`F-1,", 1)),
        edited(&files, |file| file.replace("缺货", "缺\r\n 货\n")),
        edited(&files, |file| file.replacen("system", "sys,tem", 1)),
        edited(&files, |file| file.replacen("\r\n`", "\r\n `", 1)),
        edited(&files, |file| file.replace("`扣除交易手续费,`支出", "`扣除交易手续费 ,`支出")),
        edited(&files, |file| file.replacen("`交易,`收入", "`交易, 好,`收入", 1)),
        without_vouchers(&files),
        // What follows the wrong column is still what it must be.
        edited(&files, |file| file.replacen("`交易,`收入", "`交易交易,`收入", 1)),
    ];
    every(&world, true, cases.into_iter().filter(|case| !is_same(case, &files)));
}

#[test]
fn a_fund_flow_that_the_ordinary_reader_must_refuse_or_read_is_left_to_it() {
    let world = world(&USUAL, &[], false);
    let files = world.files();
    let line = |file: &str, at: usize| file.lines().nth(at).expect("a line").to_owned();
    // The file with another value in one place.
    let with = |at: usize, column: usize, value: &'static str| {
        move |file: String| {
            let whole = line(&file, at);
            let mut values: Vec<&str> = whole.split(",`").collect();
            values[column] = value;
            file.replacen(&whole, &values.join(",`"), 1)
        }
    };
    let (first, last, summary) = (1, 9, 11);
    let twice = |file: String| {
        let row = line(&file, 1);
        file.replacen(&row, &format!("{row}\r\n{row}"), 1)
    };
    let number_twice = |file: String| {
        let number = |at| line(&file, at).split(",`").nth(2).expect("a number").to_owned();
        file.replacen(&number(2), &number(4), 1)
    };
    let cases = [
        edited(&files, twice),
        edited(&files, number_twice),
        edited(&files, |file| file.replacen("2026-11-20", "2026-11-21", 1)),
        edited(&files, with(2, 0, "`2026-11-21 12：00：00")),
        edited(&files, |file| file.replacen("12:00:00", "24:00:00", 1)),
        edited(&files, |file| file.replacen("`收入", "`进账", 1)),
        edited(&files, |file| file.replacen("`收入", "`支出", 1)),
        edited(&files, |file| file.replacen("收入,`100.00,", "收入,`100.001,", 1)),
        edited(&files, |file| file.replacen("收入,`100.00,", "收入,`-100.00,", 1)),
        edited(&files, |file| file.replacen("收入,`100.00,", "收入,`100.01,", 1)),
        edited(&files, |file| file.replacen("收入,`100.00,", "收入,`900000000000.00,", 1)),
        edited(&files, with(first, 7, "1000100.01")),
        edited(&files, with(last, 7, "1000100.01")),
        edited(&files, with(4, 7, "1000100.001")),
        edited(&files, with(4, 7, "")),
        edited(&files, |file| file.replacen("`19000000000010,", "`,", 1)),
        edited(&files, |file| file.replacen("`19000000000010,", "`1900\u{200b},", 1)),
        edited(&files, |file| file.replacen("`4200000001,", "`4200\u{feff},", 1)),
        edited(&files, |file| file.replacen("`交易,`收入", "`,`收入", 1)),
        edited(&files, |file| file.replacen("缺货", "缺,`货", 1)),
        edited(&files, |file| file.replacen("缺货", &"\n".repeat(65), 1)),
        edited(&files, |file| file.replacen("\r\n`", "\r\n\r\n`", 1)),
        edited(&files, |file| file.replacen("\r\n`", "\r\n总交易单数\r\n`", 1)),
        edited(&files, |file| file.replace("业务类型", "业务型")),
        edited(&files, |file| file.replace("业务名称", "业务类型")),
        edited(&files, with(summary, 0, "`99.0")),
        edited(&files, with(summary, 1, "9.0")),
        edited(&files, with(summary, 2, "9.00")),
        edited(&files, with(summary, 3, "9.0")),
        edited(&files, with(summary, 4, "9.00")),
        edited(&files, |file| file + "x"),
        edited(&files, |file| file.lines().take(3).collect::<Vec<_>>().join("\r\n")),
        edited(&files, |_| String::new()),
    ];
    every(&world, false, cases.into_iter().filter(|case| !is_same(case, &files)));
    // Remarks in between, and remarks at the end.
    for files in [files.clone(), without_vouchers(&files)] {
        for at in 0..files.funds[0].as_ref().expect("a file").len() {
            let mut broken = files.clone();
            broken.funds[0].as_mut().expect("a file")[at] = 0xff;
            assert!(quick(&world, &broken).is_none(), "no text at {at}");
        }
    }
}

fn without_vouchers(files: &Files) -> Files {
    edited(files, |file| file.replace(",业务凭证号", "").replace("`缺货,`\r\n", "`缺货\r\n"))
}

#[test]
fn a_number_of_both_a_payment_and_a_refund_or_of_a_reversal_is_given_away_once() {
    let mut world = world(&[(Clean::Refunded, 7_000), (Clean::Paid, 50), (Clean::Reversed, 60)], &[], false);
    let same = world.payments[1].row().transaction_id.clone();
    for reversal in [false, true] {
        let row = if reversal {
            world.payments[2].revoked.as_mut().expect("it is reversed")
        } else {
            world.refunds[0].billed.as_mut().expect("it is in the bill")
        };
        row.refund.as_mut().expect("it has a number").refund_id.clone_from(&same);
        if !reversal {
            world.refunds[0].book_mut().refund_id = Some(same.clone());
        }
        assert!(agree(&world, &world.files()).expect("both ways agree"));
    }
}

#[test]
fn a_merchant_who_settles_fees_apart_has_no_fees_to_miss() {
    let world = world(&USUAL, &[(Damage::MovedOther, 600)], false);
    let principals: Vec<Flow> = flows(&world).into_iter().filter(|flow| !flow.kind.contains("手续费")).collect();
    let files = with_flows(&world, &principals);
    assert!(agree(&world, &files).expect("both ways agree"));
    assert_eq!(sift(&world.inputs(&files), SHARING).expect("usual").rows.len(), 1);
    // A fee of whatever else, and every trade must have its own.
    let fee = Flow::new(9_999, "4777", "扣除交易手续费", -1);
    let files = with_flows(&world, &[principals, vec![fee]].concat());
    assert!(agree(&world, &files).expect("both ways agree"));
    assert!(1 < sift(&world.inputs(&files), SHARING).expect("usual").rows.len());
}

#[test]
fn a_fund_flow_without_movements_or_without_a_bill_is_taken() {
    let world = world(&USUAL, &[], false);
    let mut files = world.files();
    files.funds[0] = Some(fund_flow(DAY, &[], world.openings[0]));
    assert!(agree(&world, &files).expect("both ways agree"));
    let files = Files { trade: None, ..world.files() };
    assert!(agree(&world, &files).expect("both ways agree"));
}

const WORDS: [&str; 10] =
    ["交易", "退款", "撤销", "退款关闭", "扣除交易手续费", "返还交易手续费", "提现", "转账给你", "投诉", " 交易"];

fn more_flows() -> impl Strategy<Value = Vec<(prop::sample::Index, &'static str, i64)>> {
    prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&WORDS[..]), -50_i64..50), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn movements_in_any_order_with_any_others_among_them_give_the_same_either_way(
        world in worlds(),
        more in more_flows(),
        seeds in prop::collection::vec(any::<u32>(), 1..120),
        threads in 1..4_usize,
        piece_bytes in 1..4000_usize,
    ) {
        let mut moved = flows(&world);
        for (at, (place, word, fen)) in more.into_iter().enumerate() {
            let number = if moved.is_empty() { "4277".to_owned() } else { place.get(&moved).number.clone() };
            moved.push(Flow::new(70_000_000 + at as u64, &number, word, fen));
        }
        let mut seeds = seeds.iter().copied().cycle();
        moved.sort_by_cached_key(|_| seeds.next());
        let files = with_flows(&world, &moved);
        let quick = quick_shared(&world, &files, Sharing { threads, piece_bytes });
        prop_assert!(quick.is_some(), "a usual file is taken");
        prop_assert_eq!(quick, Some(ordinary(&world, &files)));
    }

    #[test]
    fn a_movement_that_comes_twice_is_found_wherever_it_stands(
        world in worlds(),
        one: prop::sample::Index,
        other: prop::sample::Index,
        threads in 1..4_usize,
        piece_bytes in 1..2000_usize,
    ) {
        let mut moved = flows(&world);
        prop_assume!(!moved.is_empty());
        let again = one.get(&moved).clone();
        moved.insert(other.index(moved.len()), again);
        let files = with_flows(&world, &moved);
        let mut world = world;
        world.fetched[0] = true;
        prop_assert_eq!(quick_shared(&world, &files, Sharing { threads, piece_bytes }), None);
        prop_assert!(ordinary(&world, &files).is_err());
    }
}

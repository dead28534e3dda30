use jiff::civil::date;
use money::Fen;
use reconciliation::books::OrderState;
use reconciliation::{AccountKind, Code, MovementKind, MovementState};

use super::{codes, only};
use crate::world::{DAY_AFTER, DAY_BEFORE, Flow, World};

fn paid() -> World {
    let mut world = World::default();
    world.withdraw(5);
    world.pay(10_000);
    world
}

#[test]
fn a_trade_without_its_movement_is_f2_from_the_third_day_after() {
    let mut world = paid();
    world.payments[0].flows.clear();
    for (as_of, due) in [
        (DAY_AFTER, Some(date(2026, 11, 23))),
        (date(2026, 11, 22), Some(date(2026, 11, 23))),
        (date(2026, 11, 23), None),
    ] {
        world.as_of = as_of;
        let outcome = world.outcome();
        let found = only(&outcome);
        assert_eq!((found.code, found.due, found.risk), (Code::F2, due, Fen::new(10_000)));
        assert_eq!(outcome.matched.count, 1, "bill and books agree all the same");
    }
}

/// A payment of 10,000 fen that moved nothing here and so much on the day after, and another one that shows that fees move.
fn moved_elsewhere(principal: i64, fee: i64) -> World {
    let mut world = paid();
    world.payments[0].flows.clear();
    world.payments[0].moves_elsewhere(principal, fee);
    world.pay(500);
    world
}

#[test]
fn a_trade_that_another_days_fund_flow_has_is_no_f2_and_any_other_amount_there_is() {
    assert_eq!(codes(&moved_elsewhere(10_000, 60)), []);
    for (moved, risk) in [(9_999, 1), (1, 9_999), (10_001, 1)] {
        let outcome = moved_elsewhere(moved, 60).outcome();
        let found = only(&outcome);
        assert_eq!((found.code, found.due, found.risk), (Code::F2, None, Fen::new(risk)));
        assert!(found.explanation.ends_with("with what moved on 2026-11-21."), "{}", found.explanation);
    }
    let mut world = moved_elsewhere(0, 60);
    world.as_of = DAY_AFTER;
    let outcome = world.outcome();
    assert_eq!((only(&outcome).code, only(&outcome).risk), (Code::F2, Fen::new(10_000)), "a fee alone moves no money");
    assert_eq!(only(&outcome).due, Some(date(2026, 11, 23)));
    let mut world = moved_elsewhere(10_000, 60);
    world.payments[0].book_mut().moved = None;
    assert_eq!(codes(&world), [], "an earlier release did not write down how much");
}

#[test]
fn of_a_coupon_that_moves_nothing_the_rest_moves_on_another_day_or_all_of_it() {
    for (moved, expected) in [(70, vec![]), (100, vec![]), (71, vec![Code::F2]), (69, vec![Code::F2])] {
        let mut world = paid();
        let payment = world.pay(100).with_coupon(30, false);
        payment.flows.clear();
        payment.moves_elsewhere(moved, 0);
        assert_eq!(codes(&world), expected, "{moved}");
    }
}

#[test]
fn what_moved_on_two_days_is_judged_together() {
    for (here, there, risk) in [(6_000, 4_000, None), (6_000, 3_999, Some(1)), (10_000, 10_000, Some(10_000))] {
        let mut world = paid();
        world.payments[0].flows[0].fen = here;
        world.payments[0].moves_elsewhere(there, 0);
        let outcome = world.outcome();
        let found: Vec<_> = outcome.differences.iter().map(|found| (found.code, found.risk.get())).collect();
        assert_eq!(found, risk.map(|risk| (Code::F2, risk)).into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_fee_that_was_charged_on_another_day_is_the_bills_within_a_fen() {
    for (fee, risk) in [(60, None), (61, None), (59, None), (62, Some(2)), (0, Some(60)), (10_000, Some(9_940))] {
        let outcome = moved_elsewhere(10_000, fee).outcome();
        let found: Vec<_> = outcome.differences.iter().map(|found| (found.code, found.risk.get())).collect();
        assert_eq!(found, risk.map(|risk| (Code::F1, risk)).into_iter().collect::<Vec<_>>(), "{fee}");
    }
    let mut world = paid();
    world.payments[0].flows.truncate(1);
    world.pay(500);
    assert_eq!(codes(&world), [Code::F1], "not charged");
    world.payments[0].moves_elsewhere(0, 60);
    assert_eq!(codes(&world), [], "charged on the day after");
}

#[test]
fn a_payments_money_on_another_day_is_not_its_reversals() {
    let mut world = paid();
    let payment = world.pay(1_000).told_only(OrderState::Open).reverse();
    payment.flows.clear();
    payment.moves_elsewhere(1_000, 6);
    let outcome = world.outcome();
    assert_eq!((only(&outcome).code, only(&outcome).key.refund_id.is_empty()), (Code::F2, false));
}

#[test]
fn a_trade_that_moved_on_another_day_does_not_move_here_again() {
    let moves = |there: i64| {
        let mut world = paid();
        let payment = world.pay(1_000);
        payment.billed = None;
        payment.book_mut().paid_date = DAY_BEFORE;
        payment.moves_elsewhere(there, 0);
        world
    };
    let outcome = moves(1_000).outcome();
    assert_eq!((only(&outcome).code, only(&outcome).risk), (Code::F3, Fen::new(1_000)));
    assert_eq!(codes(&moves(1)), [Code::F3], "not all of it can be its own");
    assert_eq!(codes(&moves(0)), []);
}

#[test]
fn a_trade_that_moved_another_amount_is_f2_at_once() {
    let mut world = paid();
    world.payments[0].flows[0].fen = 10_001;
    world.as_of = DAY_AFTER;
    let outcome = world.outcome();
    assert_eq!((only(&outcome).code, only(&outcome).due, only(&outcome).risk), (Code::F2, None, Fen::new(1)));
    assert_eq!(only(&outcome).explanation, "The payment of 100.00 yuan moved 100.01 yuan.");
}

#[test]
fn what_is_settled_moves_or_the_whole_order_amount() {
    for (moved, expected) in [(70, vec![]), (100, vec![]), (71, vec![Code::F2])] {
        let mut world = World::default();
        world.pay(100).with_coupon(30, false).flows[0].fen = moved;
        assert_eq!(codes(&world), expected, "{moved}");
    }
}

#[test]
fn money_that_leaves_under_a_payments_number_is_not_its_movement() {
    let mut world = paid();
    world.payments[0].flows[0].fen = -10_000;
    assert_eq!(codes(&world), [Code::F2, Code::F3]);
}

#[test]
fn a_second_movement_of_one_payment_is_f3() {
    let mut world = paid();
    let number = world.payments[0].row().transaction_id.clone();
    world.flows[0].push(Flow::new(9_000, &number, "交易", 10_000));
    let outcome = world.outcome();
    let found = only(&outcome);
    assert_eq!((found.code, found.key.account, found.risk), (Code::F3, Some(AccountKind::Basic), Fen::new(10_000)));
}

#[test]
fn movements_that_need_no_trade_are_counted_by_kind() {
    let mut world = World::default();
    for (at, kind) in ["提现", "充值", "企业付款", "转账到零钱", "提现"].into_iter().enumerate() {
        world.flows[0].push(Flow::new(at as u64, &format!("15{at}"), kind, -10));
    }
    world.send_red_packet(300);
    world.flows[1].push(Flow::new(50, "10", "现金红包退款", 100));
    let outcome = world.outcome();
    assert_eq!(outcome.differences, []);
    let kind =
        |kind: &str, count, fen| MovementKind { kind: kind.to_owned(), count, sum: Fen::new(fen), of_trades: false };
    let basic = [kind("企业付款", 1, -10), kind("充值", 1, -10), kind("提现", 2, -20), kind("转账到零钱", 1, -10)];
    assert_eq!(outcome.accounts[0].movements, basic);
    assert_eq!(outcome.accounts[1].movements, [kind("现金红包", 1, -300), kind("现金红包退款", 1, 100)]);
}

#[test]
fn every_movement_of_a_trade_is_counted_as_one() {
    let mut world = paid();
    world.refund(0, 4_000);
    let of_trades: Vec<_> =
        world.outcome().accounts[0].movements.iter().map(|kind| (kind.kind.clone(), kind.of_trades)).collect();
    let named = |kind: &str, of_trades| (kind.to_owned(), of_trades);
    assert_eq!(
        of_trades,
        [
            named("交易", true),
            named("扣除交易手续费", true),
            named("提现", false),
            named("返还交易手续费", true),
            named("退款", true)
        ]
    );
}

#[test]
fn a_trades_kind_without_a_trade_and_a_word_that_nobody_knows_are_f3() {
    for kind in ["交易", "退款", "撤销", "退款关闭", "扣除交易手续费", "返还交易手续费", "交易投诉扣款", "新业务"]
    {
        for account in [0, 1] {
            let mut world = World::default();
            world.flows[account].push(Flow::new(1, "4377", kind, -70));
            let outcome = world.outcome();
            let found = only(&outcome);
            assert_eq!(
                (found.code, found.repair, found.risk, found.due),
                (Code::F3, None, Fen::new(70), None),
                "{kind}"
            );
            assert!(
                found.explanation.contains(kind) && found.explanation.contains("0.70 yuan left"),
                "{}",
                found.explanation
            );
            assert!(!found.explanation.contains("缺货"), "remarks are people's words");
        }
    }
}

#[test]
fn a_refund_that_the_provider_closed_brings_its_money_back_as_part_of_its_trade() {
    let mut world = paid();
    let number = world.refund(0, 4_000).bill_mut().refund_id.clone();
    world.flows[0].push(Flow::new(9_000, &number, "退款关闭", 4_000));
    world.flows[0].push(Flow::new(9_001, &number, "扣除交易手续费", -24));
    assert_eq!(codes(&world), []);
    world.refunds[0].billed = None;
    world.refunds[0].flows.clear();
    world.refunds[0].book_mut().accept_date = Some(date(2026, 11, 18));
    let outcome = world.outcome();
    assert_eq!(
        (codes(&world), outcome.boundary.len()),
        (vec![], 0),
        "on a later day, too, and that is not when it moved"
    );
}

#[test]
fn an_account_that_does_not_open_as_it_closed_is_one_critical_f4() {
    for account in [0, 1] {
        let mut world = paid();
        world.send_red_packet(100);
        world.closings[account] = Some(Fen::new(world.openings[account].get() - 7));
        let outcome = world.outcome();
        let found = only(&outcome);
        assert_eq!(
            (found.code, found.key.account, found.risk),
            (Code::F4, Some(AccountKind::ALL[account]), Fen::new(7))
        );
        assert!(Code::F4.is_critical());
        assert!(found.key.fingerprint().ends_with("/2026-11-20"), "the next day's is another one");
        world.closings[account] = None;
        assert_eq!(codes(&world), [], "of an unknown day before nothing is said");
    }
}

#[test]
fn a_fund_flow_that_is_missing_although_there_are_trades_is_one_f4_instead_of_many_f2() {
    let mut world = paid();
    world.pay(500);
    world.lost[0] = true;
    let outcome = world.outcome();
    let found = only(&outcome);
    assert_eq!((found.code, found.key.account, found.risk), (Code::F4, Some(AccountKind::Basic), Fen::new(10_500)));
}

#[test]
fn an_account_on_which_nothing_moved_keeps_what_it_had() {
    let outcome = World::default().outcome();
    for (account, opening) in outcome.accounts.iter().zip(World::default().openings) {
        assert_eq!(
            (account.state, account.opening, account.closing),
            (MovementState::None, Some(opening), Some(opening))
        );
    }
}

#[test]
fn what_could_not_be_fetched_is_not_judged() {
    let mut world = paid();
    world.payments[0].flows.clear();
    world.flows[0].push(Flow::new(9_000, "4377", "新业务", 70));
    world.closings[0] = Some(Fen::ZERO);
    world.fetched[0] = false;
    let outcome = world.outcome();
    assert_eq!(outcome.differences, []);
    assert_eq!((outcome.accounts[0].state, outcome.accounts[0].closing), (MovementState::NotFetched, None));
}

#[test]
fn an_account_closes_with_what_its_movements_leave() {
    let world = paid();
    let account = &world.outcome().accounts[0];
    assert_eq!((account.opening, account.closing), (Some(Fen::new(100_000_000)), Some(Fen::new(100_009_935))));
}

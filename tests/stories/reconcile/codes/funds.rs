//! Money that did not move, or moved for no reason that we know.

use e2e::{
    Options,
    deciding::{ONE, OTHER},
    reconciling::{DiscrepancyState, RunState},
    sandbox_client::{Fault, FaultPoint, FaultRule, Misbilled, once},
    selling::MERCHANT,
    story,
};
use jiff::ToSpan as _;
use proto::{event::DiscrepancyResolved, reconcile::v1::resolve_discrepancy_request::Action};

use super::{
    super::{differences, next_morning, noon, sell},
    finds_only, is_clean, waits_for_only,
};

#[test]
fn f2_a_trade_whose_money_did_not_move_waits_for_three_days() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        let sold = sell(world, MERCHANT, &[100, 250]).await;
        let number = sold[1].out_trade_no();
        world.sandbox.misbill(number, &Misbilled { left_out_of_funds: true, ..Misbilled::default() }).await;
        for _ in 1..=2 {
            next_morning(world).await;
            waits_for_only(world, day, "F2", day + 3.days()).await;
        }
        next_morning(world).await;
        let (_, found) = finds_only(world, day, "F2", 250).await;
        assert_eq!(found.out_trade_no, number);
        world.sandbox.misbill(number, &Misbilled::default()).await;
        is_clean(world, day).await;
    });
}

#[test]
fn f3_a_complaint_that_took_money_is_told_and_a_withdrawal_is_none() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[1_000]).await;
        world.sandbox.move_money(MERCHANT, "提现", -300).await;
        next_morning(world).await;
        let run = is_clean(world, day).await;
        let basic = &run.accounts[0];
        assert_eq!((basic.opening_fen, basic.closing_fen), (Some(0), Some(694)), "{basic:?}");
        let withdrawn = basic.movements.iter().find(|moved| moved.kind == "提现").expect("it is told");
        assert_eq!((withdrawn.count, withdrawn.sum_fen, withdrawn.of_trades), (1, -300, false));

        let day = noon(world).await;
        sell(world, MERCHANT, &[500]).await;
        world.sandbox.move_money(MERCHANT, "交易投诉扣款", -120).await;
        next_morning(world).await;
        let (_, found) = finds_only(world, day, "F3", 120).await;
        assert!(found.explanation.contains("交易投诉扣款"), "{found:?}");
        assert_ne!(found.movement, "");
        // Nothing repairs that: two people say how it was settled.
        let proposed = world.propose(ONE, &found, Action::SettledElsewhere).await.expect("one may propose");
        let applied = world.approve(OTHER, &proposed).await.expect("another may approve");
        assert_eq!((applied.state(), applied.resolution.as_str()), (DiscrepancyState::Applied, "APPLIED"));
        let told = world.tells("recon.v1.discrepancy.resolved.>", 1).await;
        assert_eq!(told[0].event::<DiscrepancyResolved>().resolution, "APPLIED");
    });
}

#[test]
fn f4_a_balance_that_jumped_over_night_is_told_and_so_is_a_missing_fund_flow() {
    story(Options::default().with_reconcile(), async |world| {
        let first = noon(world).await;
        sell(world, MERCHANT, &[1_000]).await;
        next_morning(world).await;
        is_clean(world, first).await;
        world.sandbox.move_unseen(MERCHANT, -7).await;
        let second = noon_of_the_same_day(world).await;
        sell(world, MERCHANT, &[500]).await;
        next_morning(world).await;
        let (_, found) = finds_only(world, second, "F4", 7).await;
        assert!(found.critical, "{found:?}");

        let none = Fault::ErrorCode { code: "NO_BILL_EXIST".to_owned(), executed: false };
        let rule = FaultRule { merchant: Some(MERCHANT.to_owned()), ..once(FaultPoint::DownloadFundFlow, none) };
        world.sandbox.fault(rule).await;
        let run = world.reconcile_day(MERCHANT, first).await;
        assert_eq!((run.state(), differences(&run).len()), (RunState::Differences, 1), "{run:?}");
        assert_eq!(run.differences[0].code, "F4");
        is_clean(world, first).await;
    });
}

/// Noon of the present day in Beijing, which is in the morning.
async fn noon_of_the_same_day(world: &e2e::World) -> jiff::civil::Date {
    world.pass(std::time::Duration::from_mins(90)).await;
    world.today().await
}

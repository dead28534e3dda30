use std::time::Duration;

use e2e::{
    World, eventually,
    reconciling::{DiscrepancyState, Run, RunState},
    selling::{Cashier, MERCHANT, State},
};

use jiff::civil::Date;

use super::figures::show;
use crate::telling::{Telling, fact, say};

/// The first morning: bill and books agree.
pub(super) async fn balanced(telling: &mut Telling, world: &World, day: Date) -> Run {
    telling.chapter("The next morning, finance asks: does WeChat's bill agree with our books?");
    world.pass_to_next_day(10, 30).await;
    say(format!(
        "It is now {} in Beijing; every process has heard so.",
        world.beijing_now().await.strftime("%Y-%m-%d %H:%M")
    ));
    say("reconcile-svc does this by itself from 10:00; here it is asked to.");
    let run = world.reconcile_day(MERCHANT, day).await;
    show(&run);
    say("Every payment and refund is on both sides to the fen, and the fund flow says that their money moved.");
    assert_eq!(run.state(), RunState::Balanced, "the first day must be balanced");
    run
}

/// The second morning: a payment in the bill that our books do not have, its repair, and the second version of the day.
pub(super) async fn repaired(telling: &mut Telling, world: &World, unlucky: &Cashier, day: Date) -> [Run; 2] {
    telling.chapter("The second morning: the bill knows better");
    let first = world.reconcile_day(MERCHANT, day).await;
    show(&first);
    assert_eq!(first.state(), RunState::Differences, "the books must lack the second payment");
    for difference in world.discrepancies(MERCHANT, day).await {
        say(format!("{}  {}", difference.code, difference.explanation));
    }

    telling.chapter("The difference repairs itself");
    world.sandbox.clear_faults().await;
    world.pass(Duration::from_mins(1)).await;
    say(
        "WeChat answers questions again, and a minute passes. A bill proves nothing to an order, so Tongbao asks about the",
    );
    say("payment: because it is still open, or because reconciliation asked for it, whichever is first. The verified");
    say("answer goes down the same road as a callback:");
    let order = unlucky.order().becomes(State::Paid).await;
    let told = eventually("the answer is on the bus", async || {
        let mut facts = world.facts("pay.v1.payment.paid.>").await.into_iter();
        facts.find(|fact| fact.text("outTradeNo") == unlucky.out_trade_no())
    });
    fact(&told.await);
    say(format!("and {} is {}.", order.name, order.state().as_str_name().trim_start_matches("STATE_")));

    telling.chapter("The day is reconciled again: version 2");
    let second = world.reconcile_day(MERCHANT, day).await;
    show(&second);
    assert_eq!((second.state(), second.version), (RunState::Balanced, 2), "the repair must show");
    for difference in world.discrepancies(MERCHANT, day).await {
        let state = if difference.state() == DiscrepancyState::Resolved { "resolved" } else { "open" };
        say(format!(
            "{} of payment {} is {state}; version 1 stays as it was.",
            difference.code, difference.out_trade_no
        ));
    }
    [first, second]
}

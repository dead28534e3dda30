//! Days that are looked at again because another day's run, or a fact that came late, says something new about them. The test plays
//! the job that looks, so that each look is seen, and so is the end of them.

use jiff::SignedDuration;
use jiff::civil::Date;
use proto::gateway::v1::download_bill_request::Kind;
use proto::reconcile::v1::Run;
use proto::reconcile::v1::run::State;
use reconcile_svc::resolution::{days_to_look_at, look_later, looked_at};
use wechat_pay::bill::TradeRow;

use crate::bill::{self, MERCHANT, Payment};
use crate::fund_flows::flow;
use crate::gateway::Bill;
use crate::harness::World;
use crate::refund::Refund;

/// More looks than any of these tests needs.
const MANY_LOOKS: usize = 12;

impl World {
    /// Days of our merchant that wait for another look, oldest first.
    async fn waiting(&self) -> Vec<Date> {
        let days: Vec<jiff_sqlx::Date> =
            sqlx::query_scalar("SELECT bill_date FROM days_to_look_at WHERE merchant = $1 ORDER BY bill_date")
                .bind(MERCHANT)
                .fetch_all(&self.pool)
                .await
                .expect("the days");
        days.into_iter().map(jiff_sqlx::Date::to_jiff).collect()
    }

    /// Nobody looks at what waits.
    async fn forget_waiting(&self) {
        sqlx::query("DELETE FROM days_to_look_at").execute(&self.pool).await.expect("a deletion");
    }

    /// A process has begun to compare this day for the first time, and died.
    async fn is_begun(&self, day: Date) {
        sqlx::query(
            "INSERT INTO runs (run_id, merchant, bill_date, version, state, holder, lease_until, engine_version, start_time)
             VALUES (gen_random_uuid(), $1, $2, 1, 'RUNNING', gen_random_uuid(), now(), 5, now())",
        )
        .bind(MERCHANT)
        .bind(jiff_sqlx::ToSqlx::to_sqlx(day))
        .execute(&self.pool)
        .await
        .expect("a claim");
    }

    /// Looks at what waits, and at what that lets wait, until nothing does. Answers what was seen, in that order.
    async fn look_until_rest(&self) -> Vec<Run> {
        let mut seen = Vec::new();
        loop {
            sqlx::query("UPDATE days_to_look_at SET look_at = now()").execute(&self.pool).await.expect("an update");
            let mut conn = self.pool.acquire().await.expect("a connection");
            let Some(day) = days_to_look_at(&mut conn).await.expect("the days").into_iter().next() else { return seen };
            seen.push(self.run(day.bill_date).await);
            looked_at(&mut conn, &day).await.expect("it is noted");
            assert!(seen.len() < MANY_LOOKS, "days look at each other for ever: {seen:?}");
        }
    }

    /// From now on the basic account opens and closes a day with these balances; one movement, which needs no trade.
    fn set_balances(&self, day: Date, opening: i64, closing: i64) {
        let moved = closing - opening;
        let kind = if moved < 0 { "提现" } else { "充值" };
        let at = Payment::on(day, 1).paid_time;
        self.gateway.set_fund_flow(Kind::FundBasic, day, flow(opening, at, &[("9001", kind, moved)]));
    }
}

/// A day, and the one after it. Both are so long ago that nothing of them may still come.
fn two_days(world: &World) -> (Date, Date) {
    let next = world.day();
    (next.yesterday().expect("within the calendar"), next)
}

/// A payment of a day's last second, and the row of it that the next day's bill has.
fn about_midnight(next: Date, fen: i64) -> (Payment, TradeRow) {
    let midnight = wechat_pay::time::day_start(next).expect("within the calendar");
    let payment = Payment::at(midnight - SignedDuration::from_secs(1), fen);
    let row = TradeRow { trade_time: midnight, ..payment.row() };
    (payment, row)
}

fn codes(run: &Run) -> Vec<&str> {
    run.differences.iter().map(|of| of.code.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_closes_otherwise_than_the_next_opens_has_the_next_looked_at_once() {
    let world = World::start().await;
    world.gateway.set_certificate();
    let (day, next) = two_days(&world);
    world.set_balances(day, 70, 100);
    world.set_balances(next, 100, 90);
    // Newest first, as the schedule does: the next day does not know yet how this one closes.
    assert_eq!(world.run(next).await.state(), State::Balanced);
    assert_eq!(world.run(day).await.state(), State::Balanced);
    assert_eq!(world.waiting().await, [], "it opens as this one closes");

    world.set_balances(day, 70, 120);
    assert_eq!(world.run(day).await.version, 2);
    assert_eq!(world.waiting().await, [next]);
    let seen = world.look_until_rest().await;
    assert_eq!((seen.len(), seen[0].bill_date.as_str(), codes(&seen[0])), (1, next.to_string().as_str(), vec!["F4"]));

    // The break stays, so every version of this day asks for a look, and none of those finds anything new.
    for version in 3..=4 {
        world.book(&[&Payment::on(day, 1)]).await;
        world.forget_waiting().await;
        assert_eq!(world.run(day).await.version, version);
        assert_eq!(world.waiting().await, [next]);
        assert_eq!(world.look_until_rest().await, seen);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_closes_at_last_as_the_next_opens_ends_what_was_broken() {
    let world = World::start().await;
    world.gateway.set_certificate();
    let (day, next) = two_days(&world);
    world.set_balances(day, 70, 100);
    world.set_balances(next, 120, 90);
    world.run(day).await;
    assert_eq!(codes(&world.run(next).await), ["F4"]);

    world.set_balances(day, 70, 120);
    world.run(day).await;
    assert_eq!(world.waiting().await, [next]);
    let seen = world.look_until_rest().await;
    assert_eq!((seen.len(), seen[0].version, seen[0].state()), (1, 2, State::Balanced));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_on_which_nothing_moved_hands_on_how_the_day_before_it_closes() {
    let world = World::start().await;
    world.gateway.set_certificate();
    let (quiet, last) = two_days(&world);
    let first = quiet.yesterday().expect("within the calendar");
    world.set_balances(first, 70, 100);
    world.set_balances(last, 100, 90);
    for day in [first, quiet, last] {
        assert_eq!(world.run(day).await.state(), State::Balanced);
    }
    assert_eq!(world.waiting().await, []);

    world.set_balances(first, 70, 120);
    world.run(first).await;
    let seen = world.look_until_rest().await;
    let days: Vec<_> = seen.iter().map(|run| (run.bill_date.clone(), codes(run))).collect();
    assert_eq!(days, [(quiet.to_string(), vec![]), (last.to_string(), vec!["F4"])]);
    assert_eq!(seen[0].accounts[0].closing_fen, Some(120));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_a_version_or_with_unknown_balances_is_not_looked_at() {
    let world = World::start().await;
    let (day, next) = two_days(&world);
    // Without a certificate nobody knows any balance.
    world.run(next).await;
    world.book(&[&Payment::on(day, 1)]).await;
    world.run(day).await;
    world.gateway.set_certificate();
    world.set_balances(day, 70, 100);
    world.run(day).await;
    // And what was never compared is the schedule's.
    let before = day.yesterday().expect("within the calendar").yesterday().expect("within the calendar");
    world.set_balances(before, 0, 70);
    world.run(before).await;
    assert_eq!(world.waiting().await, []);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_the_next_days_bill_has_no_longer_has_its_own_day_looked_at() {
    let world = World::start().await;
    let (day, next) = two_days(&world);
    let (payment, row) = about_midnight(next, 100);
    let other = Payment::on(next, 250);
    world.book(&[&payment, &other]).await;
    let with = |rows: &[TradeRow]| Bill::Whole(bill::text(rows));
    world.gateway.set_bill(MERCHANT, next, with(std::slice::from_ref(&row)));
    world.run(next).await;
    assert_eq!(world.run(day).await.state(), State::Balanced);
    // A version that still has it says nothing new about its day.
    world.gateway.set_bill(MERCHANT, next, with(&[row, other.row()]));
    assert_eq!(world.run(next).await.version, 2);
    assert_eq!(world.waiting().await, []);
    // Nor does a bill that is not to be trusted.
    world.gateway.set_bill(MERCHANT, next, Bill::Whole("no bill".into()));
    assert_eq!(world.run(next).await.state(), State::BillInvalid);
    assert_eq!(world.waiting().await, []);

    world.gateway.set_bill(MERCHANT, next, bill::of(&[&other]));
    assert_eq!(world.run(next).await.state(), State::Balanced);
    assert_eq!(world.waiting().await, [day]);
    let seen = world.look_until_rest().await;
    assert_eq!((seen.len(), codes(&seen[0])), (1, vec!["P5"]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_and_a_movement_that_the_next_days_files_have_no_longer_have_their_day_looked_at() {
    let world = World::start().await;
    world.gateway.set_certificate();
    let (day, next) = two_days(&world);
    let midnight = wechat_pay::time::day_start(next).expect("within the calendar");
    let sold = Payment::on(day, 1000);
    // Accepted an hour after the payment that its row and its facts take their time from.
    let paid = Payment { paid_time: midnight - SignedDuration::from_mins(90), ..sold.clone() };
    let refund = Refund::of(&paid, 300);
    world.book(&[&sold]).await;
    world.publish(&[refund.accepted("REQUESTED")]).await;
    world.publish(&[refund.succeeded("REQUESTED")]).await;
    world.gateway.set_bill(MERCHANT, day, bill::of(&[&sold]));
    let row = TradeRow { trade_time: midnight, ..refund.row() };
    world.gateway.set_bill(MERCHANT, next, Bill::Whole(bill::text(&[row])));
    let (number, returned) = (sold.transaction_id.as_str(), refund.provider_number.as_str());
    let fee = (number, "扣除交易手续费", -6);
    world.gateway.set_fund_flow(Kind::FundBasic, day, flow(0, sold.paid_time, &[("9001", "充值", 5000)]));
    let moved = [(number, "交易", 1000), fee, (returned, "退款", -300), (returned, "返还交易手续费", 2)];
    world.gateway.set_fund_flow(Kind::FundBasic, next, flow(5000, midnight, &moved));
    let found = world.run(next).await;
    assert_eq!(codes(&found), [] as [&str; 0], "{found:?}");
    let balanced = world.run(day).await;
    assert_eq!(codes(&balanced), [] as [&str; 0], "{balanced:?}");
    assert_eq!(world.waiting().await, []);

    // The refund's row is withdrawn and its movement with it; the payment's money stays.
    world.gateway.set_bill(MERCHANT, next, bill::of(&[]));
    world.gateway.set_fund_flow(Kind::FundBasic, next, flow(5000, midnight, &moved[..2]));
    world.run(next).await;
    assert_eq!(world.waiting().await, [day]);
    let seen = world.look_until_rest().await;
    assert_eq!((seen.len(), codes(&seen[0])), (1, vec!["R2"]));

    // Now the money is withdrawn as well.
    world.set_balances(next, 5000, 5001);
    world.run(next).await;
    assert_eq!(world.waiting().await, [day]);
    let seen = world.look_until_rest().await;
    assert_eq!((seen.len(), codes(&seen[0])), (1, vec!["R2", "F2"]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_days_that_take_back_what_they_said_about_each_other_come_to_rest() {
    let world = World::start().await;
    let (day, next) = two_days(&world);
    let (early, late) = (Payment::on(day, 100), Payment::on(next, 250));
    world.book(&[&early, &late]).await;
    let on = |date: Date, payment: &Payment| {
        let row = TradeRow { trade_time: Payment::on(date, 1).paid_time, ..payment.row() };
        Bill::Whole(bill::text(&[row]))
    };
    // Each bill has the other day's payment.
    world.gateway.set_bill(MERCHANT, day, on(day, &late));
    world.gateway.set_bill(MERCHANT, next, on(next, &early));
    world.run(next).await;
    world.run(day).await;
    assert_eq!(world.run(next).await.state(), State::Balanced);
    assert_eq!(world.look_until_rest().await, [], "nothing was taken back");

    world.gateway.set_bill(MERCHANT, day, on(day, &early));
    world.gateway.set_bill(MERCHANT, next, on(next, &late));
    world.run(day).await;
    assert_eq!(world.waiting().await, [next]);
    let seen = world.look_until_rest().await;
    let days: Vec<_> = seen.iter().map(|run| run.bill_date.clone()).collect();
    assert_eq!(days, [next.to_string(), day.to_string()]);
    for day in [day, next] {
        let run = world.run(day).await;
        assert_eq!((run.state(), run.matched_count), (State::Balanced, 1));
    }
    assert_eq!(world.waiting().await, []);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_compared_for_the_first_time_at_this_moment_is_looked_at_as_well() {
    let world = World::start().await;
    world.gateway.set_certificate();
    let (day, next) = two_days(&world);
    // Its run may have read the books before the other's was written, so it must be asked to look again.
    let (payment, row) = about_midnight(next, 100);
    world.book(&[&payment]).await;
    world.gateway.set_bill(MERCHANT, next, Bill::Whole(bill::text(&[row])));
    world.is_begun(day).await;
    world.run(next).await;
    assert_eq!(world.waiting().await, [day], "the other bill has its payment");
    let seen = world.look_until_rest().await;
    assert_eq!((seen.len(), seen[0].state()), (1, State::Balanced));

    // Nor does it know of what comes into our books meanwhile.
    let before = day.yesterday().expect("within the calendar");
    world.is_begun(before).await;
    world.publish(&[Payment::on(before, 7).told()]).await;
    assert_eq!(world.waiting().await, [before]);
    world.forget_waiting().await;

    // Nor of how the day before closes.
    world.set_balances(before, 70, 100);
    let long_ago = before.yesterday().expect("within the calendar");
    world.set_balances(long_ago, 50, 60);
    world.run(long_ago).await;
    assert_eq!(world.waiting().await, [before]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_late_about_a_payment_has_its_day_looked_at() {
    let world = World::start().await;
    let (day, next) = two_days(&world);
    let payment = Payment::on(day, 100);
    world.gateway.set_bill(MERCHANT, day, bill::of(&[&payment]));
    world.publish(&[payment.told()]).await;
    assert_eq!(world.waiting().await, [], "a day without a version is the schedule's");
    world.run(day).await;
    world.run(next).await;

    // That a number was given out moves no money.
    world.publish(&[payment.order_created()]).await;
    world.publish(&[payment.issued()]).await;
    assert_eq!(world.waiting().await, []);
    world.publish(&[payment.order_paid()]).await;
    assert_eq!(world.waiting().await, [day], "the order took it");
    let seen = world.look_until_rest().await;
    assert_eq!((seen.len(), seen[0].state()), (1, State::Balanced));

    // By its own number and its own day: not those of another merchant's, nor of the day after.
    world.publish(&[Payment::on(next, 50).told()]).await;
    assert_eq!(world.waiting().await, [next], "the provider told of it");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_late_about_a_refund_has_its_day_and_its_payments_day_looked_at() {
    let world = World::start().await;
    let (day, next) = two_days(&world);
    let sold = Payment::on(day, 1000);
    let paid = Payment { paid_time: Payment::on(next, 1).paid_time, ..sold.clone() };
    let refund = Refund::of(&paid, 300);
    world.book(&[&sold]).await;
    world.gateway.set_bill(MERCHANT, day, bill::of(&[&sold]));
    world.gateway.set_bill(MERCHANT, next, Bill::Whole(bill::text(&[refund.row()])));
    assert_eq!(world.run(day).await.state(), State::Balanced);
    assert_eq!(codes(&world.run(next).await), ["R1"]);
    world.forget_waiting().await;

    world.publish(&[refund.accepted("REQUESTED")]).await;
    assert_eq!(world.waiting().await, [day, next]);
    let seen = world.look_until_rest().await;
    let seen: Vec<_> = seen.iter().map(|run| (run.bill_date.clone(), run.state())).collect();
    assert_eq!(seen, [(next.to_string(), State::Balanced), (day.to_string(), State::Balanced)]);

    // And when its money is back.
    world.publish(&[refund.succeeded("REQUESTED")]).await;
    assert_eq!(world.waiting().await, [day, next]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_comes_while_its_day_is_looked_at_stays_and_a_day_that_fails_waits_longer() {
    let world = World::start().await;
    let (day, _) = two_days(&world);
    world.run(day).await;
    let payment = Payment::on(day, 100);
    world.publish(&[payment.told()]).await;
    let mut conn = world.pool.acquire().await.expect("a connection");
    assert_eq!(days_to_look_at(&mut conn).await.expect("the days"), [], "what comes with it needs a moment");
    let due = "UPDATE days_to_look_at SET look_at = now()";
    sqlx::query(due).execute(&mut *conn).await.expect("an update");
    let first = days_to_look_at(&mut conn).await.expect("the days").remove(0);

    world.publish(&[payment.order_paid()]).await;
    looked_at(&mut conn, &first).await.expect("it is noted");
    assert_eq!(world.waiting().await, [day], "the second wish is not the first");

    sqlx::query(due).execute(&mut *conn).await.expect("an update");
    let second = days_to_look_at(&mut conn).await.expect("the days").remove(0);
    look_later(&mut conn, &second).await.expect("it is noted");
    assert_eq!(days_to_look_at(&mut conn).await.expect("the days"), []);
    looked_at(&mut conn, &second).await.expect("it is noted");
    drop(conn);
    assert_eq!(world.waiting().await, []);
    world.end().await;
}

//! A process dies between two steps of a run, and another one finishes what it began.

use std::os::unix::process::ExitStatusExt as _;

use futures::future::join_all;
use jiff::ToSpan as _;
use jiff::civil::Date;
use proto::gateway::v1::download_bill_request::Kind;
use proto::reconcile::v1::{Run, RunReconciliationRequest};
use svc_kit::clock::Clock;
use uuid::Uuid;

use crate::bill::{self, MERCHANT, Payment};
use crate::fund_flows::flow;
use crate::harness::World;
use crate::replica::Replica;

/// Every point of a run, in its order.
const POINTS: [&str; 7] = [
    "reconcile.claimed",
    "reconcile.fetched",
    "reconcile.before_keep",
    "reconcile.kept",
    "reconcile.compared",
    "reconcile.before_commit",
    "reconcile.committed",
];

/// How a process ends that called `abort`.
const SIGABRT: i32 = 6;

/// A day of which the bill lacks one payment and the books another, and what moved on the account.
struct Day {
    date: Date,
    both: Payment,
    booked: Payment,
    billed: Payment,
}

impl Day {
    fn of(date: Date) -> Self {
        let payment = |fen| Payment::on(date, fen);
        Self { date, both: payment(1000), booked: payment(200), billed: payment(300) }
    }

    /// A world of its own in which that day happened.
    async fn world(&self) -> World {
        let world = World::start().await;
        world.gateway.set_certificate();
        world.book(&[&self.both, &self.booked]).await;
        world.gateway.set_bill(MERCHANT, self.date, bill::of(&[&self.both, &self.billed]));
        let number = self.both.transaction_id.as_str();
        let moved = [(number, "交易", 1000), (number, "扣除交易手续费", -6), ("9001", "提现", -500)];
        world.gateway.set_fund_flow(Kind::FundBasic, self.date, flow(70, self.both.paid_time, &moved));
        world
    }
}

/// What a run came to, wherever and whenever it was made.
fn result(run: Run) -> Run {
    Run { name: String::new(), start_time: None, end_time: None, ..run }
}

impl World {
    /// What a day left behind: bills, pieces of them, differences by code, rows of the log, and facts told.
    async fn left(&self) -> Vec<(String, i64)> {
        let mut left: Vec<(String, i64)> = sqlx::query_as(
            "SELECT 'bills', count(*) FROM bills UNION ALL SELECT 'pieces', count(*) FROM bill_pieces
             UNION ALL SELECT 'versions', count(*) FROM runs UNION ALL SELECT 'log', count(*) FROM audit_log WHERE action = 'OPENED'
             UNION ALL SELECT code, count(*) FROM discrepancies GROUP BY code",
        )
        .fetch_all(&self.pool)
        .await
        .expect("the counts");
        for fact in ["recon.v1.run.completed.", "recon.v1.discrepancy.opened."] {
            let told = self.told().await.iter().filter(|(subject, _)| subject.starts_with(fact)).count();
            left.push((fact.to_owned(), i64::try_from(told).expect("few")));
        }
        left.sort();
        left
    }
}

/// Lets a process die at a point of its run, and another one finish what it began.
async fn dies_at(point: &str, day: &Day, expected: &Run, left: &[(String, i64)]) {
    let world = day.world().await;
    let dying = Replica::start(&world, &[("CRASH_AT", &format!("{point}#1"))]);
    let request = RunReconciliationRequest {
        request_id: Uuid::new_v4().to_string(),
        merchant: MERCHANT.to_owned(),
        bill_date: day.date.to_string(),
    };
    dying.client(&world).await.run_reconciliation(request).await.expect_err("it dies");
    let (status, log) = dying.ends(&world).await;
    assert_eq!(status.signal(), Some(SIGABRT), "{point}: {status}\n{log}");
    assert!(log.contains(&format!("crash point {point} hit 1")), "{log}");

    world.leases_end().await;
    assert_eq!(result(world.run(day.date).await), *expected, "{point}");
    assert_eq!(world.left().await, left, "{point}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_dies_at_any_of_its_steps_comes_to_the_same_in_every_byte() {
    let (clock, _) = Clock::adjustable();
    // Nothing of it may still come.
    let day = Day::of(wechat_pay::time::bill_date(clock.now()).saturating_sub(3.days()));
    let world = day.world().await;
    let expected = result(world.run(day.date).await);
    let codes: Vec<&str> = expected.differences.iter().map(|of| of.code.as_str()).collect();
    assert_eq!((codes, expected.result_sha256.len()), (vec!["P3", "P5", "F2"], 64), "{expected:?}");
    let left = world.left().await;
    world.end().await;
    join_all(POINTS.map(|point| dies_at(point, &day, &expected, &left))).await;
}

//! Runs, answers and people at the same differences at once: `store::locks` says in which order they lock.

use std::collections::BTreeSet;

use jiff::{SignedDuration, ToSpan as _};
use proto::event::repair_answered::Outcome;
use proto::reconcile::v1::{Run, RunReconciliationRequest};
use reconcile_svc::resolution::{self, Answer};
use sqlx::{Executor as _, PgPool};
use tonic::Status;
use uuid::Uuid;

use crate::bill::{self, MERCHANT, Payment};
use crate::gateway::Bill;
use crate::harness::World;

/// Writes down, in each transaction, which of the three was changed when.
const TRACE: &str = "
CREATE TABLE trace (step BIGINT GENERATED ALWAYS AS IDENTITY, tx TEXT NOT NULL DEFAULT pg_current_xact_id()::TEXT,
    place TEXT NOT NULL, day TEXT);
CREATE FUNCTION note_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trace (place, day) VALUES (TG_ARGV[0], to_jsonb(NEW) ->> 'bill_date');
    RETURN NEW;
END $$;
CREATE TRIGGER trace BEFORE INSERT OR UPDATE ON discrepancies FOR EACH ROW EXECUTE FUNCTION note_place('4 difference');
CREATE TRIGGER trace BEFORE INSERT OR UPDATE ON days_to_look_at FOR EACH ROW EXECUTE FUNCTION note_place('5 day');
CREATE TRIGGER trace BEFORE INSERT OR UPDATE ON audit_head FOR EACH ROW EXECUTE FUNCTION note_place('6 end of the log')";

/// Pairs of steps of one transaction that come in the wrong order.
const WRONG: &str = "
SELECT a.place || ' before ' || b.place FROM trace a JOIN trace b ON a.tx = b.tx AND a.step < b.step
WHERE b.place < a.place OR (a.place = '5 day' AND b.place = '5 day' AND b.day < a.day)";

/// Transactions that changed a difference, a day and the log: those that the order is for.
const WHOLE: &str = "SELECT count(*) FROM (SELECT 1 FROM trace GROUP BY tx HAVING count(DISTINCT place) = 3) AS whole";

async fn apply(pool: &PgPool, answers: &[Answer], now: jiff::Timestamp) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    resolution::apply_answers(&mut tx, answers, BTreeSet::new(), now).await?;
    tx.commit().await
}

fn answers(repairs: &[Uuid], outcome: Outcome) -> Vec<Answer> {
    repairs.iter().map(|repair_id| Answer { repair_id: *repair_id, outcome, detail: String::new() }).collect()
}

impl World {
    /// Questions that nobody has answered yet.
    async fn unanswered(&self) -> Vec<Uuid> {
        let open = "SELECT repair_id FROM repairs WHERE outcome IS NULL ORDER BY ask_time, repair_id";
        sqlx::query_scalar(open).fetch_all(&self.pool).await.expect("the questions")
    }

    /// One call, which nothing repeats: a deadlock would be seen.
    async fn run_once(&self, day: jiff::civil::Date) -> Result<Run, Status> {
        let request = RunReconciliationRequest {
            request_id: Uuid::new_v4().to_string(),
            merchant: MERCHANT.to_owned(),
            bill_date: day.to_string(),
        };
        self.client.clone().run_reconciliation(request).await.map(tonic::Response::into_inner)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_are_changed_before_days_and_days_before_the_end_of_the_log() {
    let world = World::start().await;
    let next = world.day();
    let day = next.saturating_sub(1.day());
    let midnight = wechat_pay::time::day_start(next).expect("within the calendar");
    let payment = Payment::at(midnight - SignedDuration::from_secs(2), 100);
    world.book(&[&payment]).await;
    world.pool.execute(TRACE).await.expect("a trace");
    world.run(day).await;
    let mut row = payment.row();
    row.trade_time = midnight;
    world.gateway.set_bill(MERCHANT, next, Bill::Whole(bill::text(&[row])));
    world.run(next).await;
    // Its next version has that payment no more, but one that nobody knows: a new difference, and a day to look at.
    world.gateway.set_bill(MERCHANT, next, bill::of(&[&Payment::on(next, 5)]));
    world.run(next).await;

    // Answers about two days, the later one first.
    let pending = [Payment::on(next, 7), Payment::on(day, 8)];
    world.publish(&pending.iter().map(Payment::issued).collect::<Vec<_>>()).await;
    for (day, payment) in [(next, &pending[0]), (day, &pending[1])] {
        world.gateway.set_bill(MERCHANT, day, bill::of(&[payment]));
        world.run(day).await;
    }
    let mut asked = world
        .until("all is asked about", async || {
            let asked = world.unanswered().await;
            (2 <= asked.len()).then_some(asked)
        })
        .await;
    asked.reverse();
    apply(&world.pool, &answers(&asked, Outcome::Confirmed), world.clock.now()).await.expect("they are taken");

    let wrong: Vec<String> = sqlx::query_scalar(WRONG).fetch_all(&world.pool).await.expect("the trace");
    assert!(wrong.is_empty(), "{wrong:?}");
    let whole: i64 = sqlx::query_scalar(WHOLE).fetch_one(&world.pool).await.expect("the trace");
    assert!(2 <= whole, "a run and the answers, but not {whole}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_and_answers_about_the_same_differences_wait_for_each_other() {
    // More than one statement takes, so that a run locks them in several.
    const COUNT: usize = 2200;
    let world = World::start().await;
    let next = world.day();
    let day = next.saturating_sub(1.day());
    let payments: Vec<Payment> = (0..COUNT).map(|_| Payment::on(day, 100)).collect();
    world.publish(&payments.iter().map(Payment::issued).collect::<Vec<_>>()).await;
    // The bills of both days have them: differences of both runs.
    let of_next: Vec<Payment> = payments
        .iter()
        .cloned()
        .map(|payment| Payment { paid_time: payment.paid_time + SignedDuration::from_hours(24), ..payment })
        .collect();
    let bills = |first: usize| {
        world.gateway.set_bill(MERCHANT, day, bill::of(&payments[first..].iter().collect::<Vec<_>>()));
        world.gateway.set_bill(MERCHANT, next, bill::of(&of_next[first..].iter().collect::<Vec<_>>()));
    };
    bills(0);
    world.run(day).await;
    world
        .pool
        .execute(
            // In the order of everybody: the service asks about them at the same time.
            "WITH locked AS (SELECT discrepancy_id FROM discrepancies ORDER BY discrepancy_id FOR UPDATE)
             INSERT INTO repairs (repair_id, discrepancy_id, action, requested_by, request_time)
             SELECT gen_random_uuid(), discrepancy_id, 'QUERY_PAYMENT', '{test}', now() FROM locked
             ON CONFLICT DO NOTHING",
        )
        .await
        .expect("questions");

    let asked = world.unanswered().await;
    assert!(COUNT / 2 < asked.len(), "{} questions", asked.len());
    let answering = async {
        for some in asked.chunks(40) {
            apply(&world.pool, &answers(some, Outcome::GaveUp), world.clock.now()).await.expect("they are taken");
        }
    };
    let running = async {
        for first in 1..=3 {
            bills(first);
            let (one, two) = tokio::join!(world.run_once(day), world.run_once(next));
            assert_eq!(one.expect("a run").version, i32::try_from(first).expect("small") + 1);
            assert_eq!(two.expect("a run").version, i32::try_from(first).expect("small"));
        }
    };
    tokio::join!(answering, running);
    world.end().await;
}

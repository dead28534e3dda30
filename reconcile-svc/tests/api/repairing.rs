use std::collections::BTreeSet;

use proto::error::ErrorReason;
use proto::event::RepairAnswered;
use proto::event::repair_answered::Outcome;
use proto::reconcile::v1::discrepancy::State;
use proto::reconcile::v1::resolve_discrepancy_request::{Action, Step};
use proto::reconcile::v1::{Discrepancy, ResolveDiscrepancyRequest, run};
use proto::time::to_wire;
use reconcile_svc::resolution::{self, Answer};
use serde_json::Value;
use svc_kit::refusal::reason_of;
use uuid::Uuid;

use crate::bill::{self, MERCHANT, Payment};
use crate::harness::World;
use crate::people::{ONE, OTHER, approve, request};

impl World {
    /// The question number `count` that order-svc was asked, 1, 2, …
    pub(crate) async fn question(&self, count: usize) -> Value {
        self.until(&format!("question {count}"), async || {
            let all = self.messages("RECON", 0).await;
            let asked = all.into_iter().filter(|(subject, _)| subject == "recon.v1.repair.requested.acme-mini");
            asked.map(|(_, body)| body).nth(count - 1)
        })
        .await
    }

    /// What order-svc answers to a question.
    pub(crate) async fn answer(&self, question: &Value, outcome: Outcome, detail: &str) {
        let name = |field: &str| question[field].as_str().expect("a name").to_owned();
        let answer = RepairAnswered {
            repair: name("repair"),
            discrepancy: name("discrepancy"),
            merchant: MERCHANT.to_owned(),
            outcome: outcome.into(),
            detail: detail.to_owned(),
            answer_time: Some(to_wire(self.clock.now())),
        };
        self.publish(&[answer]).await;
    }

    /// The difference that is in a state, once there is one.
    pub(crate) async fn in_state(&self, state: State) -> Discrepancy {
        self.until(state.as_str_name(), async || {
            self.discrepancies().await.into_iter().find(|found| found.state() == state)
        })
        .await
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.expect("a count")
    }
}

/// A world in whose bill a payment stands that is still open here.
async fn world() -> (World, Payment) {
    let world = World::start().await;
    let day = world.day();
    let payment = Payment::on(day, 100);
    world.publish(&[payment.issued()]).await;
    world.gateway.set_bill(MERCHANT, day, bill::of(&[&payment]));
    let run = world.run(day).await;
    assert_eq!((run.state(), run.differences[0].code.as_str()), (run::State::Differences, "P1"));
    (world, payment)
}

#[tokio::test(flavor = "multi_thread")]
async fn order_svc_is_asked_by_itself_and_what_it_answers_ends_with_the_next_run() {
    let (world, payment) = world().await;
    let question = world.question(1).await;
    let found = world.in_state(State::Resolving).await;
    assert_eq!(question["discrepancy"], found.name.as_str());
    assert_eq!((&question["action"], &question["code"]), (&"REPAIR_ACTION_QUERY_PAYMENT".into(), &"P1".into()));
    assert_eq!(question["outTradeNo"], payment.out_trade_no.as_str());
    assert_eq!(question["transactionId"], payment.transaction_id.as_str());
    assert_eq!((&question["billAmountFen"], &question["requestedBy"][0]), (&"100".into(), &"reconcile-svc".into()));

    world.answer(&question, Outcome::Applied, "the payment is booked").await;
    let open = world.in_state(State::Open).await;
    assert_eq!(open.answer, "APPLIED: the payment is booked");
    assert_eq!(world.count("SELECT count(*) FROM discrepancies WHERE repair_at IS NOT NULL").await, 0);
    let day: String = sqlx::query_scalar("SELECT bill_date::TEXT FROM days_to_look_at WHERE merchant = $1")
        .bind(MERCHANT)
        .fetch_one(&world.pool)
        .await
        .expect("the day is worth another run");
    assert_eq!(day, world.day().to_string());

    world.publish(&[payment.told()]).await;
    world.publish(&[payment.order_paid()]).await;
    assert_eq!(world.run(world.day()).await.state(), run::State::Balanced);
    assert_eq!(world.in_state(State::Resolved).await.resolution, "RESOLVED_BY_RERUN");
    let log = world.log().await;
    let steps: Vec<_> = log.iter().map(|(actor, action, _)| (actor.as_str(), action.as_str())).collect();
    let ours = "reconcile-svc";
    let expected = [(ours, "OPENED"), (ours, "REPAIR_REQUESTED"), ("order-svc", "REPAIR_ANSWERED"), (ours, "RESOLVED")];
    assert_eq!(steps, expected);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_answer_twice_changes_nothing_twice() {
    let (world, _) = world().await;
    let question = world.question(1).await;
    world.answer(&question, Outcome::Confirmed, "paid").await;
    let open = world.in_state(State::Open).await;
    sqlx::query("DELETE FROM days_to_look_at").execute(&world.pool).await.expect("a deletion");
    let retried = world.resolve(ONE, request(&open, Step::Retry)).await.expect("a retry");
    assert_eq!(retried.state(), State::Resolving);

    // As it is when the bus and the record of applied facts have forgotten the first.
    let repair = question["repair"].as_str().expect("a name").trim_start_matches("repairs/").parse().expect("a UUID");
    let again = Answer { repair_id: repair, outcome: Outcome::Confirmed, detail: "paid".to_owned() };
    let mut tx = world.pool.begin().await.expect("a transaction");
    resolution::apply_answers(&mut tx, &[again], BTreeSet::new(), world.clock.now()).await.expect("it is taken");
    tx.commit().await.expect("a commit");
    assert_eq!(world.in_state(State::Resolving).await, retried, "the new question is still open");
    assert_eq!(world.count("SELECT count(*) FROM days_to_look_at").await, 0);
    let log = world.log().await;
    assert!(log.last().expect("a row").2.ends_with("(nobody waited for it any more)"), "{log:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_after_the_difference_is_gone_is_only_written_down() {
    let (world, payment) = world().await;
    let question = world.question(1).await;
    world.publish(&[payment.told()]).await;
    world.publish(&[payment.order_paid()]).await;
    world.run(world.day()).await;
    let resolved = world.in_state(State::Resolved).await;
    // What came into the books after the first run had its day looked at again.
    assert_eq!(world.count("SELECT count(*) FROM days_to_look_at").await, 1);
    sqlx::query("DELETE FROM days_to_look_at").execute(&world.pool).await.expect("a deletion");
    world.answer(&question, Outcome::Applied, "late").await;
    let after = world.discrepancies().await.remove(0);
    assert_eq!(after, resolved);
    assert_eq!(world.count("SELECT count(*) FROM repairs WHERE outcome = 'APPLIED' AND detail = 'late'").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM days_to_look_at").await, 0);
    assert!(world.log().await.last().expect("a row").2.contains("late (nobody waited"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_asked_again_later_and_a_person_may_ask_at_once() {
    let (world, _) = world().await;
    let question = world.question(1).await;
    world.answer(&question, Outcome::GaveUp, "no answer").await;
    let open = world.in_state(State::Open).await;
    let pause = "SELECT EXTRACT(EPOCH FROM repair_at - now())::BIGINT FROM discrepancies";
    let seconds = world.count(pause).await;
    assert!((0..=60).contains(&seconds), "{seconds} s");

    let retried = world.resolve(ONE, request(&open, Step::Retry)).await.expect("a person asks");
    assert_eq!(retried.state(), State::Resolving);
    let question = world.question(2).await;
    assert_eq!(question["requestedBy"][0], ONE);
    let again = world.resolve(ONE, request(&open, Step::Retry)).await.expect_err("it is asked about");
    assert_eq!(reason_of(&again).as_deref(), Some(ErrorReason::StepNotAllowed.word()));
    world.answer(&question, Outcome::NotApplicable, "the amount differs").await;
    assert_eq!(world.in_state(State::Open).await.answer, "NOT_APPLICABLE: the amount differs");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_order_svc_does_not_answer_within_a_day_is_given_up() {
    let (world, _) = world().await;
    world.question(1).await;
    world.in_state(State::Resolving).await;
    sqlx::query("UPDATE repairs SET ask_time = ask_time - interval '25 h'")
        .execute(&world.pool)
        .await
        .expect("an update");
    let open = world.in_state(State::Open).await;
    assert_eq!(open.answer, "GAVE_UP: order-svc did not answer within 24 hours");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_question_that_was_never_asked_changes_nothing() {
    let (world, _) = world().await;
    let question = world.question(1).await;
    let foreign = RepairAnswered {
        repair: format!("repairs/{}", Uuid::new_v4()),
        discrepancy: question["discrepancy"].as_str().expect("a name").to_owned(),
        merchant: MERCHANT.to_owned(),
        outcome: Outcome::Applied.into(),
        ..RepairAnswered::default()
    };
    world.publish(&[foreign]).await;
    assert_eq!(world.in_state(State::Resolving).await.answer, "");
    assert_eq!(world.log().await.len(), 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_of_an_answer_is_run_again_by_itself_where_days_are() {
    let world = World::start_with_schedule(true).await;
    let day = world.day();
    let payment = Payment::on(day, 100);
    world.publish(&[payment.issued()]).await;
    world.gateway.set_bill(MERCHANT, day, bill::of(&[&payment]));
    world.run(day).await;
    let question = world.question(1).await;
    world.publish(&[payment.told()]).await;
    world.publish(&[payment.order_paid()]).await;
    world.answer(&question, Outcome::Applied, "the payment is booked").await;
    let resolved = world
        .until("the next run no longer finds it", async || {
            let about = |found: &Discrepancy| found.out_trade_no == payment.out_trade_no;
            world.discrepancies().await.into_iter().filter(about).find(|found| found.state() == State::Resolved)
        })
        .await;
    assert_eq!(resolved.resolution, "RESOLVED_BY_RERUN");
    world
        .until("the wish is fulfilled", async || {
            (world.count("SELECT count(*) FROM days_to_look_at").await == 0).then_some(())
        })
        .await;
    world.end().await;
}

/// A world with money for a closed order, as two people decide about it.
async fn world_with_surplus() -> (World, Discrepancy) {
    let world = World::start().await;
    let day = world.day();
    world.gateway.set_bill(MERCHANT, day, bill::of(&[&Payment::on(day, 100)]));
    world.run(day).await;
    let made = "UPDATE discrepancies SET code = 'P2', critical = FALSE";
    sqlx::query(made).execute(&world.pool).await.expect("an update");
    let found = world.discrepancies().await.remove(0);
    let propose = ResolveDiscrepancyRequest {
        action: Action::RefundSurplus.into(),
        note: "顾客要求退款".to_owned(),
        ..request(&found, Step::Propose)
    };
    let proposed = world.resolve(ONE, propose).await.expect("a proposal");
    let approved = world.resolve(OTHER, approve(&proposed)).await.expect("an approval");
    assert_eq!(approved.state(), State::Approved);
    (world, found)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_people_agreed_on_is_done_by_order_svc_in_both_names() {
    let (world, found) = world_with_surplus().await;
    let question = world.question(1).await;
    assert_eq!(
        (&question["action"], &question["discrepancy"]),
        (&"REPAIR_ACTION_REFUND_SURPLUS".into(), &found.name.clone().into())
    );
    assert_eq!((&question["requestedBy"][0], &question["requestedBy"][1]), (&ONE.into(), &OTHER.into()));
    world.answer(&question, Outcome::Applied, "refunds/1 is under way").await;
    let applied = world.in_state(State::Applied).await;
    assert_eq!((applied.resolution.as_str(), applied.answer.as_str()), ("APPLIED", "APPLIED: refunds/1 is under way"));
    let ended = world
        .until("its end is told", async || {
            let all = world.messages("RECON", 0).await;
            all.into_iter().find(|(subject, _)| subject == "recon.v1.discrepancy.resolved.acme-mini")
        })
        .await;
    let steps: Vec<String> = world.log().await.into_iter().map(|(_, action, _)| action).collect();
    assert_eq!(steps, ["OPENED", "PROPOSED", "APPROVED", "REPAIR_REQUESTED", "REPAIR_ANSWERED"]);
    assert_eq!((&ended.1["resolution"], &ended.1["auditSequence"]), (&"APPLIED".into(), &"5".into()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_people_agreed_on_and_was_not_done_is_open_again_with_the_reason() {
    let (world, _) = world_with_surplus().await;
    let question = world.question(1).await;
    world.answer(&question, Outcome::NotApplicable, "the account has too little money").await;
    let open = world.in_state(State::Open).await;
    assert_eq!(
        (open.answer.as_str(), open.resolution.as_str()),
        ("NOT_APPLICABLE: the account has too little money", "")
    );
    let again = ResolveDiscrepancyRequest {
        action: Action::RefundSurplus.into(),
        note: "已充值".to_owned(),
        ..request(&open, Step::Propose)
    };
    assert_eq!(world.resolve(OTHER, again).await.expect("a second proposal").state(), State::Proposed);
    world.end().await;
}

use proto::reconcile::v1::discrepancy::State as DiscrepancyState;
use proto::reconcile::v1::run::State;

use crate::bill::{self, Payment};
use crate::gateway::Bill;
use crate::harness::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_that_fails_a_control_changes_nothing_and_says_why() {
    let world = World::start().await;
    let day = world.day();
    let (one, two) = (Payment::on(day, 100), Payment::on(day, 200));
    world.book(&[&one]).await;
    let first = world.run(day).await;
    world.in_state(DiscrepancyState::Resolving).await;
    let open = world.discrepancies().await;
    assert_eq!((first.state(), open.len()), (State::Differences, 1));

    let whole = bill::text(&[one.row(), two.row()]);
    let without_a_row = {
        let text = String::from_utf8(whole.clone()).expect("text");
        let lines: Vec<&str> = text.split_inclusive("\r\n").collect();
        [&lines[..1], &lines[2..]].concat().concat().into_bytes()
    };
    let (mut foreign, mut other_day) = (one.row(), one.row());
    foreign.mch_id = "1900000002".to_owned();
    other_day.trade_time = Payment::on(day.tomorrow().expect("within the calendar"), 100).paid_time;
    let bad = [
        ("summary", State::ControlFailed, without_a_row),
        ("before its summary", State::BillInvalid, whole[..whole.len() / 2].to_vec()),
        ("another merchant", State::ControlFailed, bill::text(&[foreign])),
        ("another day", State::ControlFailed, bill::text(&[other_day])),
        ("repeats", State::ControlFailed, bill::text(&[one.row(), one.row()])),
        ("not a bill", State::BillInvalid, b"<html>busy</html>".to_vec()),
    ];
    for (version, (expected, state, text)) in (2..).zip(bad) {
        world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(text));
        let run = world.run(day).await;
        assert_eq!((run.state(), run.version, run.current), (state, version, false), "{expected}");
        if !expected.starts_with("before") {
            assert!(run.problem.contains(expected), "{expected}: {}", run.problem);
        }
        assert!(!run.problem.is_empty() && !run.problem.contains(&one.out_trade_no));
        assert_eq!((run.bill_count, run.book_count, run.matched_count, run.differences.len()), (0, 0, 0, 0));
        assert_eq!(world.run(day).await, run, "the same bad bill is the same run");
        assert_eq!(world.discrepancies().await, open, "nothing is half applied");
        let (_, page) = world.page(&format!("/{}", run.name)).await;
        assert!(page.contains("nothing of it was used"), "{page}");
        assert!(world.get(&first.name).await.current, "what was compared is still shown");
    }

    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&one]));
    let good = world.run(day).await;
    assert_eq!((good.state(), good.version), (State::Balanced, 8));
    assert_eq!(world.discrepancies().await[0].state(), DiscrepancyState::Resolved);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_that_is_not_ready_or_breaks_off_leaves_nothing_behind() {
    let world = World::start().await;
    let day = world.day();
    world.gateway.set_bill(bill::MERCHANT, day, Bill::NotReady);
    let refused = world.try_run(day).await.expect_err("not ready");
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
    assert_eq!(svc_kit::refusal::reason_of(&refused).as_deref(), Some("BILL_NOT_READY"));

    let text = bill::text(&[Payment::on(day, 100).row()]);
    world.gateway.set_bill(bill::MERCHANT, day, Bill::CutOff(text));
    let refused = world.try_run(day).await.expect_err("cut off");
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    assert_eq!(svc_kit::refusal::reason_of(&refused).as_deref(), Some("PROVIDER_UNKNOWN"));

    assert_eq!(world.runs().await, []);
    world.end().await;
}

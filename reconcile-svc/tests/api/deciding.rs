use proto::error::ErrorReason;
use proto::reconcile::v1::discrepancy::State;
use proto::reconcile::v1::resolve_discrepancy_request::{Action, Step};
use proto::reconcile::v1::{Discrepancy, ListDiscrepanciesRequest, ResolveDiscrepancyRequest};
use svc_kit::refusal::reason_of;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::bill::{self, Payment};
use crate::harness::World;
use crate::people::{ONE, OTHER, approve, request};

/// A world with one open difference about which nobody can be asked: a number that we never issued.
async fn world() -> (World, Discrepancy) {
    found_in(World::start().await).await
}

async fn found_in(world: World) -> (World, Discrepancy) {
    let day = world.day();
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&Payment::on(day, 100)]));
    world.run(day).await;
    let found = world.discrepancies().await.remove(0);
    assert_eq!((found.code.as_str(), found.state()), ("P3", State::Open));
    (world, found)
}

fn propose(found: &Discrepancy) -> ResolveDiscrepancyRequest {
    ResolveDiscrepancyRequest {
        action: Action::SettledElsewhere.into(),
        note: "转账已核对".to_owned(),
        ..request(found, Step::Propose)
    }
}

fn refused(answer: Result<Discrepancy, Status>) -> (Code, Option<String>) {
    let status = answer.expect_err("it is refused");
    (status.code(), reason_of(&status))
}

fn told(code: Code, reason: ErrorReason) -> (Code, Option<String>) {
    (code, Some(reason.word().to_owned()))
}

impl World {
    /// Actor, action and detail of every row of the audit log, in order.
    pub(crate) async fn log(&self) -> Vec<(String, String, String)> {
        sqlx::query_as("SELECT actor, action, detail FROM audit_log ORDER BY sequence")
            .fetch_all(&self.pool)
            .await
            .expect("the log")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_proposes_and_another_approves() {
    let (world, found) = world().await;
    let proposed = world.resolve(ONE, propose(&found)).await.expect("a proposal");
    assert_eq!(proposed.state(), State::Proposed);
    assert_eq!((proposed.proposed(), proposed.proposed_by.as_str()), (Action::SettledElsewhere, ONE));
    assert_eq!(proposed.proposal_sequence, 2, "its row in the audit log");
    assert_eq!(world.discrepancies().await, std::slice::from_ref(&proposed));

    let own = world.resolve(ONE, approve(&proposed)).await;
    let status = own.clone().expect_err("nobody approves what he proposed");
    assert_eq!(status.get_details_error_info().expect("details").metadata["proposed_by"], ONE);
    assert_eq!(refused(own), told(Code::PermissionDenied, ErrorReason::AnotherPersonNeeded));

    let applied = world.resolve(OTHER, approve(&proposed)).await.expect("an approval");
    assert_eq!((applied.state(), applied.resolution.as_str()), (State::Applied, "APPLIED"));
    assert_eq!((applied.proposed_by.as_str(), applied.proposal_sequence), (ONE, 0), "there is nothing left to approve");
    let told = world.messages("RECON", 3).await;
    let (subject, body) = told.last().expect("a message");
    assert_eq!(subject, "recon.v1.discrepancy.resolved.acme-mini");
    assert_eq!((&body["resolution"], &body["auditSequence"]), (&"APPLIED".into(), &"3".into()));
    let log = world.log().await;
    assert_eq!((log[1].0.as_str(), log[1].1.as_str()), (ONE, "PROPOSED"));
    assert_eq!(log[1].2, "SETTLED_ELSEWHERE: 转账已核对");
    assert_eq!((log[2].0.as_str(), log[2].1.as_str()), (OTHER, "APPROVED"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_rejected_is_open_again_and_can_be_proposed_again() {
    let (world, found) = world().await;
    world.resolve(ONE, propose(&found)).await.expect("a proposal");
    let again = world.resolve(ONE, propose(&found)).await;
    let status = again.clone().expect_err("it is proposed already");
    assert_eq!(status.get_details_error_info().expect("details").metadata["state"], "PROPOSED");
    assert_eq!(refused(again), told(Code::FailedPrecondition, ErrorReason::StepNotAllowed));
    let rejected = world.resolve(ONE, request(&found, Step::Reject)).await.expect("anybody rejects");
    assert_eq!(rejected.state(), State::Open);
    let second = world.resolve(OTHER, propose(&found)).await.expect("a second proposal");
    let applied = world.resolve(ONE, approve(&second)).await.expect("an approval");
    assert_eq!(applied.state(), State::Applied);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_changes_nothing_and_another_with_its_id_is_refused() {
    let (world, found) = world().await;
    let first = propose(&found);
    let answer = world.resolve(ONE, first.clone()).await.expect("a proposal");
    let again = world.resolve(ONE, first.clone()).await.expect("the same");
    assert_eq!(answer, again);
    assert_eq!(world.log().await.len(), 2);

    let reused = told(Code::AlreadyExists, ErrorReason::RequestIdReused);
    let other = ResolveDiscrepancyRequest { note: "something else".to_owned(), ..first.clone() };
    assert_eq!(refused(world.resolve(ONE, other).await), reused);
    assert_eq!(refused(world.resolve(OTHER, first.clone()).await), reused, "another person's");
    assert_eq!(world.log().await.len(), 2);

    // A refused request is not remembered: when its time has come, it can be repeated.
    let approval = approve(&answer);
    refused(world.resolve(ONE, approval.clone()).await);
    assert_eq!(world.resolve(OTHER, approval).await.expect("an approval").state(), State::Applied);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_approve_at_once_approve_once() {
    let (world, found) = world().await;
    let proposed = world.resolve(ONE, propose(&found)).await.expect("a proposal");
    let approvals = (0..8).map(|_| world.resolve(OTHER, approve(&proposed)));
    let answers = futures::future::join_all(approvals).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(world.log().await.iter().filter(|(_, action, _)| action == "APPROVED").count(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_and_who_looks_after_it_are_taken_in_every_state() {
    let (world, found) = world().await;
    let note = ResolveDiscrepancyRequest { note: "问过微信".to_owned(), ..request(&found, Step::Note) };
    assert_eq!(world.resolve(ONE, note).await.expect("a note").state(), State::Open);
    let assign = |name: &str| ResolveDiscrepancyRequest { assignee: name.to_owned(), ..request(&found, Step::Assign) };
    assert_eq!(world.resolve(ONE, assign(OTHER)).await.expect("an assignment").assignee, OTHER);
    let unknown = world.resolve(ONE, assign("nobody")).await;
    assert_eq!(refused(unknown), told(Code::InvalidArgument, ErrorReason::InvalidArgument));
    let log = world.log().await;
    assert_eq!(log[1], (ONE.to_owned(), "NOTED".to_owned(), "问过微信".to_owned()));
    assert_eq!(log[2], (ONE.to_owned(), "ASSIGNED".to_owned(), OTHER.to_owned()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_people_with_a_token_decide() {
    let (world, found) = world().await;
    let unauthenticated = told(Code::Unauthenticated, ErrorReason::Unauthenticated);
    assert_eq!(refused(world.resolve("finance-c", propose(&found)).await), unauthenticated);
    let without = world.client.clone().resolve_discrepancy(propose(&found)).await;
    assert_eq!(refused(without.map(tonic::Response::into_inner)), unauthenticated);
    assert_eq!(world.log().await.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_people_nobody_decides_and_is_told_why() {
    let (world, found) = found_in(World::start_without_people().await).await;
    let answer = world.resolve(ONE, propose(&found)).await;
    let status = answer.clone().expect_err("nobody may");
    assert!(status.message().contains("PEOPLE_FILE of reconcile-svc is not set"), "{status}");
    assert_eq!(refused(answer), told(Code::Unauthenticated, ErrorReason::Unauthenticated));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_named_at_once() {
    let (world, found) = world().await;
    let wrong = |change: fn(&mut ResolveDiscrepancyRequest), step| {
        let mut wrong = request(&found, step);
        change(&mut wrong);
        wrong
    };
    let requests: [(ResolveDiscrepancyRequest, &[&str]); 9] = [
        (ResolveDiscrepancyRequest::default(), &["request_id", "name", "step"]),
        (wrong(|_| {}, Step::Propose), &["note", "action"]),
        (wrong(|_| {}, Step::Note), &["note"]),
        (wrong(|_| {}, Step::Waive), &["note", "waive_until"]),
        (wrong(|_| {}, Step::Assign), &["assignee"]),
        (wrong(|request| request.proposal_sequence = 1, Step::Reject), &["proposal_sequence"]),
        (wrong(|request| request.note = "长".repeat(501), Step::Note), &["note"]),
        (wrong(|request| request.note = "\0".to_owned(), Step::Note), &["note"]),
        (
            wrong(
                |request| {
                    request.action = Action::ImportRefund.into();
                    request.waive_until = "2026-12-24".to_owned();
                    request.assignee = ONE.to_owned();
                },
                Step::Approve,
            ),
            &["action", "waive_until", "assignee", "proposal_sequence"],
        ),
    ];
    for (request, fields) in requests {
        let status = world.resolve(ONE, request).await.expect_err("it is wrong");
        let told = status.get_details_bad_request().expect("violations").field_violations;
        assert_eq!(told.iter().map(|wrong| wrong.field.as_str()).collect::<Vec<_>>(), fields);
    }
    let nowhere =
        ResolveDiscrepancyRequest { name: format!("discrepancies/{}", Uuid::from_u128(1)), ..propose(&found) };
    assert_eq!(refused(world.resolve(ONE, nowhere).await), told(Code::NotFound, ErrorReason::DiscrepancyNotFound));
    let does_not_fit = ResolveDiscrepancyRequest { action: Action::ImportRefund.into(), ..propose(&found) };
    let not_allowed = told(Code::FailedPrecondition, ErrorReason::StepNotAllowed);
    assert_eq!(refused(world.resolve(ONE, does_not_fit).await), not_allowed);
    assert_eq!(refused(world.resolve(ONE, request(&found, Step::Retry)).await), not_allowed, "nobody can be asked");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_are_found_by_any_number_and_by_who_looks_after_them() {
    let world = World::start().await;
    let day = world.day();
    let (pending, unknown) = (Payment::on(day, 100), Payment::on(day, 200));
    world.publish(&[pending.order_created()]).await;
    world.publish(&[pending.issued()]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&pending, &unknown]));
    world.run(day).await;
    let found = world.discrepancies().await;
    let of = |payment: &Payment| {
        let is = |one: &&Discrepancy| one.out_trade_no == payment.out_trade_no;
        found.iter().find(is).expect("it is found").clone()
    };
    let assign = ResolveDiscrepancyRequest { assignee: OTHER.to_owned(), ..request(&of(&unknown), Step::Assign) };
    world.resolve(ONE, assign).await.expect("an assignment");
    let list = async |filter: ListDiscrepanciesRequest| {
        let answer = world.client.clone().list_discrepancies(filter).await;
        answer.map(|list| list.into_inner().discrepancies.into_iter().map(|one| one.name).collect::<Vec<_>>())
    };
    let number = |number: &str| ListDiscrepanciesRequest { number: number.to_owned(), ..Default::default() };
    for pendings in [&pending.order_no, &pending.out_trade_no, &pending.transaction_id] {
        assert_eq!(list(number(pendings)).await.expect("a list"), [of(&pending).name], "{pendings}");
    }
    assert!(list(number(&pending.order_no[1..])).await.expect("a list").is_empty(), "whole numbers only");
    let looked_after = ListDiscrepanciesRequest { assignee: OTHER.to_owned(), ..Default::default() };
    assert_eq!(list(looked_after).await.expect("a list"), [of(&unknown).name]);

    let proposed = world.resolve(ONE, propose(&of(&unknown))).await.expect("a proposal");
    let unfinished = || ListDiscrepanciesRequest { unfinished_only: true, ..Default::default() };
    assert_eq!(list(unfinished()).await.expect("a list").len(), 2);
    world.resolve(OTHER, approve(&proposed)).await.expect("an approval");
    assert_eq!(list(unfinished()).await.expect("a list"), [of(&pending).name]);

    let wrong = list(number("4200\0")).await.expect_err("NUL is nowhere");
    assert!(wrong.message().starts_with("number: "), "{wrong}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_still_finds_what_was_proposed_leaves_it_so() {
    let (world, found) = world().await;
    let proposed = world.resolve(ONE, propose(&found)).await.expect("a proposal");
    let day = world.day();
    world.book(&[&Payment::on(day, 7)]).await;
    assert_eq!(world.run(day).await.version, 2);
    let is = |one: &Discrepancy| one.name == found.name && one.state() == State::Proposed;
    assert!(world.discrepancies().await.iter().any(is));
    let applied = world.resolve(OTHER, approve(&proposed)).await.expect("an approval");
    assert_eq!(applied.state(), State::Applied);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_another_proposal_than_the_one_he_read() {
    let (world, found) = world().await;
    let read = world.resolve(ONE, propose(&found)).await.expect("a proposal");
    world.resolve(ONE, request(&found, Step::Reject)).await.expect("it is taken back");
    let nothing = world.resolve(OTHER, approve(&read)).await.expect_err("nothing is proposed");
    assert_eq!(nothing.get_details_error_info().expect("details").metadata["state"], "OPEN");

    let stands = world.resolve(ONE, propose(&found)).await.expect("another proposal");
    let answer = world.resolve(OTHER, approve(&read)).await;
    let status = answer.clone().expect_err("it is another one");
    assert_eq!(refused(answer), told(Code::FailedPrecondition, ErrorReason::StepNotAllowed));
    let number = stands.proposal_sequence;
    let says = format!("what stands is proposal {number}: SETTLED_ELSEWHERE by {ONE}, 1.00 yuan at risk");
    assert!(status.message().ends_with(&says), "{status}");
    assert_eq!(status.get_details_error_info().expect("details").metadata["proposal_sequence"], number.to_string());
    assert_eq!(world.discrepancies().await, std::slice::from_ref(&stands), "nothing was changed");
    assert_eq!(world.resolve(OTHER, approve(&stands)).await.expect("an approval").state(), State::Applied);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_ends_when_a_run_finds_other_amounts() {
    let world = World::start().await;
    let day = world.day();
    let payment = Payment::on(day, 100);
    let mut more = payment.clone();
    more.fen = 900;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    world.run(day).await;
    let found = world.discrepancies().await.remove(0);
    let proposed = world.resolve(ONE, propose(&found)).await.expect("a proposal");

    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&more]));
    world.run(day).await;
    let open = world.discrepancies().await.remove(0);
    assert_eq!((&open.name, open.state(), open.risk_fen), (&found.name, State::Open, 900));
    assert_eq!((open.proposed(), open.proposed_by.as_str()), (Action::Unspecified, ""));
    let answer = world.resolve(OTHER, approve(&proposed)).await;
    assert_eq!(refused(answer), told(Code::FailedPrecondition, ErrorReason::StepNotAllowed));
    let log = world.log().await;
    let (actor, action, detail) = log.last().expect("a row");
    assert_eq!((actor.as_str(), action.as_str()), ("reconcile-svc", "REJECTED"));
    assert!(detail.starts_with("proposed about other amounts"), "{detail}");
    world.end().await;
}

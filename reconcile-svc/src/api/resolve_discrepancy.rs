use jiff::ToSpan as _;
use jiff::civil::Date;
use proto::error::ErrorReason;
use proto::reconcile::v1::resolve_discrepancy_request::{Action as WireAction, Step as WireStep};
use proto::reconcile::v1::{Discrepancy, ResolveDiscrepancyRequest};
use sha2::{Digest as _, Sha256};
use svc_kit::callers::Callers;
use svc_kit::refusal::{Violations, refuse};
use tonic::{Code, Request, Status};

use super::{fields, wire};
use crate::resolution::audit::hex;
use crate::resolution::step::{Action, Step};
use crate::resolution::{Decision, decide};
use crate::runs::Reconciler;

/// Longest note, in characters.
const MAX_NOTE: usize = 500;

/// How long one can live with a difference.
const MAX_WAIVED_DAYS: i64 = 180;

pub(super) async fn handle(
    reconciler: &Reconciler,
    people: Option<&Callers>,
    request: Request<ResolveDiscrepancyRequest>,
) -> Result<Discrepancy, Status> {
    let people = people.ok_or_else(|| {
        let words = "nobody may decide about differences here: PEOPLE_FILE of reconcile-svc is not set";
        refuse(Code::Unauthenticated, ErrorReason::Unauthenticated.word(), words, [])
    })?;
    let person = people.caller(request.metadata())?;
    let today = wechat_pay::time::bill_date(reconciler.clock.now());
    let decision = checked(request.get_ref(), people, today)?;
    let changed = decide(reconciler, &person, &decision).await?;
    tracing::info!(
        discrepancy = %changed.id, person, step = decision.step.word(), state = changed.state.as_str(),
        "{person}: {} of {} {}", decision.step.word(), changed.code, changed.id
    );
    Ok(wire::discrepancy(changed))
}

fn checked(request: &ResolveDiscrepancyRequest, people: &Callers, today: Date) -> Result<Decision, Status> {
    let mut violations = Violations::new();
    let request_id = fields::request_id(&mut violations, &request.request_id);
    let discrepancy = fields::name(&mut violations, &request.name, "discrepancies");
    let wanted = request.step();
    let note =
        note(&mut violations, &request.note, matches!(wanted, WireStep::Propose | WireStep::Waive | WireStep::Note));

    let only = |violations: &mut Violations, field: &'static str, set: bool, of: WireStep| {
        let word = of.as_str_name();
        violations.check(!set || wanted == of, field, format!("is only for {word}"));
    };
    only(&mut violations, "action", request.action != 0, WireStep::Propose);
    only(&mut violations, "waive_until", !request.waive_until.is_empty(), WireStep::Waive);
    only(&mut violations, "assignee", !request.assignee.is_empty(), WireStep::Assign);
    only(&mut violations, "proposal_sequence", request.proposal_sequence != 0, WireStep::Approve);
    let step = match wanted {
        WireStep::Unspecified => {
            violations.push("step", "must be one of the steps");
            None
        }
        WireStep::Retry => Some(Step::Retry),
        WireStep::Propose => action(&mut violations, request.action()).map(Step::Propose),
        WireStep::Approve => violations
            .check(
                0 < request.proposal_sequence,
                "proposal_sequence",
                "must name the proposal that is approved: proposal_sequence of the difference as it was read",
            )
            .then_some(Step::Approve(request.proposal_sequence)),
        WireStep::Reject => Some(Step::Reject),
        WireStep::Waive => waive_until(&mut violations, &request.waive_until, today).map(Step::Waive),
        WireStep::Note => Some(Step::Note),
        WireStep::Assign => violations
            .check(people.has(&request.assignee), "assignee", "must be a name in PEOPLE_FILE")
            .then(|| Step::Assign(request.assignee.clone())),
    };
    violations.finish()?;
    let all = request_id.zip(discrepancy).zip(step).map(|((request_id, discrepancy), step)| Decision {
        request_id,
        content_sha256: content_sha256(request),
        discrepancy,
        step,
        note,
    });
    Ok(all.expect("every field that is missing is a violation"))
}

fn note(violations: &mut Violations, text: &str, needed: bool) -> String {
    let length = text.chars().count();
    violations.check(length <= MAX_NOTE, "note", format!("must be at most {MAX_NOTE} characters"));
    violations.check(!needed || !text.trim().is_empty(), "note", "must say why: this step needs a reason");
    // Postgres stores no NUL.
    violations.check(!text.contains('\0'), "note", "must not hold NUL");
    text.to_owned()
}

fn action(violations: &mut Violations, asked: WireAction) -> Option<Action> {
    match asked {
        WireAction::Unspecified => {
            violations.push("action", "must be one of the actions");
            None
        }
        WireAction::RefundSurplus => Some(Action::RefundSurplus),
        WireAction::ImportRefund => Some(Action::ImportRefund),
        WireAction::SettledElsewhere => Some(Action::SettledElsewhere),
    }
}

fn waive_until(violations: &mut Violations, text: &str, today: Date) -> Option<Date> {
    let last = today.saturating_add(MAX_WAIVED_DAYS.days());
    let until = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    let until = until.filter(|until| today < *until && *until <= last);
    violations.check(
        until.is_some(),
        "waive_until",
        format!("must be a civil date after {today}, {last} at the latest"),
    );
    until
}

/// What the request asks for, without its id. Each field is hashed with its length.
fn content_sha256(request: &ResolveDiscrepancyRequest) -> String {
    let (step, action) = (request.step.to_string(), request.action.to_string());
    let mut hash = Sha256::new();
    for value in [&request.name, &step, &action, &request.note, &request.waive_until, &request.assignee] {
        hash.update(format!("{}:{value}\n", value.len()));
    }
    // A field that a release before did not know is hashed only where it is set: what was asked then is the same request still.
    if request.proposal_sequence != 0 {
        hash.update(format!("proposal {}\n", request.proposal_sequence));
    }
    hex(&hash.finalize())
}

use svc_kit::outbox::enqueue;
use uuid::Uuid;

use super::audit::{Action, Entry};
use super::repairs::{request, requested};
use super::step::{Change, Refusal, Step, step};
use super::told;
use crate::PROCESS;
use crate::runs::{Discrepancy, DiscrepancyState, Reconciler};
use crate::store::listing::{self, DiscrepancyFilter};
use crate::store::subjects::ResolveRequest;
use crate::store::{audit, repairs, subjects};

/// What a person wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Names the request: the same one changes nothing twice.
    pub request_id: Uuid,
    /// SHA-256 of the request, hex.
    pub content_sha256: String,
    /// About which difference.
    pub discrepancy: Uuid,
    /// What.
    pub step: Step,
    /// Why; may be empty where the step needs no reason.
    pub note: String,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is no such difference.
    #[error("there is no such difference")]
    NotFound,
    /// The request id was used for something else, or by somebody else.
    #[error("this request_id was used before with other content")]
    RequestIdReused,
    /// order-svc was asked about it and has not answered.
    #[error("order-svc was asked about this difference and has not answered yet")]
    RepairUnderWay,
    /// The step is not possible.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database did not answer.
    #[error("the difference could not be changed")]
    Database(#[from] sqlx::Error),
}

/// Takes one step of `person`: state, repair, events and audit rows commit together. Answers the difference as it is then.
pub async fn decide(reconciler: &Reconciler, person: &str, decision: &Decision) -> Result<Discrepancy, DecideError> {
    let now = reconciler.clock.now();
    let id = decision.discrepancy;
    let mut tx = reconciler.pool.begin().await?;
    // Locked first, so that the same request twice at once is one after the other.
    let subject = subjects::lock(&mut tx, &[id]).await?.pop().ok_or(DecideError::NotFound)?;
    let asked = ResolveRequest {
        request_id: decision.request_id,
        discrepancy: id,
        person: person.to_owned(),
        content_sha256: decision.content_sha256.clone(),
    };
    if let Some(before) = subjects::note_request(&mut tx, &asked, now).await? {
        return if before == asked { read(&mut tx, id).await } else { Err(DecideError::RequestIdReused) };
    }

    let proposal = match subject.state {
        DiscrepancyState::Proposed => audit::newest_proposal(&mut tx, id).await?,
        DiscrepancyState::Held
        | DiscrepancyState::Open
        | DiscrepancyState::Resolving
        | DiscrepancyState::Approved
        | DiscrepancyState::Applied
        | DiscrepancyState::Waived
        | DiscrepancyState::Resolved => None,
    };
    let change = step(&subject.standing(proposal), &decision.step, person)?;
    let repair = match &change {
        Change::Ask => Some((subject.repair.clone().unwrap_or_default(), vec![person.to_owned()])),
        Change::Order(action) => {
            let proposed_by = subject.proposed_by.clone().unwrap_or_default();
            Some((action.as_str().to_owned(), vec![proposed_by, person.to_owned()]))
        }
        Change::Propose(_) | Change::Settle | Change::Reject | Change::Waive(_) | Change::Note | Change::Assign(_) => {
            None
        }
    };
    if repair.is_some() && repairs::under_way(&mut tx, id).await? {
        return Err(DecideError::RepairUnderWay);
    }
    match &change {
        Change::Ask => subjects::resolving(&mut tx, &[id], false).await?,
        Change::Propose(action) => subjects::proposed(&mut tx, id, *action, person).await?,
        Change::Order(_) => subjects::approved(&mut tx, id).await?,
        Change::Settle => subjects::applied(&mut tx, id, "").await?,
        Change::Reject => subjects::rejected(&mut tx, id).await?,
        Change::Waive(until) => subjects::waived(&mut tx, id, *until).await?,
        Change::Assign(name) => subjects::assigned(&mut tx, id, name).await?,
        Change::Note => {}
    }

    let mut entries: Vec<Entry> = written(&change, &decision.note)
        .map(|(action, detail)| Entry { actor: person.to_owned(), action, discrepancy: id, detail })
        .into_iter()
        .collect();
    if let Some((action, requested_by)) = repair {
        let repair_id = reconciler.clock.uuid_v7();
        repairs::insert(&mut tx, repair_id, id, &action, &requested_by, now).await?;
        enqueue(&mut tx, &request(&subject, repair_id, &action, &requested_by, now)?, PROCESS).await?;
        let mut entry = requested(id, person, repair_id, &action);
        // An approval says its reason itself.
        if matches!(change, Change::Ask) && !decision.note.is_empty() {
            entry.detail = format!("{}: {}", entry.detail, decision.note);
        }
        entries.push(entry);
    }
    let sequence = audit::append(&mut tx, &entries, now).await?;
    match &change {
        Change::Settle => enqueue(&mut tx, &told::resolved(&subject, "APPLIED", sequence), PROCESS).await?,
        Change::Waive(_) => enqueue(&mut tx, &told::resolved(&subject, "WAIVED", sequence), PROCESS).await?,
        Change::Ask | Change::Propose(_) | Change::Order(_) | Change::Reject | Change::Note | Change::Assign(_) => {}
    }
    let changed = read(&mut tx, id).await?;
    tx.commit().await?;
    reconciler.relay.wake();
    Ok(changed)
}

/// What the audit log says of a step; a question to order-svc is written down with its repair.
fn written(change: &Change, note: &str) -> Option<(Action, String)> {
    let with_note = |text: &str| if note.is_empty() { text.to_owned() } else { format!("{text}: {note}") };
    match change {
        Change::Ask => None,
        Change::Propose(action) => Some((Action::Proposed, with_note(action.as_str()))),
        Change::Order(action) => Some((Action::Approved, with_note(action.as_str()))),
        Change::Settle => Some((Action::Approved, with_note(super::step::Action::SettledElsewhere.as_str()))),
        Change::Reject => Some((Action::Rejected, note.to_owned())),
        Change::Waive(until) => Some((Action::Waived, with_note(&format!("until {until}")))),
        Change::Note => Some((Action::Noted, note.to_owned())),
        Change::Assign(name) => Some((Action::Assigned, with_note(name))),
    }
}

async fn read(conn: &mut sqlx::PgConnection, id: Uuid) -> Result<Discrepancy, DecideError> {
    let filter = DiscrepancyFilter { discrepancy_id: Some(id), ..DiscrepancyFilter::default() };
    listing::discrepancies(conn, &filter, 1).await?.pop().ok_or(DecideError::NotFound)
}

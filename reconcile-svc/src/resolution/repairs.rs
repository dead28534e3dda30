use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use proto::event::repair_answered::Outcome;
use proto::event::{RepairAction, RepairRequested};
use proto::time::to_wire;
use sqlx::PgConnection;
use svc_kit::outbox::{enqueue, enqueue_many};
use uuid::Uuid;

use super::answer::{Answer, Next, next};
use super::audit::{Action, Entry};
use super::told;
use crate::PROCESS;
use crate::runs::{DiscrepancyState, Reconciler};
use crate::store::days::MerchantDay;
use crate::store::subjects::Subject;
use crate::store::{audit, days, repairs, subjects};

/// Differences asked about in one transaction: a bad day must not become a storm at the provider.
const BATCH: i64 = 16;

/// What order-svc does not answer within this time is given up: its question may have become a dead letter.
const HOURS_TO_ANSWER: i32 = 24;

/// Who answers.
const ORDER_SVC: &str = "order-svc";

/// What one look at the differences came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// How many order-svc is now asked about.
    pub count: usize,
    /// Whether there may be more.
    pub more: bool,
}

/// Asks order-svc about differences that a question to the provider may end, a few at a time: repair, state, question and audit row
/// commit together.
pub async fn ask_about_due(reconciler: &Reconciler) -> sqlx::Result<Asked> {
    let now = reconciler.clock.now();
    let mut tx = reconciler.pool.begin().await?;
    let ids = subjects::lock_to_repair(&mut tx, BATCH).await?;
    let mut requests = Vec::with_capacity(ids.len());
    let mut entries = Vec::with_capacity(ids.len());
    let mut asked = Vec::with_capacity(ids.len());
    for subject in subjects::lock(&mut tx, &ids).await? {
        let action = subject.repair.clone().unwrap_or_default();
        let (repair, requested_by) = (reconciler.clock.uuid_v7(), [PROCESS.to_owned()]);
        repairs::insert(&mut tx, repair, subject.id, &action, &requested_by, now).await?;
        requests.push(request(&subject, repair, &action, &requested_by, now)?);
        entries.push(requested(subject.id, PROCESS, repair, &action));
        asked.push(subject.id);
    }
    if asked.is_empty() {
        return Ok(Asked { count: 0, more: false });
    }
    subjects::resolving(&mut tx, &asked, true).await?;
    enqueue_many(&mut tx, &requests, PROCESS).await?;
    audit::append(&mut tx, &entries, now).await?;
    tx.commit().await?;
    reconciler.relay.wake();
    Ok(Asked { count: asked.len(), more: i64::try_from(asked.len()).is_ok_and(|count| count == BATCH) })
}

/// The question about a difference.
pub(super) fn request(
    subject: &Subject,
    repair: Uuid,
    action: &str,
    requested_by: &[String],
    now: Timestamp,
) -> sqlx::Result<RepairRequested> {
    let action = RepairAction::from_str_name(&format!("REPAIR_ACTION_{action}"))
        .ok_or_else(|| sqlx::Error::Decode(format!("{action} is no repair").into()))?;
    Ok(RepairRequested {
        repair: format!("repairs/{repair}"),
        discrepancy: format!("discrepancies/{}", subject.id),
        merchant: subject.merchant.clone(),
        bill_date: subject.bill_date.to_string(),
        code: subject.code.as_str().to_owned(),
        action: action.into(),
        out_trade_no: subject.out_trade_no.clone(),
        transaction_id: subject.transaction_id.clone(),
        out_refund_no: subject.out_refund_no.clone(),
        refund_id: subject.refund_id.clone(),
        bill_amount_fen: subject.bill_amount.get(),
        requested_by: requested_by.to_vec(),
        request_time: Some(to_wire(now)),
    })
}

/// The row of the audit log about a question.
pub(super) fn requested(discrepancy: Uuid, actor: &str, repair: Uuid, action: &str) -> Entry {
    let detail = format!("{action}, repairs/{repair}");
    Entry { actor: actor.to_owned(), action: Action::RepairRequested, discrepancy, detail }
}

/// Applies what order-svc answered, in the caller's transaction, and wishes for another run of `days` and of those that an answer may
/// have changed. An answer that nobody waits for, because a run no longer found the difference, changes nothing but the repair and
/// the audit log.
pub async fn apply_answers(
    conn: &mut PgConnection,
    answers: &[Answer],
    days: BTreeSet<MerchantDay>,
    now: Timestamp,
) -> sqlx::Result<()> {
    apply(conn, answers, days, ORDER_SVC, now).await
}

/// Gives up what order-svc has not answered within a day, and answers how many that were.
pub async fn give_up_unanswered(reconciler: &Reconciler) -> sqlx::Result<usize> {
    let mut tx = reconciler.pool.begin().await?;
    let unanswered = repairs::unanswered_for(&mut tx, HOURS_TO_ANSWER, BATCH).await?;
    let given_up = unanswered.len();
    let answer = |repair_id| Answer {
        repair_id,
        outcome: Outcome::GaveUp,
        detail: format!("order-svc did not answer within {HOURS_TO_ANSWER} hours"),
    };
    let answers: Vec<Answer> = unanswered.into_iter().map(answer).collect();
    apply(&mut tx, &answers, BTreeSet::new(), PROCESS, reconciler.clock.now()).await?;
    tx.commit().await?;
    reconciler.relay.wake();
    Ok(given_up)
}

async fn apply(
    conn: &mut PgConnection,
    answers: &[Answer],
    mut to_look_at: BTreeSet<MerchantDay>,
    actor: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    if answers.is_empty() {
        return days::look_again(conn, &to_look_at).await;
    }
    let names: Vec<Uuid> = answers.iter().map(|answer| answer.repair_id).collect();
    let known = repairs::find(conn, &names).await?;
    let ids: Vec<Uuid> = known.values().map(|repair| repair.discrepancy).collect();
    let locked = subjects::lock(conn, &ids).await?;
    let mut found: HashMap<Uuid, Subject> = locked.into_iter().map(|subject| (subject.id, subject)).collect();

    let mut entries = Vec::with_capacity(answers.len());
    let (mut applied, mut changed) = (Vec::new(), Vec::new());
    for answer in answers {
        let repair = known.get(&answer.repair_id);
        let Some(subject) = repair.and_then(|repair| found.get_mut(&repair.discrepancy)) else {
            tracing::warn!(repair = %answer.repair_id, "an answer to a question that was never asked");
            continue;
        };
        let first = repairs::answer(conn, answer.repair_id, answer.word(), &answer.detail, now).await?;
        let next =
            if first { next(subject.state, subject.code, answer.outcome, subject.repair_count) } else { Next::Nothing };
        let sentence = answer.sentence();
        let mut detail = format!("repairs/{}: {sentence}", answer.repair_id);
        match next {
            Next::Nothing => detail.push_str(" (nobody waited for it any more)"),
            Next::Applied => {
                subjects::applied(conn, subject.id, &sentence).await?;
                changed.push(subject.id);
                subject.state = DiscrepancyState::Applied;
                applied.push((entries.len(), subject.clone()));
            }
            Next::Open { again_in_minutes, look_again, critical } => {
                subjects::answered(conn, subject.id, &sentence, again_in_minutes, critical).await?;
                if look_again {
                    changed.push(subject.id);
                }
                if critical {
                    tracing::error!(discrepancy = %subject.id, merchant = subject.merchant, "our books say that it was paid, and the provider does not know it");
                }
                subject.state = DiscrepancyState::Open;
            }
        }
        entries.push(Entry {
            actor: actor.to_owned(),
            action: Action::RepairAnswered,
            discrepancy: subject.id,
            detail,
        });
    }
    to_look_at.extend(days::that_tell(conn, &changed).await?);
    days::look_again(conn, &to_look_at).await?;
    if entries.is_empty() {
        return Ok(());
    }
    let first = audit::append(conn, &entries, now).await?;
    for (place, subject) in applied {
        let sequence = first + i64::try_from(place).unwrap_or_default();
        enqueue(conn, &told::resolved(&subject, "APPLIED", sequence), PROCESS).await?;
    }
    Ok(())
}

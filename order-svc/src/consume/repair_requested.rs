//! `recon.v1.repair.requested.*`: written down, and acked. `life::repair` does it, for as long as it takes. What names a number that
//! no provider can be asked about is answered at once: bills hold what people type into the provider's console.

use jiff::{Timestamp, civil::Date};
use money::Fen;
use proto::{
    bus::ORDER_SVC_RECON,
    event::{RepairAction, RepairRequested},
};
use svc_kit::{
    bus::{Delivery, Failure, Handler, Verdict, Verdicts},
    inbox, outbox,
};
use uuid::Uuid;

use crate::{
    config::PROCESS,
    domain::{
        ids::hyphenated,
        repair::{Action, Answer, Outcome, Repair, TIME},
    },
    events,
    life::{Life, soon},
    store::repairs,
};

/// Longest number, ours and the provider's, in bytes. WeChat's longest is an `out_refund_no` with 64.
const MAX_NUMBER: usize = 64;
/// As much of a number as is kept when nobody can be asked about it, in characters.
const MAX_KEPT: usize = 256;
/// Longest name of somebody who asks, in bytes.
const MAX_NAME: usize = 64;

/// Writes repairs down.
#[derive(Clone, Debug)]
pub struct RepairRequests {
    life: Life,
}

impl RepairRequests {
    /// Repairs the orders of `life`.
    pub fn new(life: Life) -> Self {
        Self { life }
    }
}

impl Handler for RepairRequests {
    async fn handle(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        let now = self.life.clock.now();
        let (mut verdicts, mut wanted) = (Vec::with_capacity(batch.len()), Vec::new());
        for delivery in batch {
            let read = delivery.decode::<RepairRequested>().map_err(|error| error.to_string());
            match read.and_then(|request| repair(&request, now).map_err(|error| error.to_string())) {
                Ok(asked) => {
                    verdicts.push(Verdict::Applied);
                    wanted.push((delivery.id.as_str(), asked));
                }
                Err(why) => {
                    tracing::error!(id = delivery.id, why, "a repair was asked for that nobody can do");
                    verdicts.push(Verdict::Dead(why));
                }
            }
        }
        let ids: Vec<&str> = wanted.iter().map(|(id, _)| *id).collect();
        let mut tx = self.life.pool.begin().await?;
        let new = inbox::record(&mut tx, ORDER_SVC_RECON, &ids).await?;
        let mut refused = Vec::new();
        for (_, asked) in wanted.iter().filter(|(id, _)| new.contains(*id)) {
            repairs::insert(&mut tx, &asked.repair, now).await?;
            if let Some(answer) = asked.refusal()
                && repairs::answer(&mut tx, asked.repair.id, &answer, now).await?
            {
                outbox::enqueue(&mut tx, &events::repair_answered(&asked.repair, &answer, now), PROCESS).await?;
                refused.push((&asked.repair, answer));
            }
        }
        svc_kit::crash::point("order.repair.before_written");
        tx.commit().await?;
        svc_kit::crash::point("order.repair.written");
        self.life.repair_due.notify_one();
        for (repair, answer) in &refused {
            self.life.relay.wake();
            self.life.measured.repaired(repair.action, answer.outcome);
            tracing::warn!(repair = %repair.id, code = repair.code, "a repair that nobody can do: {}", answer.detail);
        }
        Ok(Verdicts::Each(verdicts))
    }
}

/// What a message asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    repair: Repair,
    /// What is wrong with its numbers.
    wrong: Option<Wrong>,
}

impl Asked {
    /// The answer, when nobody needs to be asked for it.
    fn refusal(&self) -> Option<Answer> {
        let wrong = self.wrong?;
        Some(Answer::new(
            Outcome::NotApplicable,
            format!("{wrong}, so the provider cannot be asked: a person must look"),
        ))
    }
}

/// What is wrong with a request, by the name of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {what}")]
struct Wrong {
    field: &'static str,
    what: &'static str,
}

/// # Errors
/// What no release of ours asks for; a number is the bill's, and what is wrong with it stands in [`Asked`].
fn repair(request: &RepairRequested, now: Timestamp) -> Result<Asked, Wrong> {
    let wrong = |field, what| Wrong { field, what };
    let must = |holds: bool, field, what| if holds { Ok(()) } else { Err(wrong(field, what)) };
    let id = named(&request.repair, "repairs/").ok_or(wrong("repair", "must look like repairs/{uuid}"))?;
    let discrepancy = named(&request.discrepancy, "discrepancies/");
    let discrepancy = discrepancy.ok_or(wrong("discrepancy", "must look like discrepancies/{uuid}"))?;
    must(is_merchant(&request.merchant), "merchant", "must be 1 to 32 of [a-z0-9-]")?;
    let bill_date: Option<Date> = request.bill_date.parse().ok();
    let bill_date = bill_date.ok_or(wrong("bill_date", "must be a day, such as 2026-11-21"))?;
    must(is_code(&request.code), "code", "must be a letter and a number, such as P1")?;
    let action = action(request.action()).ok_or(wrong("action", "is none that this release knows"))?;
    must(0 <= request.bill_amount_fen, "bill_amount_fen", "must not be negative")?;
    check_people(request, action)?;
    let wrong = check_numbers(request, action).err();
    let repair = Repair {
        id,
        discrepancy,
        merchant: request.merchant.clone(),
        bill_date,
        code: request.code.clone(),
        action,
        out_trade_no: kept(&request.out_trade_no),
        transaction_id: kept(&request.transaction_id),
        out_refund_no: kept(&request.out_refund_no),
        refund_id: kept(&request.refund_id),
        bill_amount: Fen::new(request.bill_amount_fen),
        requested_by: request.requested_by.clone(),
        attempts: 0,
        deadline: soon(now, TIME),
    };
    Ok(Asked { repair, wrong })
}

/// A number as Postgres keeps it; one that is right is kept whole.
fn kept(number: &str) -> String {
    number.chars().filter(|letter| *letter != '\0').take(MAX_KEPT).collect()
}

/// What an action is about must be named, by numbers that a provider can be asked about.
fn check_numbers(request: &RepairRequested, action: Action) -> Result<(), Wrong> {
    for (field, number) in [
        ("out_trade_no", &request.out_trade_no),
        ("transaction_id", &request.transaction_id),
        ("out_refund_no", &request.out_refund_no),
        ("refund_id", &request.refund_id),
    ] {
        if !is_number(number) {
            return Err(Wrong { field, what: "is not at most 64 printable ASCII characters" });
        }
    }
    let required = |number: &str, field, what| if number.is_empty() { Err(Wrong { field, what }) } else { Ok(()) };
    if !is_refund_number(&request.out_refund_no) {
        return Err(Wrong { field: "out_refund_no", what: "has characters other than 0-9A-Za-z_-|*@" });
    }
    match action {
        Action::QueryPayment | Action::RepublishPayment | Action::RefundSurplus => {
            required(&request.out_trade_no, "out_trade_no", "is missing")
        }
        Action::QueryRefund => required(&request.out_refund_no, "out_refund_no", "is missing"),
        Action::ImportRefund => {
            required(&request.out_trade_no, "out_trade_no", "of the payment is missing")?;
            let either = if request.out_refund_no.is_empty() { &request.refund_id } else { &request.out_refund_no };
            required(either, "out_refund_no", "and refund_id are missing")
        }
    }
}

/// Money goes back only when two people want it.
fn check_people(request: &RepairRequested, action: Action) -> Result<(), Wrong> {
    let wrong = |what| Err(Wrong { field: "requested_by", what });
    if request.requested_by.iter().any(|name| name.is_empty() || MAX_NAME < name.len()) {
        return wrong("must hold names of 1 to 64 bytes");
    }
    match (action, request.requested_by.as_slice()) {
        (Action::RefundSurplus, [one, other]) if one != other => Ok(()),
        (Action::RefundSurplus, _) => wrong("must name two different people: money goes back"),
        (_, [_] | [_, _]) => Ok(()),
        _ => wrong("must name one or two"),
    }
}

fn action(action: RepairAction) -> Option<Action> {
    match action {
        RepairAction::Unspecified => None,
        RepairAction::QueryPayment => Some(Action::QueryPayment),
        RepairAction::RepublishPayment => Some(Action::RepublishPayment),
        RepairAction::RefundSurplus => Some(Action::RefundSurplus),
        RepairAction::QueryRefund => Some(Action::QueryRefund),
        RepairAction::ImportRefund => Some(Action::ImportRefund),
    }
}

fn named(name: &str, collection: &str) -> Option<Uuid> {
    name.strip_prefix(collection).and_then(hyphenated)
}

fn is_merchant(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_code(code: &str) -> bool {
    let (kind, number) = code.split_at_checked(1).unwrap_or_default();
    kind.bytes().all(|byte| byte.is_ascii_uppercase())
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(number: &str) -> bool {
    number.len() <= MAX_NUMBER && number.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The characters that WeChat takes back as the number of a refund.
fn is_refund_number(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte))
}

#[cfg(test)]
mod tests;

use jiff::ToSpan as _;
use jiff::civil::Date;
use proto::error::ErrorReason;
use proto::reconcile::v1::{Run, RunReconciliationRequest};
use svc_kit::refusal::{Violations, refuse};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{error, fields, wire};
use crate::runs::Reconciler;
use crate::store::listing;
use crate::store::requests::{self, Answered};

/// How long providers keep bills.
const MONTHS_OF_BILLS: i64 = 3;

pub(super) async fn handle(reconciler: &Reconciler, request: RunReconciliationRequest) -> Result<Run, Status> {
    let today = wechat_pay::time::bill_date(reconciler.clock.now());
    let (request_id, merchant, day) = checked(&request, today)?;

    // The connection goes back before the run, which needs its own.
    let mut conn = reconciler.pool.acquire().await.map_err(error::store_failed)?;
    let before = requests::answered(&mut conn, request_id).await.map_err(error::store_failed)?;
    if let Some(before) = before {
        return replay(&mut conn, &before, &merchant, day).await;
    }
    drop(conn);

    let run = reconciler.reconcile(&merchant, day).await?;

    let mut conn = reconciler.pool.acquire().await.map_err(error::store_failed)?;
    let answer = Answered { merchant: merchant.clone(), bill_date: day, run_id: run.id };
    requests::note(&mut conn, request_id, &answer, reconciler.clock.now()).await.map_err(error::store_failed)?;
    // The same id may have been used twice at once; both callers get what was noted first.
    match requests::answered(&mut conn, request_id).await.map_err(error::store_failed)? {
        Some(first) if first != answer => replay(&mut conn, &first, &merchant, day).await,
        _ => Ok(wire::run(run)),
    }
}

async fn replay(conn: &mut sqlx::PgConnection, first: &Answered, merchant: &str, day: Date) -> Result<Run, Status> {
    if first.merchant != merchant || first.bill_date != day {
        let text = "this request_id was used before for another merchant or day";
        return Err(refuse(Code::AlreadyExists, ErrorReason::RequestIdReused.word(), text, []));
    }
    let run = listing::run(conn, first.run_id).await.map_err(error::store_failed)?;
    run.map(wire::run).ok_or_else(error::run_not_found)
}

fn checked(request: &RunReconciliationRequest, today: Date) -> Result<(Uuid, String, Date), Status> {
    let mut violations = Violations::new();
    let request_id = fields::request_id(&mut violations, &request.request_id);
    let merchant = fields::merchant(&mut violations, &request.merchant);
    let day = fields::bill_date(&mut violations, &request.bill_date);
    if let Some(day) = day {
        violations.check(day < today, "bill_date", "must be before today in Asia/Shanghai");
        let oldest = today.saturating_sub(MONTHS_OF_BILLS.months());
        violations.check(oldest <= day, "bill_date", "must be within the last three months: older bills are gone");
    }
    violations.finish()?;
    let all = request_id.zip(merchant).zip(day).map(|((request_id, merchant), day)| (request_id, merchant, day));
    Ok(all.expect("every field that is missing is a violation"))
}

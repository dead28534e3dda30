use std::collections::HashMap;

use proto::error::ErrorReason;
use proto::reconcile::v1::{DiffRunsRequest, DiffRunsResponse, Discrepancy};
use sqlx::PgConnection;
use svc_kit::refusal::{Violations, refuse};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{error, fields, wire};
use crate::runs::{InputKind, Reconciler, Run, RunState};
use crate::store::diffs::{self, Side};
use crate::store::listing::{self, DiscrepancyFilter, RunFilter};

/// Differences of one kind in an answer.
const MOST: i64 = 1000;

/// Versions of one day among which the one before is looked for.
const VERSIONS: i64 = 1000;

pub(super) async fn handle(reconciler: &Reconciler, request: &DiffRunsRequest) -> Result<DiffRunsResponse, Status> {
    let mut violations = Violations::new();
    let from = if request.from.is_empty() { None } else { fields::run_in(&mut violations, "from", &request.from) };
    let to = fields::run_in(&mut violations, "to", &request.to);
    violations.finish()?;
    let to = to.expect("a missing name is a violation");

    let mut conn = reconciler.pool.acquire().await.map_err(error::store_failed)?;
    let later = listing::run(&mut conn, to).await.map_err(error::store_failed)?.ok_or_else(error::run_not_found)?;
    let earlier = match from {
        Some(from) => listing::run(&mut conn, from).await,
        None => before(&mut conn, &later).await,
    };
    let earlier = earlier.map_err(error::store_failed)?.ok_or_else(|| {
        let text = "there is no such earlier run";
        refuse(Code::NotFound, ErrorReason::RunNotFound.word(), text, [])
    })?;
    let mut violations = Violations::new();
    violations.check(earlier.merchant == later.merchant, "from", "must be a run of the same merchant as `to`");
    violations.finish()?;

    let diff = diffs::diff(&mut conn, earlier.id, later.id, MOST).await.map_err(error::store_failed)?;
    let told = async |conn: &mut PgConnection, run: &Run, side: &Side| {
        discrepancies(conn, run.id, &side.largest).await.map_err(error::store_failed)
    };
    Ok(DiffRunsResponse {
        changed_inputs: changed_inputs(&earlier, &later),
        appeared: told(&mut conn, &later, &diff.appeared).await?,
        vanished: told(&mut conn, &earlier, &diff.vanished).await?,
        changed: told(&mut conn, &later, &diff.changed).await?,
        appeared_count: diff.appeared.count,
        vanished_count: diff.vanished.count,
        changed_count: diff.changed.count,
        from: Some(wire::run(earlier)),
        to: Some(wire::run(later)),
    })
}

/// The version of the same day before `run`.
async fn before(conn: &mut PgConnection, run: &Run) -> sqlx::Result<Option<Run>> {
    let filter = RunFilter {
        merchant: Some(run.merchant.clone()),
        bill_date: Some(run.bill_date),
        before: Some(run.id),
        ..RunFilter::default()
    };
    let versions = listing::runs(conn, &filter, VERSIONS).await?;
    Ok(versions.into_iter().find(|other| other.state != RunState::Running && other.version < run.version))
}

/// In the order of `largest`, as that run saw them.
async fn discrepancies(conn: &mut PgConnection, run: Uuid, largest: &[Uuid]) -> sqlx::Result<Vec<Discrepancy>> {
    let filter = DiscrepancyFilter { run_id: Some(run), ids: Some(largest.to_vec()), ..DiscrepancyFilter::default() };
    let found = listing::discrepancies(conn, &filter, MOST).await?;
    let mut found: HashMap<Uuid, _> = found.into_iter().map(|found| (found.id, found)).collect();
    Ok(largest.iter().filter_map(|id| found.remove(id)).map(wire::discrepancy).collect())
}

fn changed_inputs(earlier: &Run, later: &Run) -> Vec<String> {
    let of = |run: &Run, kind: InputKind| {
        let input = run.inputs.iter().find(|input| input.kind == kind)?;
        Some((input.state, input.sha256.clone()))
    };
    let files = InputKind::ALL.into_iter().filter(|kind| of(earlier, *kind) != of(later, *kind));
    let mut changed: Vec<String> = files.map(|kind| kind.as_str().to_owned()).collect();
    let books = changed.iter().any(|input| input.starts_with("BOOK_"));
    for (is, name) in [
        (!books && earlier.books_sha256 != later.books_sha256, "OTHER_DAYS"),
        (earlier.as_of != later.as_of, "AS_OF"),
        ((earlier.engine_version, earlier.rules_version) != (later.engine_version, later.rules_version), "RULES"),
    ] {
        if is {
            changed.push(name.to_owned());
        }
    }
    changed
}

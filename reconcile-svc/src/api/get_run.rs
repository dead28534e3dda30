use proto::reconcile::v1::{GetRunRequest, Run};
use svc_kit::refusal::Violations;
use tonic::Status;

use super::{error, fields, wire};
use crate::runs::Reconciler;
use crate::store::listing;

pub(super) async fn handle(reconciler: &Reconciler, request: &GetRunRequest) -> Result<Run, Status> {
    let mut violations = Violations::new();
    let id = fields::name(&mut violations, &request.name, "runs");
    violations.finish()?;
    let id = id.expect("a missing name is a violation");
    let mut conn = reconciler.pool.acquire().await.map_err(error::store_failed)?;
    let run = listing::run(&mut conn, id).await.map_err(error::store_failed)?;
    run.map(wire::run).ok_or_else(error::run_not_found)
}

use proto::reconcile::v1::{ListRunsRequest, ListRunsResponse};
use svc_kit::refusal::Violations;
use tonic::Status;
use uuid::Uuid;

use super::{error, fields, page, wire};
use crate::runs::Reconciler;
use crate::store::listing::{self, RunFilter};

pub(super) async fn handle(reconciler: &Reconciler, request: &ListRunsRequest) -> Result<ListRunsResponse, Status> {
    let mut violations = Violations::new();
    let size = page::size(&mut violations, request.page_size);
    let filter = RunFilter {
        merchant: fields::optional(&mut violations, &request.merchant, fields::merchant),
        bill_date: fields::optional(&mut violations, &request.bill_date, fields::bill_date),
        before: page::token(&mut violations, &request.page_token, |text| Uuid::try_parse(text).ok()),
        current_only: request.current_only,
        ..RunFilter::default()
    };
    violations.finish()?;
    let mut conn = reconciler.pool.acquire().await.map_err(error::store_failed)?;
    let mut runs = listing::runs(&mut conn, &filter, page::limit(size)).await.map_err(error::store_failed)?;
    let next_page_token = page::cut(&mut runs, size, |run| run.id.simple().to_string());
    Ok(ListRunsResponse { runs: runs.into_iter().map(wire::run).collect(), next_page_token })
}

use proto::reconcile::v1::VerifyAuditLogResponse;
use tonic::Status;

use super::error;
use crate::resolution::audit::hex;
use crate::resolution::verify;
use crate::runs::Reconciler;

pub(super) async fn handle(reconciler: &Reconciler) -> Result<VerifyAuditLogResponse, Status> {
    let found = verify(&reconciler.pool).await.map_err(error::store_failed)?;
    if let Some((row, broken)) = found.broken {
        tracing::error!(row, "the audit log is broken at row {row}: {broken}");
    }
    let (broken_at, problem) = found.broken.map_or((0, String::new()), |(row, broken)| (row, broken.to_string()));
    Ok(VerifyAuditLogResponse { rows: found.rows, head_hash: hex(&found.head), broken_at, problem })
}

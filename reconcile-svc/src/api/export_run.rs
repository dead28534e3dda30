use futures::{StreamExt as _, TryStreamExt as _};
use proto::error::ErrorReason;
use proto::reconcile::v1::export_run_request::Format as WireFormat;
use proto::reconcile::v1::{ExportRunRequest, ExportRunResponse};
use svc_kit::refusal::{Violations, refuse};
use tonic::{Code, Status};

use super::{ExportStream, error, fields};
use crate::export::{self, ExportError, Format};
use crate::runs::Reconciler;

pub(super) async fn handle(reconciler: &Reconciler, request: &ExportRunRequest) -> Result<ExportStream, Status> {
    let mut violations = Violations::new();
    let id = fields::name(&mut violations, &request.name, "runs");
    let format = format(&mut violations, request.format);
    violations.finish()?;
    let (id, format) = (id.expect("a missing name is a violation"), format.expect("a missing form is a violation"));
    let export = export::export(reconciler, id, format).await.map_err(refused)?;
    let mut file_name = export.file_name.clone();
    let chunks = export.into_chunks().map_err(|error| refused(ExportError::File(error)));
    Ok(chunks.map_ok(move |chunk| ExportRunResponse { chunk, file_name: std::mem::take(&mut file_name) }).boxed())
}

fn format(violations: &mut Violations, asked: i32) -> Option<Format> {
    let format = match WireFormat::try_from(asked) {
        Ok(WireFormat::Xlsx) => Some(Format::Xlsx),
        Ok(WireFormat::Csv) => Some(Format::Csv),
        Ok(WireFormat::Json) => Some(Format::Json),
        Ok(WireFormat::Unspecified) | Err(_) => None,
    };
    violations.check(format.is_some(), "format", "must be FORMAT_XLSX, FORMAT_CSV or FORMAT_JSON");
    format
}

fn refused(error: ExportError) -> Status {
    match error {
        ExportError::NotFound => error::run_not_found(),
        ExportError::Running => refuse(Code::Aborted, ErrorReason::InProgress.word(), error.to_string(), []),
        ExportError::Busy => refuse(Code::ResourceExhausted, ErrorReason::Overloaded.word(), error.to_string(), []),
        ExportError::Database(error) => error::store_failed(error),
        ExportError::File(_) => {
            tracing::error!(error = &error as &dyn std::error::Error, "an export failed: {error}");
            refuse(Code::Unavailable, ErrorReason::TryAgain.word(), "the file could not be made; try again", [])
        }
    }
}

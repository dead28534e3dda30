//! The gRPC service: one RPC per file.

mod diff_runs;
mod error;
mod explain_discrepancy;
mod export_run;
mod fields;
mod get_run;
mod list_discrepancies;
mod list_runs;
mod page;
mod resolve_discrepancy;
mod run_reconciliation;
mod verify_audit_log;
pub(crate) mod wire;

use std::sync::Arc;

use proto::reconcile::v1::reconcile_service_server::{ReconcileService, ReconcileServiceServer};
use proto::reconcile::v1::{
    DiffRunsRequest, DiffRunsResponse, Discrepancy, ExplainDiscrepancyRequest, ExplainDiscrepancyResponse,
    ExportRunRequest, ExportRunResponse, GetRunRequest, ListDiscrepanciesRequest, ListDiscrepanciesResponse,
    ListRunsRequest, ListRunsResponse, ResolveDiscrepancyRequest, Run, RunReconciliationRequest, VerifyAuditLogRequest,
    VerifyAuditLogResponse,
};
use svc_kit::callers::Callers;
use tonic::{Request, Response, Status};

use crate::runs::Reconciler;

/// A file in pieces.
type ExportStream = futures::stream::BoxStream<'static, Result<ExportRunResponse, Status>>;

/// Serves `tongbao.reconcile.v1.ReconcileService`.
#[derive(Clone, Debug)]
pub struct Api {
    reconciler: Reconciler,
    people: Option<Arc<Callers>>,
}

impl Api {
    /// The service over `reconciler`, to be called in this process: the report pages are its first client, and decide nothing.
    pub fn new(reconciler: Reconciler) -> Self {
        Self { reconciler, people: None }
    }

    /// The service over `reconciler`, in which `people` may decide; nobody may when there are none.
    pub fn server(reconciler: Reconciler, people: Option<Callers>) -> ReconcileServiceServer<Self> {
        ReconcileServiceServer::new(Self { people: people.map(Arc::new), ..Self::new(reconciler) })
    }
}

#[tonic::async_trait]
impl ReconcileService for Api {
    async fn run_reconciliation(&self, request: Request<RunReconciliationRequest>) -> Result<Response<Run>, Status> {
        run_reconciliation::handle(&self.reconciler, request.into_inner()).await.map(Response::new)
    }

    async fn get_run(&self, request: Request<GetRunRequest>) -> Result<Response<Run>, Status> {
        get_run::handle(&self.reconciler, &request.into_inner()).await.map(Response::new)
    }

    async fn list_runs(&self, request: Request<ListRunsRequest>) -> Result<Response<ListRunsResponse>, Status> {
        list_runs::handle(&self.reconciler, &request.into_inner()).await.map(Response::new)
    }

    async fn list_discrepancies(
        &self,
        request: Request<ListDiscrepanciesRequest>,
    ) -> Result<Response<ListDiscrepanciesResponse>, Status> {
        list_discrepancies::handle(&self.reconciler, &request.into_inner()).await.map(Response::new)
    }

    async fn diff_runs(&self, request: Request<DiffRunsRequest>) -> Result<Response<DiffRunsResponse>, Status> {
        diff_runs::handle(&self.reconciler, &request.into_inner()).await.map(Response::new)
    }

    async fn explain_discrepancy(
        &self,
        request: Request<ExplainDiscrepancyRequest>,
    ) -> Result<Response<ExplainDiscrepancyResponse>, Status> {
        explain_discrepancy::handle(&self.reconciler, &request.into_inner()).await.map(Response::new)
    }

    async fn resolve_discrepancy(
        &self,
        request: Request<ResolveDiscrepancyRequest>,
    ) -> Result<Response<Discrepancy>, Status> {
        resolve_discrepancy::handle(&self.reconciler, self.people.as_deref(), request).await.map(Response::new)
    }

    type ExportRunStream = ExportStream;

    async fn export_run(&self, request: Request<ExportRunRequest>) -> Result<Response<ExportStream>, Status> {
        export_run::handle(&self.reconciler, &request.into_inner()).await.map(Response::new)
    }

    async fn verify_audit_log(
        &self,
        _request: Request<VerifyAuditLogRequest>,
    ) -> Result<Response<VerifyAuditLogResponse>, Status> {
        verify_audit_log::handle(&self.reconciler).await.map(Response::new)
    }
}

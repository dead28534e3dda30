//! The gRPC service: one RPC per file.

mod error;
mod fields;
mod get_run;
mod list_discrepancies;
mod list_runs;
mod page;
mod run_reconciliation;
mod wire;

use proto::reconcile::v1::reconcile_service_server::{ReconcileService, ReconcileServiceServer};
use proto::reconcile::v1::{
    GetRunRequest, ListDiscrepanciesRequest, ListDiscrepanciesResponse, ListRunsRequest, ListRunsResponse, Run,
    RunReconciliationRequest,
};
use tonic::{Request, Response, Status};

use crate::runs::Reconciler;

/// Serves `tongbao.reconcile.v1.ReconcileService`.
#[derive(Clone, Debug)]
pub struct Api {
    reconciler: Reconciler,
}

impl Api {
    /// The service over `reconciler`.
    pub fn server(reconciler: Reconciler) -> ReconcileServiceServer<Self> {
        ReconcileServiceServer::new(Self { reconciler })
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
}

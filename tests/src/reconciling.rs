//! What finance does: it compares a day's bill with the books, and looks at what differs.

use jiff::civil::Date;
pub use proto::reconcile::v1::{Discrepancy, Run, discrepancy::State as DiscrepancyState, run::State as RunState};
use proto::{
    bus::{RECONCILE_SVC_ORDER, RECONCILE_SVC_PAY},
    reconcile::v1::{
        ListDiscrepanciesRequest, RunReconciliationRequest, reconcile_service_client::ReconcileServiceClient,
    },
};
use svc_kit::grpc;
use tonic::{Status, transport::Channel};
use uuid::Uuid;

use crate::{World, eventually, selling::is_undecided, streams::Backlog};

impl World {
    /// A raw client of reconcile-svc.
    ///
    /// # Panics
    /// Never: the URL is our own.
    pub fn reconcile(&self) -> ReconcileServiceClient<Channel> {
        let url = self.addresses().reconcile.url();
        ReconcileServiceClient::new(grpc::channel(&url).expect("our own URL is well formed"))
    }

    /// Waits until reconcile-svc has written down everything that happened so far.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn books_are_written(&self) {
        let (orders, streams) = (self.postgres.pool("orders"), self.streams().await);
        eventually("the books are written", async || {
            let waiting = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox").fetch_one(&orders).await;
            let waiting = waiting.map_err(|error| error.to_string())?;
            if waiting != 0 {
                return Err(format!("{waiting} events wait in the outbox of order-svc"));
            }
            for durable in [RECONCILE_SVC_PAY, RECONCILE_SVC_ORDER] {
                let backlog = streams.backlog(durable).await;
                if backlog != Some(Backlog { pending: 0, unacked: 0 }) {
                    return Err(format!("{durable} has {backlog:?}"));
                }
            }
            Ok(())
        })
        .await;
        orders.close().await;
    }

    /// Compares a day, once the books are written.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn reconcile_day(&self, merchant: &str, day: Date) -> Run {
        self.books_are_written().await;
        self.attempt_reconcile(merchant, day).await.unwrap_or_else(|status| panic!("RunReconciliation: {status:?}"))
    }

    /// Compares a day, whatever the books say; retries what is undecided with the same request id.
    ///
    /// # Errors
    /// The status, as finance sees it.
    pub async fn attempt_reconcile(&self, merchant: &str, day: Date) -> Result<Run, Status> {
        let request = RunReconciliationRequest {
            request_id: Uuid::new_v4().to_string(),
            merchant: merchant.to_owned(),
            bill_date: day.to_string(),
        };
        eventually("RunReconciliation", async || match self.reconcile().run_reconciliation(request.clone()).await {
            Ok(run) => Ok(Ok(run.into_inner())),
            Err(status) if is_undecided(&status) => Err(status),
            Err(status) => Ok(Err(status)),
        })
        .await
    }

    /// What differs on a day, in any state.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn discrepancies(&self, merchant: &str, day: Date) -> Vec<Discrepancy> {
        let request = ListDiscrepanciesRequest {
            merchant: merchant.to_owned(),
            bill_date: day.to_string(),
            page_size: 200,
            ..ListDiscrepanciesRequest::default()
        };
        let listed = self.reconcile().list_discrepancies(request).await;
        listed.unwrap_or_else(|status| panic!("ListDiscrepancies: {status:?}")).into_inner().discrepancies
    }

    /// The page of a run, as finance reads it.
    ///
    /// # Panics
    /// When there is none.
    pub async fn report_page(&self, run: &Run) -> String {
        let url = format!("{}/{}", self.addresses().report.url(), run.name);
        let answer = crate::world::client().get(&url).send().await.and_then(reqwest::Response::error_for_status);
        let answer = answer.unwrap_or_else(|error| panic!("there is no page: {error}"));
        answer.text().await.unwrap_or_else(|error| panic!("the page broke off: {error}"))
    }
}

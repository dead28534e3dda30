//! What people of finance decide about a difference.

use proto::reconcile::v1::{
    Discrepancy, ResolveDiscrepancyRequest,
    resolve_discrepancy_request::{Action, Step},
};
use tonic::{Request, Status};
use uuid::Uuid;

use crate::{World, eventually, selling::is_undecided};

/// One person of finance.
pub const ONE: &str = "finance-a-development-token";
/// Another one.
pub const OTHER: &str = "finance-b-development-token";

impl World {
    /// One person proposes an action.
    ///
    /// # Errors
    /// The status, as the person sees it.
    pub async fn propose(&self, person: &str, found: &Discrepancy, action: Action) -> Result<Discrepancy, Status> {
        let note = "agreed with the shop".to_owned();
        let step = ResolveDiscrepancyRequest { action: action.into(), note, ..step(found, Step::Propose) };
        self.decide(person, step).await
    }

    /// A person agrees with what was proposed: `found` is the difference with its proposal.
    ///
    /// # Errors
    /// The status, as the person sees it.
    pub async fn approve(&self, person: &str, found: &Discrepancy) -> Result<Discrepancy, Status> {
        let proposal_sequence = found.proposal_sequence;
        self.decide(person, ResolveDiscrepancyRequest { proposal_sequence, ..step(found, Step::Approve) }).await
    }

    async fn decide(&self, person: &str, step: ResolveDiscrepancyRequest) -> Result<Discrepancy, Status> {
        eventually("ResolveDiscrepancy", async || {
            let mut request = Request::new(step.clone());
            let bearer = format!("Bearer {person}").parse().expect("a token is a header's value");
            request.metadata_mut().insert("authorization", bearer);
            match self.reconcile().resolve_discrepancy(request).await {
                Ok(found) => Ok(Ok(found.into_inner())),
                Err(status) if is_undecided(&status) => Err(status),
                Err(status) => Ok(Err(status)),
            }
        })
        .await
    }
}

fn step(found: &Discrepancy, step: Step) -> ResolveDiscrepancyRequest {
    ResolveDiscrepancyRequest {
        request_id: Uuid::new_v4().to_string(),
        name: found.name.clone(),
        step: step.into(),
        ..ResolveDiscrepancyRequest::default()
    }
}

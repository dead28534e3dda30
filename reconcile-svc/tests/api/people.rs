//! The people who may decide, and what they do.

use std::path::{Path, PathBuf};

use proto::reconcile::v1::resolve_discrepancy_request::Step;
use proto::reconcile::v1::{Discrepancy, ResolveDiscrepancyRequest};
use sha2::{Digest as _, Sha256};
use tonic::{Request, Status};
use uuid::Uuid;

use crate::harness::World;

pub(crate) const ONE: &str = "finance-a";
pub(crate) const OTHER: &str = "finance-b";

/// A file in which both stand.
pub(crate) fn file(folder: &Path) -> PathBuf {
    let file = folder.join("people.toml");
    let entries = [ONE, OTHER].map(|person| {
        let hash: Vec<String> = Sha256::digest(token(person)).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("[[people]]\nname = \"{person}\"\ntoken_sha256 = \"{}\"\n", hash.concat())
    });
    std::fs::write(&file, entries.concat()).expect("the folder takes a file");
    file
}

fn token(person: &str) -> String {
    format!("token of {person}")
}

/// A request for a step without anything that only some steps need.
pub(crate) fn request(found: &Discrepancy, step: Step) -> ResolveDiscrepancyRequest {
    ResolveDiscrepancyRequest {
        request_id: Uuid::new_v4().to_string(),
        name: found.name.clone(),
        step: step.into(),
        ..ResolveDiscrepancyRequest::default()
    }
}

/// A request to approve what was proposed: `proposed` is the difference with its proposal.
pub(crate) fn approve(proposed: &Discrepancy) -> ResolveDiscrepancyRequest {
    assert_ne!(proposed.proposal_sequence, 0, "nothing is proposed: {proposed:?}");
    ResolveDiscrepancyRequest { proposal_sequence: proposed.proposal_sequence, ..request(proposed, Step::Approve) }
}

impl World {
    /// A step of a person.
    pub(crate) async fn resolve(&self, person: &str, step: ResolveDiscrepancyRequest) -> Result<Discrepancy, Status> {
        let mut request = Request::new(step);
        let bearer = format!("Bearer {}", token(person)).parse().expect("ASCII");
        request.metadata_mut().insert("authorization", bearer);
        self.client.clone().resolve_discrepancy(request).await.map(tonic::Response::into_inner)
    }
}

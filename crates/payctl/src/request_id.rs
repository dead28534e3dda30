//! Names of requests.

use crate::output;

/// The id of a request that changes something.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RequestId {
    /// Names the request, a UUID. A new one when absent; it is printed, and a repetition with the same one has the same answer.
    #[arg(long, global = true)]
    request_id: Option<uuid::Uuid>,
}

impl RequestId {
    /// The id, told before the call, so that a lost answer can be asked for again.
    pub(crate) fn told(&self) -> String {
        let id = self.request_id.unwrap_or_else(|| svc_kit::clock::Clock::system().uuid_v7());
        output::note(&format!("request id {id}"));
        id.to_string()
    }
}

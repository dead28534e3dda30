use proto::error::ErrorReason;
use svc_kit::refusal::refuse;
use tonic::{Code, Status};

use crate::gateway::GatewayError;
use crate::resolution::DecideError;
use crate::resolution::step::Refusal;
use crate::runs::RunError;

/// No such run.
pub(super) fn run_not_found() -> Status {
    refuse(Code::NotFound, ErrorReason::RunNotFound.word(), "there is no such run", [])
}

/// No such difference.
pub(super) fn discrepancy_not_found() -> Status {
    let reason = ErrorReason::DiscrepancyNotFound.word();
    refuse(Code::NotFound, reason, "there is no such difference", [])
}

/// The database failed: logged here, once; the caller learns only what helps.
pub(super) fn store_failed(error: sqlx::Error) -> Status {
    Status::from(RunError::Database(error))
}

impl From<RunError> for Status {
    fn from(error: RunError) -> Self {
        let try_again = "nothing was decided; try again with the same request_id";
        let (code, reason, text) = match &error {
            RunError::Gateway(GatewayError::MerchantNotFound) => {
                (Code::NotFound, ErrorReason::MerchantNotFound, error.to_string())
            }
            RunError::Gateway(GatewayError::BillNotReady) => {
                (Code::FailedPrecondition, ErrorReason::BillNotReady, error.to_string())
            }
            RunError::Gateway(GatewayError::Refused(_) | GatewayError::NotAvailable(_)) => {
                tracing::error!("no bill: {error}");
                (Code::FailedPrecondition, ErrorReason::ProviderRefused, error.to_string())
            }
            RunError::Gateway(GatewayError::NoBill | GatewayError::Unavailable(_)) => {
                tracing::warn!("no bill: {error}");
                (Code::Unavailable, ErrorReason::ProviderUnknown, format!("{error}; {try_again}"))
            }
            RunError::InProgress => (Code::Aborted, ErrorReason::InProgress, error.to_string()),
            RunError::TooSlow
            | RunError::TooLarge(_)
            | RunError::Disk(_)
            | RunError::Database(_)
            | RunError::Internal(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a run failed: {error}");
                (Code::Unavailable, ErrorReason::TryAgain, try_again.to_owned())
            }
        };
        refuse(code, reason.word(), text, [])
    }
}

impl From<DecideError> for Status {
    fn from(error: DecideError) -> Self {
        let text = error.to_string();
        let (code, reason, metadata) = match error {
            DecideError::NotFound => return discrepancy_not_found(),
            DecideError::Database(error) => return store_failed(error),
            DecideError::RequestIdReused => (Code::AlreadyExists, ErrorReason::RequestIdReused, None),
            DecideError::RepairUnderWay => (Code::FailedPrecondition, ErrorReason::RepairUnderWay, None),
            DecideError::Refused(Refusal::SamePerson { proposed_by }) => {
                (Code::PermissionDenied, ErrorReason::AnotherPersonNeeded, Some(("proposed_by", proposed_by)))
            }
            DecideError::Refused(Refusal::OtherProposal { sequence, .. }) => (
                Code::FailedPrecondition,
                ErrorReason::StepNotAllowed,
                Some(("proposal_sequence", sequence.to_string())),
            ),
            DecideError::Refused(Refusal::State { state, .. }) => {
                (Code::FailedPrecondition, ErrorReason::StepNotAllowed, Some(("state", state.as_str().to_owned())))
            }
            DecideError::Refused(Refusal::NothingToAsk { code } | Refusal::DoesNotFit { code, .. }) => {
                (Code::FailedPrecondition, ErrorReason::StepNotAllowed, Some(("code", code.as_str().to_owned())))
            }
        };
        refuse(code, reason.word(), text, metadata)
    }
}

//! What to do when reconcile-svc says no.

use tonic::Code;

/// What to do.
pub(super) fn fix(code: Code, reason: Option<&str>) -> &'static str {
    match reason {
        Some("INVALID_ARGUMENT") => "correct the fields above",
        Some("UNAUTHENTICATED") => {
            "use the token of a person that PEOPLE_FILE of reconcile-svc lists (--person-token-file, PERSON_TOKEN)"
        }
        Some("REQUEST_ID_REUSED") => "leave --request-id out, or repeat with exactly the content of the first time",
        Some("RUN_NOT_FOUND") => "look at its name: payctl recon list",
        Some("DISCREPANCY_NOT_FOUND") => "look at its name: payctl recon list --differences",
        Some("MERCHANT_NOT_FOUND") => "look at the merchant's name: payctl merchants check DIR lists them",
        Some("BILL_NOT_READY") => "wait: WeChat makes a day's bill until about ten in the morning after, Beijing time",
        Some("STEP_NOT_ALLOWED") => "see what can be done instead: payctl recon explain NAME",
        Some("ANOTHER_PERSON_NEEDED") => "let another person do it, with a token of their own",
        Some("REPAIR_UNDER_WAY") => "wait for order-svc's answer: payctl recon explain NAME shows it",
        Some("PROVIDER_REFUSED") => "read the provider's word above; a key or setting of the merchant may be wrong",
        Some("PROVIDER_UNKNOWN" | "TRY_AGAIN" | "IN_PROGRESS" | "OVERLOADED") => "repeat a little later",
        Some("DEADLINE_EXCEEDED") => "repeat: what was done is answered, what was not is done",
        _ => match code {
            Code::NotFound => "look at the name: payctl recon list lists runs, with --differences what they found",
            Code::PermissionDenied => "let another person do it, with a token of their own",
            Code::FailedPrecondition => "see what can be done: payctl recon explain NAME",
            Code::Unavailable => "look whether reconcile-svc runs there (--reconcile-url); then repeat",
            Code::Unimplemented => {
                "this reconcile-svc is older than this payctl, or something else answers there (--reconcile-url)"
            }
            Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                "the outcome is unknown: repeat; what was done is answered, what was not is done"
            }
            _ => "read reconcile-svc's log",
        },
    }
}

#[cfg(test)]
mod tests {
    use proto::error::ErrorReason;
    use tonic::Code;

    use super::fix;

    #[test]
    fn every_reason_of_a_run_has_a_fix_of_its_own() {
        for reason in [
            ErrorReason::InvalidArgument,
            ErrorReason::Unauthenticated,
            ErrorReason::RequestIdReused,
            ErrorReason::MerchantNotFound,
            ErrorReason::ProviderRefused,
            ErrorReason::ProviderUnknown,
            ErrorReason::TryAgain,
            ErrorReason::InProgress,
            ErrorReason::Overloaded,
            ErrorReason::BillNotReady,
            ErrorReason::RunNotFound,
            ErrorReason::DeadlineExceeded,
        ] {
            assert_ne!(fix(Code::Ok, Some(reason.word())), "read reconcile-svc's log", "{reason:?}");
        }
    }

    #[test]
    fn what_nobody_of_ours_said_has_a_fix_too() {
        assert!(fix(Code::Unavailable, None).contains("look whether reconcile-svc runs there"));
        assert_eq!(fix(Code::Internal, None), "read reconcile-svc's log");
    }
}

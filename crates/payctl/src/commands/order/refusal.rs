//! Why order-svc said no, and what to do.

use std::{collections::BTreeMap, fmt::Write as _, process::ExitCode};

use proto::error::ErrorReason;
use serde::Serialize;
use svc_kit::refusal;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::output;

/// A refusal, whole.
#[derive(Debug, Serialize)]
struct Refusal {
    error: Told,
}

#[derive(Debug, Serialize)]
struct Told {
    /// gRPC's word.
    code: String,
    /// Ours; absent when somebody else answered.
    reason: Option<String>,
    message: String,
    /// Every wrong field.
    violations: Vec<Violation>,
    metadata: BTreeMap<String, String>,
    fix: &'static str,
}

#[derive(Debug, Serialize)]
struct Violation {
    field: String,
    description: String,
}

/// Prints why a call was refused; the exit code says whether that is an answer.
///
/// # Errors
/// What is no refusal.
pub(super) fn tell(error: anyhow::Error, json: bool) -> anyhow::Result<ExitCode> {
    let status: Status = error.downcast()?;
    let refusal = Refusal { error: told(&status) };
    if json {
        output::print_json(&refusal)?;
    } else {
        output::note(&text(&refusal.error));
    }
    Ok(if is_answer(status.code()) { output::no() } else { ExitCode::from(2) })
}

/// Whether the code is order-svc's no to what was asked; all others say that it was asked wrongly, or that nobody knows.
fn is_answer(code: Code) -> bool {
    matches!(code, Code::NotFound | Code::AlreadyExists | Code::FailedPrecondition)
}

fn told(status: &Status) -> Told {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
    let reason = refusal::reason_of(status);
    let metadata = details.error_info().map(|info| info.metadata.clone()).unwrap_or_default();
    Told {
        code: format!("{:?}", status.code()),
        fix: fix(status.code(), reason.as_deref()),
        reason,
        message: status.message().to_owned(),
        violations: violations
            .iter()
            .map(|wrong| Violation { field: wrong.field.clone(), description: wrong.description.clone() })
            .collect(),
        metadata: metadata.into_iter().collect(),
    }
}

fn text(told: &Told) -> String {
    let mut text = format!("refused: {}: {}", told.reason.as_deref().unwrap_or(&told.code), told.message);
    // A text takes everything.
    for Violation { field, description } in &told.violations {
        let _ = write!(text, "\n  {field}: {description}");
    }
    for (name, value) in &told.metadata {
        let _ = write!(text, "\n  {name} = {value}");
    }
    let _ = write!(text, "\n  fix: {}", told.fix);
    text
}

/// What to do.
fn fix(code: Code, reason: Option<&str>) -> &'static str {
    let reason = reason.and_then(|word| ErrorReason::from_str_name(&format!("ERROR_REASON_{word}")));
    match reason {
        Some(ErrorReason::InvalidArgument) => "correct the fields above",
        Some(ErrorReason::Unauthenticated) => {
            "use the token of a team that APPS_FILE of order-svc lists (--token-file, ORDER_TOKEN)"
        }
        Some(ErrorReason::RequestIdReused) => {
            "leave --request-id out, or repeat with exactly the content of the first time"
        }
        Some(ErrorReason::OrderNoReused) => {
            "give the order another number, or read the one that has it: payctl order get NUMBER"
        }
        Some(ErrorReason::OrderNotFound | ErrorReason::RefundNotFound | ErrorReason::ProductCodeNotFound) => {
            "look at its name, and at whose token this is: a team sees only its own"
        }
        Some(ErrorReason::OrderNotPayable | ErrorReason::OrderExpired) => "create another order",
        Some(ErrorReason::OrderNotClosable) => "it is paid: give the money back with payctl order refund",
        Some(ErrorReason::TooManyPayments) => "wait until earlier payments are closed, or create another order",
        Some(ErrorReason::MerchantNotFound) => "look at the merchant's name: payctl merchants check DIR lists them",
        Some(ErrorReason::MethodNotAvailable) => {
            "name one of the merchant's apps with --app-id, pay in another way, or mend the merchant's file"
        }
        Some(ErrorReason::LoginCodeInvalid) => "get a fresh code; each is good once, for five minutes",
        Some(ErrorReason::ProviderRefused) => "read provider_code; then pay with a new request id",
        Some(ErrorReason::ProviderUnknown | ErrorReason::TryAgain | ErrorReason::InProgress) => {
            "repeat with the same --request-id: what was done is answered, what was not is done"
        }
        Some(ErrorReason::Overloaded) => "repeat a little later with the same --request-id",
        Some(ErrorReason::DeadlineExceeded) => {
            "the outcome is unknown: repeat with the same --request-id, or read the order"
        }
        Some(ErrorReason::OrderNotRefundable) => "no payment of it holds money: read it with payctl order get",
        Some(ErrorReason::RefundExceedsPayment) => "ask for at most left_fen",
        Some(ErrorReason::TooManyRefunds | ErrorReason::RefundTooLate) => "give the money back outside WeChat",
        Some(ErrorReason::RefundNotAvailable) => {
            "name the merchant's client certificate in its file (client_cert_file, client_key_file)"
        }
        Some(ErrorReason::PaymentUnderWay) => "wait with payctl order watch until the earlier attempt has ended",
        Some(ErrorReason::PayCodeInvalid) => "scan a fresh code and pay with a new request id",
        Some(ErrorReason::PayerCannotPay) => "let the payer pay in another way, with a new request id",
        Some(ErrorReason::ProductNoReused) => "give the product another number, or use the code named above",
        Some(ErrorReason::Internal) => "read order-svc's log",
        _ => match code {
            Code::NotFound => "look at the number, and at whose token this is: a team sees only its own",
            Code::Unavailable => {
                "look whether order-svc runs there (--order-url); then repeat with the same --request-id"
            }
            Code::Unimplemented => {
                "this order-svc is older than this payctl, or something else answers there (--order-url)"
            }
            Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                "the outcome is unknown: repeat with the same --request-id, or read the order"
            }
            _ => "read order-svc's log",
        },
    }
}

#[cfg(test)]
mod tests {
    use svc_kit::refusal::{Violations, refuse};
    use tonic::{Code, Status};

    use super::{fix, is_answer, text, told};

    #[test]
    fn every_wrong_field_is_a_line_of_its_own() {
        let mut violations = Violations::new();
        violations.push("amount_fen", "must be at least 1");
        violations.push("merchant", "is unknown");
        let text = text(&told(&violations.finish().unwrap_err()));
        assert_eq!(
            text,
            "refused: INVALID_ARGUMENT: amount_fen: must be at least 1 (and 1 more)\n  amount_fen: must be at least 1\n  \
             merchant: is unknown\n  fix: correct the fields above"
        );
    }

    #[test]
    fn a_reason_comes_with_what_it_says_for_programs_and_a_fix() {
        let status =
            refuse(Code::FailedPrecondition, "REFUND_EXCEEDS_PAYMENT", "too much", [("left_fen", "90".to_owned())]);
        assert_eq!(
            text(&told(&status)),
            "refused: REFUND_EXCEEDS_PAYMENT: too much\n  left_fen = 90\n  fix: ask for at most left_fen"
        );
        assert!(is_answer(status.code()));
    }

    #[test]
    fn what_nobody_of_ours_said_is_no_answer() {
        let status = Status::unavailable("connection refused");
        assert!(text(&told(&status)).contains("look whether order-svc runs there"));
        assert!(!is_answer(status.code()));
        let status = Status::not_found("the team has no order with the number \"S-9\"");
        assert!(text(&told(&status)).contains("look at the number") && is_answer(status.code()));
    }

    #[test]
    fn every_reason_that_order_svc_gives_has_a_fix_of_its_own() {
        // Reasons 18 to 20 are reconcile-svc's.
        for number in (1..=33).filter(|number| !(18..=20).contains(number) && *number != 22) {
            let reason = proto::error::ErrorReason::try_from(number).unwrap();
            assert_ne!(fix(Code::Ok, Some(reason.word())), "read order-svc's log", "{reason:?}");
        }
    }
}

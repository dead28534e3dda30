//! Why a service of ours said no, and what to do.

use std::{collections::BTreeMap, fmt::Write as _, process::ExitCode};

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

/// What to do about a refusal with this code and reason.
pub(crate) type Fix = fn(Code, Option<&str>) -> &'static str;

/// Prints why a call was refused; the exit code says whether that is an answer.
///
/// # Errors
/// What is no refusal.
pub(crate) fn tell(error: anyhow::Error, json: bool, fix: Fix) -> anyhow::Result<ExitCode> {
    let status: Status = error.downcast()?;
    let refusal = Refusal { error: told(&status, fix) };
    if json {
        output::print_json(&refusal)?;
    } else {
        output::note(&text(&refusal.error));
    }
    Ok(if is_answer(status.code()) { output::no() } else { ExitCode::from(2) })
}

/// A refusal for people, when it is one of several answers.
pub(crate) fn text_of(status: &Status, fix: Fix) -> String {
    text(&told(status, fix))
}

/// A refusal for programs, when it is one of several answers.
pub(crate) fn value_of(status: &Status, fix: Fix) -> impl Serialize + use<> {
    told(status, fix)
}

/// Whether the code is the service's no to what was asked; all others say that it was asked wrongly, or that nobody knows.
fn is_answer(code: Code) -> bool {
    matches!(code, Code::NotFound | Code::AlreadyExists | Code::FailedPrecondition | Code::PermissionDenied)
}

fn told(status: &Status, fix: Fix) -> Told {
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

#[cfg(test)]
mod tests {
    use svc_kit::refusal::{Violations, refuse};
    use tonic::{Code, Status};

    use super::{is_answer, text, told};

    fn fix(code: Code, reason: Option<&str>) -> &'static str {
        match (code, reason) {
            (Code::InvalidArgument, _) => "correct the fields above",
            (_, Some("REFUND_EXCEEDS_PAYMENT")) => "ask for at most left_fen",
            _ => "read the log",
        }
    }

    #[test]
    fn every_wrong_field_is_a_line_of_its_own() {
        let mut violations = Violations::new();
        violations.push("amount_fen", "must be at least 1");
        violations.push("merchant", "is unknown");
        let text = text(&told(&violations.finish().unwrap_err(), fix));
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
            text(&told(&status, fix)),
            "refused: REFUND_EXCEEDS_PAYMENT: too much\n  left_fen = 90\n  fix: ask for at most left_fen"
        );
        assert!(is_answer(status.code()));
    }

    #[test]
    fn what_nobody_of_ours_said_is_no_answer() {
        assert!(!is_answer(Status::unavailable("connection refused").code()));
        assert!(is_answer(Status::not_found("no such order").code()));
    }
}

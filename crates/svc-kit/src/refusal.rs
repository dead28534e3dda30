//! Saying no to a gRPC caller, in a form that a program can act on.
//!
//! Every refusal carries `google.rpc.ErrorInfo` with domain [`DOMAIN`] and a reason; a request with wrong fields gets
//! `google.rpc.BadRequest` with every one of them at once.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// The domain of all our reasons.
pub const DOMAIN: &str = "tongbao";

/// Reason of a refusal that names the wrong fields.
pub const INVALID_ARGUMENT: &str = "INVALID_ARGUMENT";

/// More violations than this are counted, not listed: details travel in a header, and HTTP/2 limits headers to 16 KiB.
pub const MAX_VIOLATIONS: usize = 40;

/// Longest description of one violation, in bytes, for the same reason.
const MAX_MESSAGE_BYTES: usize = 200;

/// A refusal with a reason of `tongbao.error.v1` (its name, such as `ORDER_NOT_PAYABLE`) and metadata for programs, such
/// as `("state", "CLOSED")`. `message` is for people; neither may hold anything secret.
pub fn refuse<'a>(
    code: Code,
    reason: &str,
    message: impl Into<String>,
    metadata: impl IntoIterator<Item = (&'a str, String)>,
) -> Status {
    let metadata: HashMap<String, String> = metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Status::with_error_details(code, message, ErrorDetails::with_error_info(reason, DOMAIN, metadata))
}

/// The reason that a refusal of ours carries; `None` for a status made by anyone else, such as a proxy or tonic itself.
pub fn reason_of(status: &Status) -> Option<String> {
    status.get_details_error_info().filter(|info| info.domain == DOMAIN).map(|info| info.reason)
}

/// Collects everything wrong with a request, so that the caller learns all of it at once.
///
/// ```
/// use svc_kit::refusal::Violations;
///
/// let amount_fen = -1;
/// let mut violations = Violations::new();
/// violations.check(0 < amount_fen, "amount_fen", "must be at least 1 (fen)");
/// assert!(violations.finish().is_err());
/// ```
#[derive(Debug, Default)]
#[must_use = "violations are only told by `finish`"]
pub struct Violations {
    found: Vec<FieldViolation>,
    unlisted: usize,
}

impl Violations {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes `message` about `field` unless `holds`; hands `holds` back.
    pub fn check(&mut self, holds: bool, field: impl Into<String>, message: impl Into<String>) -> bool {
        if !holds {
            self.push(field, message);
        }
        holds
    }

    /// Notes that `field` is wrong. `field` is its path in the request, such as `payer.openid`; `message` says what would
    /// be right and must not repeat a value that could be secret.
    pub fn push(&mut self, field: impl Into<String>, message: impl Into<String>) {
        if self.found.len() == MAX_VIOLATIONS {
            self.unlisted += 1;
            return;
        }
        let mut message = message.into();
        message.truncate(message.floor_char_boundary(MAX_MESSAGE_BYTES));
        self.found.push(FieldViolation::new(field, message));
    }

    /// Whether nothing was wrong so far.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// `Ok` when nothing was wrong.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with all violations.
    pub fn finish(self) -> Result<(), Status> {
        let Some(first) = self.found.first() else { return Ok(()) };
        let others = self.found.len() - 1 + self.unlisted;
        let more = if others == 0 { String::new() } else { format!(" (and {others} more)") };
        let message = format!("{}: {}{more}", first.field, first.description);
        let mut details = ErrorDetails::with_bad_request(self.found);
        details.set_error_info(INVALID_ARGUMENT, DOMAIN, HashMap::<String, String>::new());
        Err(Status::with_error_details(Code::InvalidArgument, message, details))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_carries_domain_reason_and_metadata() {
        let status = refuse(
            Code::FailedPrecondition,
            "ORDER_NOT_PAYABLE",
            "the order is closed",
            [("state", "CLOSED".to_owned())],
        );
        let info = status.get_details_error_info().expect("an ErrorInfo");
        assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "the order is closed"));
        assert_eq!((info.domain.as_str(), info.reason.as_str()), ("tongbao", "ORDER_NOT_PAYABLE"));
        assert_eq!(info.metadata["state"], "CLOSED");
        assert_eq!(reason_of(&status).as_deref(), Some("ORDER_NOT_PAYABLE"));
    }

    #[test]
    fn a_status_of_someone_else_has_no_reason_of_ours() {
        assert_eq!(reason_of(&Status::unavailable("connection refused")), None);
    }

    #[test]
    fn all_violations_are_told_at_once() {
        let mut violations = Violations::new();
        assert!(!violations.check(false, "amount_fen", "must be at least 1"));
        assert!(violations.check(true, "merchant", "is unknown"));
        violations.push("description", "must not be empty");
        let status = violations.finish().expect_err("two fields are wrong");
        let told = status.get_details_bad_request().expect("a BadRequest").field_violations;
        let told: Vec<_> = told.iter().map(|v| (v.field.as_str(), v.description.as_str())).collect();
        assert_eq!(told, [("amount_fen", "must be at least 1"), ("description", "must not be empty")]);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "amount_fen: must be at least 1 (and 1 more)");
        assert_eq!(reason_of(&status).as_deref(), Some(INVALID_ARGUMENT));
    }

    #[test]
    fn nothing_wrong_is_no_refusal() {
        assert!(Violations::new().finish().is_ok());
    }

    #[test]
    fn a_flood_of_violations_fits_into_a_header() {
        let mut violations = Violations::new();
        for index in 0..1000 {
            violations.push(format!("items[{index}].name"), "名".repeat(1000));
        }
        let status = violations.finish().expect_err("all are wrong");
        assert!(status.message().ends_with("(and 999 more)"));
        assert!(status.details().len() < 12 * 1024, "{} bytes of details", status.details().len());
    }
}

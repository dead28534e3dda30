//! What a refusal tells the team's program.

use std::fmt::Debug;

use proto::error::ErrorReason;
use svc_kit::refusal::reason_of;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Asserts that a call was refused with this code and reason, and hands the refusal on.
#[track_caller]
pub(crate) fn refused<T: Debug>(answer: Result<T, Status>, code: Code, reason: ErrorReason) -> Status {
    let status = answer.expect_err("a refusal");
    assert_eq!((status.code(), reason_of(&status).as_deref()), (code, Some(reason.word())), "{}", status.message());
    status
}

/// Asserts that exactly these fields were called wrong, in any order.
#[track_caller]
pub(crate) fn wrong_fields<T: Debug>(answer: Result<T, Status>, fields: &[&str]) {
    let status = refused(answer, Code::InvalidArgument, ErrorReason::InvalidArgument);
    let told = status.get_details_bad_request().expect("wrong fields are named").field_violations;
    assert!(told.iter().all(|violation| !violation.description.is_empty()), "{told:?}");
    let mut told: Vec<_> = told.into_iter().map(|violation| violation.field).collect();
    told.sort_unstable();
    let mut fields = fields.to_vec();
    fields.sort_unstable();
    assert_eq!(told, fields);
}

/// One entry of a refusal's metadata; "" when it is not there.
pub(crate) fn metadata(status: &Status, key: &str) -> String {
    let info = status.get_details_error_info().expect("refusals of ours carry an ErrorInfo");
    info.metadata.get(key).cloned().unwrap_or_default()
}

//! Fields of requests. Each reader notes what is wrong and goes on, so that a caller learns everything at once.

use jiff::civil::Date;
use svc_kit::refusal::Violations;
use uuid::Uuid;

/// Longest name of a merchant.
const MAX_NAME_BYTES: usize = 32;

/// Longest number of an order, a payment or a refund that is looked for.
const MAX_TEXT_BYTES: usize = 256;

/// A UUID that must be there.
pub(super) fn request_id(violations: &mut Violations, text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok().filter(|id| !id.is_nil());
    violations.check(id.is_some(), "request_id", "must be a UUID chosen by the caller");
    id
}

/// A merchant's name.
pub(super) fn merchant(violations: &mut Violations, text: &str) -> Option<String> {
    let fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let holds = (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(fit);
    violations.check(holds, "merchant", "must be 1 to 32 characters of a-z, 0-9 and -").then(|| text.to_owned())
}

/// A text that is looked for.
pub(super) fn text(violations: &mut Violations, field: &'static str, text: &str) -> Option<String> {
    // Postgres stores no NUL, so it finds none either.
    let holds = text.len() <= MAX_TEXT_BYTES && !text.contains('\0');
    violations
        .check(holds, field, format!("must be at most {MAX_TEXT_BYTES} bytes without NUL"))
        .then(|| text.to_owned())
}

/// A civil date.
pub(super) fn bill_date(violations: &mut Violations, text: &str) -> Option<Date> {
    // jiff reads more forms than this one; the length leaves only `yyyy-mm-dd`.
    let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    violations.check(date.is_some(), "bill_date", "must be a civil date in Asia/Shanghai such as 2026-11-21");
    date
}

/// `value` read by `read` unless it is empty.
pub(super) fn optional<T>(
    violations: &mut Violations,
    value: &str,
    read: fn(&mut Violations, &str) -> Option<T>,
) -> Option<T> {
    if value.is_empty() { None } else { read(violations, value) }
}

/// The UUID of `runs/{uuid}` in the field `run`.
pub(super) fn run_name(violations: &mut Violations, text: &str) -> Option<Uuid> {
    named(violations, "run", text, "runs")
}

/// The UUID of `runs/{uuid}` in a field.
pub(super) fn run_in(violations: &mut Violations, field: &'static str, text: &str) -> Option<Uuid> {
    named(violations, field, text, "runs")
}

/// The UUID of `prefix/{uuid}` in the field `name`.
pub(super) fn name(violations: &mut Violations, text: &str, prefix: &str) -> Option<Uuid> {
    named(violations, "name", text, prefix)
}

fn named(violations: &mut Violations, field: &'static str, text: &str, prefix: &str) -> Option<Uuid> {
    let id = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')).and_then(|id| {
        // Only the form that we print: other forms of one UUID would be several names of one thing.
        Uuid::try_parse(id).ok().filter(|uuid| uuid.to_string() == id)
    });
    violations.check(id.is_some(), field, format!("must be {prefix}/{{uuid}}"));
    id
}

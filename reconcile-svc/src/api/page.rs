//! Pages of lists.

use svc_kit::refusal::Violations;

/// Rows on a page when the caller does not say.
const USUAL: i32 = 50;

/// Most rows on a page.
const MOST: i32 = 200;

/// Rows wanted on a page.
pub(super) fn size(violations: &mut Violations, asked: i32) -> usize {
    violations.check((0..=MOST).contains(&asked), "page_size", "must be 1 to 200, or 0 for 50");
    let size = if asked == 0 { USUAL } else { asked };
    usize::try_from(size).unwrap_or(0)
}

/// Reads the token of the previous page, if there is one.
pub(super) fn token<T>(violations: &mut Violations, text: &str, read: fn(&str) -> Option<T>) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    let token = read(text);
    violations.check(token.is_some(), "page_token", "must be the next_page_token of the previous page");
    token
}

/// Cuts one row more than a page back to the page, and answers the token of the next when there is one. `rows` were asked
/// for with one more than `size`, so that the last page knows that it is.
pub(super) fn cut<T>(rows: &mut Vec<T>, size: usize, token: impl Fn(&T) -> String) -> String {
    if rows.len() <= size {
        return String::new();
    }
    rows.truncate(size);
    rows.last().map(token).unwrap_or_default()
}

/// What to ask the store for: a page and one row more.
pub(super) fn limit(size: usize) -> i64 {
    i64::try_from(size + 1).unwrap_or(i64::MAX)
}

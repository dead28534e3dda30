//! Page tokens of lists that are newest first: where the page before ended, bound to the team and to what it asked for.

use prost::Message;
use sha2::{Digest as _, Sha256};
use svc_kit::refusal::Violations;
use uuid::Uuid;

/// When the caller does not say.
const DEFAULT_PAGE: i32 = 50;
/// Largest page.
const MAX_PAGE: i32 = 200;

/// Binds a page token to the team and to everything else of the request that it was made for.
pub(super) fn seal(app: &str, same: &impl Message) -> String {
    let mut hash = Sha256::new();
    hash.update(app.as_bytes());
    hash.update([0]);
    hash.update(same.encode_to_vec());
    let hash = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    format!("{:016x}", u64::from_be_bytes(first))
}

/// How many are wanted.
pub(super) fn size(page_size: i32, violations: &mut Violations) -> i32 {
    let size = if page_size == 0 { DEFAULT_PAGE } else { page_size };
    violations.check(
        (1..=MAX_PAGE).contains(&size),
        "page_size",
        format!("must be 1 to {MAX_PAGE}, or 0 for {DEFAULT_PAGE}"),
    );
    size
}

/// Where the page before ended; nothing on the first.
pub(super) fn before(page_token: &str, seal: &str, violations: &mut Violations) -> Option<Uuid> {
    if page_token.is_empty() {
        return None;
    }
    let id = page_token.split_once('.').filter(|(_, sealed)| *sealed == seal);
    let id = id.and_then(|(id, _)| Uuid::try_parse(id).ok());
    violations.check(
        id.is_some(),
        "page_token",
        "must be the next_page_token of the page before, with every other field the same",
    );
    id
}

/// Cuts what was found, one more than the page, to the page, and says with which token it goes on.
pub(super) fn cut<T>(found: &mut Vec<T>, size: i32, seal: &str, id: impl Fn(&T) -> Uuid) -> String {
    let more = usize::try_from(size).is_ok_and(|size| size < found.len());
    if more {
        found.pop();
    }
    match found.last() {
        Some(last) if more => format!("{}.{seal}", id(last).simple()),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use svc_kit::refusal::Violations;
    use uuid::Uuid;

    use super::{before, cut};

    #[test]
    fn a_page_goes_on_where_the_page_before_ended() {
        let mut found: Vec<Uuid> = (0..3).rev().map(Uuid::from_u128).collect();
        let token = cut(&mut found, 2, "seal", |id| *id);
        assert_eq!(found.len(), 2);
        let mut violations = Violations::new();
        assert_eq!(before(&token, "seal", &mut violations), Some(Uuid::from_u128(1)));
        assert_eq!(cut(&mut found, 2, "seal", |id| *id), "", "the last page");
        assert!(violations.is_empty());
        assert_eq!(before(&token, "other", &mut violations), None);
        assert!(!violations.is_empty());
    }
}

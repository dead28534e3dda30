use std::cmp::Ordering;

use sqlx::PgPool;

use super::audit::{Broken, Chain};
use crate::store::audit;

/// Rows read at a time.
const PAGE: i64 = 5000;

/// What a look along the whole log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Rows that fit.
    pub rows: i64,
    /// The hash of the last of them.
    pub head: Vec<u8>,
    /// The first row that does not fit, and what is wrong with it.
    pub broken: Option<(i64, Broken)>,
}

/// Reads the audit log from its first row and checks every hash, as it is at this moment, a page in memory at a time.
pub async fn verify(pool: &PgPool) -> sqlx::Result<Verified> {
    let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let noted = audit::head(&mut tx).await?;
    let mut chain = Chain::default();
    let broken = loop {
        let page = audit::rows(&mut tx, chain.sequence, PAGE).await?;
        if page.is_empty() {
            let at = match noted.sequence.cmp(&chain.sequence) {
                Ordering::Less => noted.sequence + 1,
                Ordering::Equal => noted.sequence,
                Ordering::Greater => chain.sequence + 1,
            };
            break (chain != noted).then_some((at, Broken::Head));
        }
        let wrong = page.iter().find_map(|row| chain.follow(row).err().map(|broken| (row.sequence, broken)));
        if wrong.is_some() {
            break wrong;
        }
    };
    tx.rollback().await?;
    Ok(Verified { rows: chain.sequence, head: chain.hash, broken })
}

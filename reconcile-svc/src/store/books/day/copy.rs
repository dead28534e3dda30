use std::io;

use futures::TryStreamExt as _;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgConnection;

use super::RIPE_AFTER;

/// Bytes of one piece of a file.
const PIECE_BYTES: usize = 256 * 1024;

/// Takes a file piece by piece.
pub trait Sink {
    /// Adds a piece; waits while what it writes to is behind.
    fn push(&mut self, piece: Vec<u8>) -> impl Future<Output = io::Result<()>> + Send;
}

impl Sink for Vec<u8> {
    async fn push(&mut self, piece: Vec<u8>) -> io::Result<()> {
        self.extend_from_slice(&piece);
        Ok(())
    }
}

/// What a copy is about, as literals: `COPY` takes no parameters.
pub(super) struct Literals {
    /// `'acme-mini'`.
    pub(super) merchant: String,
    /// `DATE '2026-11-21'`.
    pub(super) day: String,
    /// The instant until which a fact must have been noted to be ripe.
    pub(super) ripe: String,
}

impl Literals {
    /// # Errors
    /// [`sqlx::Error::Encode`] for a name that no merchant account has.
    pub(super) fn of(merchant: &str, day: Date, now: Timestamp) -> sqlx::Result<Self> {
        let harmless = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if merchant.is_empty() || !merchant.bytes().all(harmless) {
            return Err(sqlx::Error::Encode("a merchant's name has only a-z, 0-9 and -".into()));
        }
        let ripe = now.checked_sub(RIPE_AFTER).unwrap_or(Timestamp::MIN);
        Ok(Self {
            merchant: format!("'{merchant}'"),
            day: format!("DATE '{day}'"),
            ripe: format!("TIMESTAMPTZ '{ripe}'"),
        })
    }
}

/// Copies what `query` gives into `sink`.
pub(super) async fn copy(conn: &mut PgConnection, query: &str, sink: &mut (impl Sink + Send)) -> sqlx::Result<()> {
    // A day is joined and sorted in memory or, when it is larger than that, in Postgres' own temporary files. Compiling the
    // expressions takes longer than it saves.
    sqlx::raw_sql("SET LOCAL work_mem = '64MB'; SET LOCAL jit = off").execute(&mut *conn).await?;
    let mut rows = conn.copy_out_raw(&format!("COPY ({query}) TO STDOUT")).await?;
    let (mut piece, mut written) = (Vec::with_capacity(PIECE_BYTES), Ok(()));
    // Read to the end also when the sink has failed, so that the connection is good for another question.
    while let Some(row) = rows.try_next().await? {
        if written.is_ok() {
            piece.extend_from_slice(&row);
            if PIECE_BYTES <= piece.len() {
                written = sink.push(std::mem::replace(&mut piece, Vec::with_capacity(PIECE_BYTES))).await;
            }
        }
    }
    written?;
    if !piece.is_empty() {
        sink.push(piece).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_merchant_has_never_reaches_the_database() {
        for name in ["", "acme'", "acme\\", "Acme", "acme mini", "商户"] {
            assert!(Literals::of(name, jiff::civil::date(2026, 11, 21), Timestamp::UNIX_EPOCH).is_err(), "{name}");
        }
    }
}

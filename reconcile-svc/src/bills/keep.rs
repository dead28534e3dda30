use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgPool;
use svc_kit::crash;
use svc_kit::postgres::timely;
use uuid::Uuid;

use super::{Bill, Bills, Fetched};
use crate::store::bills::{self, NewBill};

/// Bytes of one piece in the database.
const PIECE_BYTES: u64 = 1 << 20;

/// Why a bill was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The database did not answer.
    #[error("the bill cannot be kept")]
    Database(#[from] sqlx::Error),
    /// Our own disk.
    #[error("the bill cannot be read from disk")]
    Disk(#[from] io::Error),
}

impl Bills {
    /// Keeps each as it was fetched, gzipped, for as long as the setting says; the same bytes of a day are kept once.
    ///
    /// # Errors
    /// See [`KeepError`]; of the bill that failed nothing is kept.
    pub async fn keep(
        &mut self,
        pool: &PgPool,
        merchant: &str,
        day: Date,
        now: Timestamp,
        new_id: impl Fn() -> Uuid,
    ) -> Result<(), KeepError> {
        let kinds: Vec<_> = self.each().map(|(kind, _)| kind).collect();
        for (kind, fetched) in kinds.into_iter().zip(std::iter::once(&mut self.trade).chain(&mut self.funds)) {
            let Fetched::Read(bill) = fetched else { continue };
            let new = NewBill {
                bill_id: new_id(),
                merchant,
                bill_date: day,
                kind: kind.as_str(),
                sha256: &bill.whole.sha256_hex(),
                bytes: bill.whole.bytes(),
                stored_bytes: bill.gzip.metadata()?.len(),
                fetch_time: now,
            };
            let mut tx = timely(pool.begin()).await?;
            if timely(bills::begin(&mut tx, &new)).await? {
                pieces(&mut tx, new.bill_id, bill).await?;
                crash::point("reconcile.before_keep");
                timely(tx.commit()).await?;
            }
        }
        Ok(())
    }
}

async fn pieces(conn: &mut sqlx::PgConnection, bill_id: Uuid, bill: &mut Bill) -> Result<(), KeepError> {
    bill.gzip.rewind()?;
    for piece in 0.. {
        let file = bill.gzip.try_clone()?;
        let read = tokio::task::spawn_blocking(move || next_piece(&file));
        let bytes = read.await.map_err(io::Error::other)??;
        if bytes.is_empty() {
            break;
        }
        timely(bills::add_piece(conn, bill_id, piece, &bytes)).await?;
    }
    Ok(())
}

/// The next bytes; a clone of a file shares its position with it.
fn next_piece(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(PIECE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

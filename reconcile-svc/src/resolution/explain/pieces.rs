use std::io::{self, Read};

use sqlx::PgPool;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::store::legs;

/// Pieces that wait for their reader; each has a megabyte.
const PIECES_AHEAD: usize = 2;

/// A kept file, still gzipped, as blocking code reads it: piece after piece out of the database.
pub(super) struct Pieces {
    coming: mpsc::Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
}

impl Pieces {
    /// Begins to fetch a file; it ends when nobody reads any more.
    pub(super) fn of(pool: PgPool, bill_id: Uuid) -> Self {
        let (sender, coming) = mpsc::channel(PIECES_AHEAD);
        tokio::spawn(async move {
            for number in 0.. {
                let piece = async { legs::piece(&mut *pool.acquire().await?, bill_id, number).await };
                let sent = match piece.await {
                    Ok(Some(bytes)) => sender.send(Ok(bytes)).await,
                    Ok(None) => return,
                    Err(error) => sender.send(Err(io::Error::other(error))).await,
                };
                if sent.is_err() {
                    return;
                }
            }
        });
        Self { coming, piece: io::Cursor::default() }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if 0 < read || buffer.is_empty() {
                return Ok(read);
            }
            match self.coming.blocking_recv() {
                Some(piece) => self.piece = io::Cursor::new(piece?),
                None => return Ok(0),
            }
        }
    }
}

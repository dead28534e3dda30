use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, Seek as _, Write as _};
use std::time::Duration;

use jiff::civil::Date;
use proto::gateway::v1::DownloadBillResponse;
use proto::gateway::v1::download_bill_response::Part;
use sha2::{Digest as _, Sha256};
use tonic::Streaming;

use crate::gateway::{Gateway, GatewayError};

/// Largest bill that is kept on disk: ten million rows have about 3 GB.
const MAX_BILL_BYTES: u64 = 4 << 30;

/// What is said of a larger one.
pub const TOO_LARGE: &str = "the bill has more than 4 GiB";

/// Longest silence of the gateway while it sends a bill.
const CHUNK_TIME: Duration = Duration::from_mins(1);

/// A whole bill in a file without a name: it is gone when it is dropped, also after a crash.
#[derive(Debug)]
pub struct Bill {
    file: File,
    sha256: [u8; 32],
}

/// Why there is no bill.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The gateway has none, or broke off.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// Larger than 4 GiB.
    #[error("{TOO_LARGE}")]
    TooLarge,
    /// Our own disk.
    #[error("the bill cannot be written to disk")]
    Disk(#[from] io::Error),
}

impl Bill {
    /// Hash of the decompressed bill, 64 lower-case hex digits.
    pub fn sha256_hex(&self) -> String {
        self.sha256.iter().fold(String::with_capacity(64), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a String takes every write");
            hex
        })
    }

    /// Reads it from its beginning.
    pub(super) fn open(mut self) -> io::Result<BufReader<File>> {
        self.file.rewind()?;
        Ok(BufReader::with_capacity(256 * 1024, self.file))
    }
}

/// Fetches the bill of one day.
///
/// # Errors
/// Also when the stream ends before the gateway said that it is complete: half a bill is no bill.
pub async fn download(gateway: &Gateway, merchant: &str, day: Date) -> Result<Bill, DownloadError> {
    let mut parts = gateway.bill(merchant, day).await?;
    let (mut file, mut hash, mut bytes) = (tempfile::tempfile()?, Sha256::new(), 0_u64);
    loop {
        match next(&mut parts).await? {
            Part::Chunk(chunk) => {
                bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
                if MAX_BILL_BYTES < bytes {
                    return Err(DownloadError::TooLarge);
                }
                hash.update(&chunk);
                // A slow disk must not hold up the runtime.
                file = tokio::task::spawn_blocking(move || file.write_all(&chunk).map(|()| file))
                    .await
                    .map_err(io::Error::other)??;
            }
            Part::End(end) if u64::try_from(end.bytes).is_ok_and(|sent| sent == bytes) => {
                return Ok(Bill { file, sha256: hash.finalize().into() });
            }
            Part::End(_) => return Err(broken("parts of it are missing")),
        }
    }
}

async fn next(parts: &mut Streaming<DownloadBillResponse>) -> Result<Part, DownloadError> {
    let message = tokio::time::timeout(CHUNK_TIME, parts.message())
        .await
        .map_err(|_| broken("the gateway fell silent"))?
        .map_err(GatewayError::from)?
        .ok_or_else(|| broken("it was cut off before its end"))?;
    message.part.ok_or_else(|| broken("the gateway sent an empty message"))
}

fn broken(why: &str) -> DownloadError {
    DownloadError::Gateway(GatewayError::Unavailable(format!("the download of the bill failed: {why}")))
}

use std::fs::File;
use std::io;
use std::time::Duration;

use jiff::civil::Date;
use proto::gateway::v1::DownloadBillResponse;
use proto::gateway::v1::download_bill_response::Part;
use tonic::Streaming;

use super::{BillKind, FileWriter, WholeFile};
use crate::gateway::{Gateway, GatewayError};

/// Largest bill that is kept on disk: ten million rows have about 3 GB.
const MAX_BILL_BYTES: u64 = 4 << 30;

/// What is said of a larger one.
pub const TOO_LARGE: &str = "the bill has more than 4 GiB";

/// Longest silence of the gateway while it sends a bill.
const CHUNK_TIME: Duration = Duration::from_mins(1);

/// A whole bill, and the same gzipped.
#[derive(Debug)]
pub struct Bill {
    /// The bill.
    pub whole: WholeFile,
    /// Its gzip, in a file without a name.
    pub(super) gzip: File,
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

/// Fetches one bill of one day.
///
/// # Errors
/// Also when the stream ends before the gateway said that it is complete: half a bill is no bill.
pub(super) async fn download(
    gateway: &Gateway,
    merchant: &str,
    day: Date,
    kind: BillKind,
) -> Result<Bill, DownloadError> {
    let mut parts = gateway.bill(merchant, day, kind.wire()).await?;
    let (mut file, mut bytes) = (FileWriter::with_gzip(), 0_u64);
    loop {
        match next(&mut parts).await? {
            Part::Chunk(chunk) => {
                bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
                if MAX_BILL_BYTES < bytes {
                    return Err(DownloadError::TooLarge);
                }
                file.push(chunk).await?;
            }
            Part::End(end) if u64::try_from(end.bytes).is_ok_and(|sent| sent == bytes) => break,
            Part::End(_) => return Err(broken("parts of it are missing")),
        }
    }
    let (whole, gzip) = file.finish_both().await?;
    Ok(Bill { whole, gzip: gzip.ok_or_else(|| io::Error::other("the bill was not packed"))? })
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

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write as _};
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::io::AsyncReadExt as _;
use tokio::sync::{Semaphore, mpsc};
use uuid::Uuid;

use super::Format;
use super::csv::Csv;
use super::json::Json;
use super::row::{Head, Row};
use super::workbook::Workbook;
use crate::api::wire;
use crate::runs::{Reconciler, RunState};
use crate::store::{exports, listing};

/// Largest piece of a file.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// Rows between the database and the writer.
const ROWS_UNDER_WAY: usize = 256;

/// Files made at once by one process: each holds a connection to Postgres and a thread.
const EXPORTS_AT_ONCE: usize = 2;

/// How long the database may take to hand over all rows. They come as fast as they are written, so this is more than a statement
/// has elsewhere.
const READ_TIME: Duration = Duration::from_mins(2);

/// How long a caller waits for a place.
const WAIT_TIME: Duration = Duration::from_secs(30);

static PLACES: Semaphore = Semaphore::const_new(EXPORTS_AT_ONCE);

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// No such run.
    #[error("there is no such run")]
    NotFound,
    /// It has no result yet.
    #[error("the run is under way: export it when it has ended")]
    Running,
    /// Others are exporting; try again.
    #[error("as many files as this process makes at once are being made")]
    Busy,
    /// The database did not answer.
    #[error("the run store failed")]
    Database(#[from] sqlx::Error),
    /// The disk that holds the file while it is made, or the writer.
    #[error("the file cannot be written")]
    File(#[from] io::Error),
}

/// A finished file. It is gone with this value.
#[derive(Debug)]
pub struct Export {
    /// A name for it, such as `acme-mini_2026-11-21_v2.xlsx`: letters, digits, `-`, `_` and a dot.
    pub file_name: String,
    /// How long it is.
    pub bytes: u64,
    file: File,
}

/// Writes the run `id` to a temporary file.
///
/// # Errors
/// Nothing of a file is given away that is not whole.
pub async fn export(reconciler: &Reconciler, id: Uuid, format: Format) -> Result<Export, ExportError> {
    let place = tokio::time::timeout(WAIT_TIME, PLACES.acquire());
    let _place = place.await.map_err(|_| ExportError::Busy)?.map_err(|_| ExportError::Busy)?;
    // The run and its differences of one moment.
    let mut snapshot = reconciler.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    exports::allow(&mut snapshot, READ_TIME).await?;
    let run = listing::run(&mut snapshot, id).await?.ok_or(ExportError::NotFound)?;
    if run.state == RunState::Running {
        return Err(ExportError::Running);
    }
    let file_name = format!("{}_{}_v{}.{}", run.merchant, run.bill_date, run.version, format.extension());
    let head = Head { run: wire::run(run), export_time: reconciler.clock.now() };

    let (rows, taken) = mpsc::channel(ROWS_UNDER_WAY);
    let writer = tokio::task::spawn_blocking(move || write(format, head, taken));
    let read = async {
        let mut found = std::pin::pin!(exports::found(&mut snapshot, id));
        while let Some(found) = found.try_next().await? {
            // A writer that has given up says why below.
            if rows.send(Row::from(found)).await.is_err() {
                break;
            }
        }
        Ok::<(), sqlx::Error>(())
    };
    let read = read.await;
    drop(rows);
    let mut file = writer.await.map_err(io::Error::other)??;
    read?;
    let bytes = file.seek(io::SeekFrom::End(0))?;
    file.rewind()?;
    Ok(Export { file_name, bytes, file })
}

impl Export {
    /// The file in pieces, in order, each of at most [`CHUNK_BYTES`] and none empty.
    pub fn into_chunks(self) -> BoxStream<'static, io::Result<Vec<u8>>> {
        let file = tokio::fs::File::from_std(self.file);
        stream::try_unfold(file, async |mut file| {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            let most = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
            (&mut file).take(most).read_to_end(&mut chunk).await?;
            Ok((!chunk.is_empty()).then_some((chunk, file)))
        })
        .boxed()
    }
}

/// Writes what comes until there is no more.
fn write(format: Format, head: Head, mut rows: mpsc::Receiver<Row>) -> io::Result<File> {
    let out = BufWriter::new(tempfile::tempfile()?);
    let mut out = match format {
        Format::Xlsx => {
            let mut book = Workbook::begin(out, head)?;
            while let Some(row) = rows.blocking_recv() {
                book.row(&row)?;
            }
            book.finish()?
        }
        Format::Csv => {
            let mut csv = Csv::begin(out)?;
            while let Some(row) = rows.blocking_recv() {
                csv.row(&row)?;
            }
            csv.finish()
        }
        Format::Json => {
            let mut json = Json::begin(out, &head)?;
            while let Some(row) = rows.blocking_recv() {
                json.row(&row)?;
            }
            json.finish()?
        }
    };
    out.flush()?;
    out.into_inner().map_err(io::IntoInnerError::into_error)
}

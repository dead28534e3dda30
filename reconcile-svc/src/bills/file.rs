use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Mapped;
use crate::store::books::day::Sink;

/// Chunks that wait for the disk: at most 2 MiB of a bill.
const CHUNKS_AHEAD: usize = 8;

/// Bytes gathered before they are written.
const WRITE_BYTES: usize = 256 * 1024;

/// A whole file without a name: it is gone when it is dropped, also after a crash.
#[derive(Debug)]
pub struct WholeFile {
    file: File,
    sha256: [u8; 32],
    bytes: u64,
}

/// A file that is being written in a thread of its own, beside whoever has the bytes. Dropped before its end, nothing is left.
#[derive(Debug)]
pub struct FileWriter {
    chunks: mpsc::Sender<Vec<u8>>,
    writing: JoinHandle<io::Result<(WholeFile, Option<File>)>>,
}

impl WholeFile {
    /// Hash of its bytes, 64 lower-case hex digits.
    pub fn sha256_hex(&self) -> String {
        hex(&self.sha256)
    }

    /// How long it is.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its bytes, for reading.
    ///
    /// # Errors
    /// When the system cannot map it.
    pub fn map(&self) -> io::Result<Mapped> {
        Mapped::of(&self.file)
    }
}

impl FileWriter {
    /// A file with nothing in it.
    pub fn new() -> Self {
        Self::with(false)
    }

    /// The same, and its gzip beside it.
    pub(super) fn with_gzip() -> Self {
        Self::with(true)
    }

    fn with(gzip: bool) -> Self {
        let (chunks, taking) = mpsc::channel(CHUNKS_AHEAD);
        Self { chunks, writing: tokio::task::spawn_blocking(move || write(taking, gzip)) }
    }

    /// Adds bytes; waits while the disk is behind.
    ///
    /// # Errors
    /// The disk's; it is told once, and the file is lost.
    pub async fn push(&mut self, chunk: Vec<u8>) -> io::Result<()> {
        if self.chunks.send(chunk).await.is_ok() {
            return Ok(());
        }
        // The thread ended before the chunks did.
        match (&mut self.writing).await.map_err(io::Error::other)? {
            Err(error) => Err(error),
            Ok(_) => Err(io::Error::other("the file ended too early")),
        }
    }

    /// The file, once everything is written.
    ///
    /// # Errors
    /// The disk's.
    pub async fn finish(self) -> io::Result<WholeFile> {
        self.finish_both().await.map(|(file, _)| file)
    }

    /// The file, and its gzip where it has one.
    pub(super) async fn finish_both(self) -> io::Result<(WholeFile, Option<File>)> {
        drop(self.chunks);
        self.writing.await.map_err(io::Error::other)?
    }
}

impl Sink for FileWriter {
    async fn push(&mut self, piece: Vec<u8>) -> io::Result<()> {
        FileWriter::push(self, piece).await
    }
}

impl Default for FileWriter {
    fn default() -> Self {
        Self::new()
    }
}

fn write(mut chunks: mpsc::Receiver<Vec<u8>>, gzip: bool) -> io::Result<(WholeFile, Option<File>)> {
    let mut file = BufWriter::with_capacity(WRITE_BYTES, tempfile::tempfile()?);
    let mut packed = if gzip {
        let file = BufWriter::with_capacity(WRITE_BYTES, tempfile::tempfile()?);
        Some(GzEncoder::new(file, Compression::fast()))
    } else {
        None
    };
    let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
    while let Some(chunk) = chunks.blocking_recv() {
        hash.update(&chunk);
        bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        file.write_all(&chunk)?;
        if let Some(packed) = &mut packed {
            packed.write_all(&chunk)?;
        }
    }
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    let packed = match packed {
        Some(packed) => Some(packed.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?),
        None => None,
    };
    Ok((WholeFile { file, sha256: hash.finalize().into(), bytes }, packed))
}

/// Two lower-case digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes every write");
        hex
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _};

    use flate2::read::GzDecoder;

    use super::*;

    #[tokio::test]
    async fn what_was_pushed_is_what_is_mapped_hashed_and_packed() {
        let mut writer = FileWriter::with_gzip();
        for chunk in ["a", "", "bc"] {
            writer.push(chunk.as_bytes().to_vec()).await.expect("written");
        }
        let (whole, packed) = writer.finish_both().await.expect("whole");
        assert_eq!((&*whole.map().expect("mapped"), whole.bytes()), (b"abc".as_slice(), 3));
        assert_eq!(whole.sha256_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let (mut packed, mut text) = (packed.expect("its gzip"), String::new());
        packed.rewind().expect("from its beginning");
        GzDecoder::new(packed).read_to_string(&mut text).expect("gzip");
        assert_eq!(text, "abc");
    }
}

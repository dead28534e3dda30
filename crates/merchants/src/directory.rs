use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::{LoadError, Mistake};

/// A merchant file has a few hundred bytes and a certificate chain a few thousand; more is a file that strayed here.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// About a thousand merchants with four files each.
const MAX_FILES: usize = 4096;

/// Every file of the directory as it was at one moment, so that a merchant is never built from two versions.
///
/// Hidden files are skipped: editors and Kubernetes (`..data`) keep their own things there. Symbolic links are followed.
pub(crate) struct Snapshot {
    files: BTreeMap<String, Content>,
}

/// What a file holds, or why that is unknown.
pub(crate) enum Content {
    Bytes(Vec<u8>),
    TooLarge,
    Unreadable(io::ErrorKind),
}

impl Snapshot {
    /// Reads the directory.
    ///
    /// # Errors
    /// When the directory itself cannot be listed. A file that cannot be read is an error only for who needs it.
    pub(crate) fn take(dir: &Path) -> Result<Snapshot, LoadError> {
        let mistake = |problem: String, fix: &str| {
            let file = dir.display().to_string();
            LoadError::new(vec![Mistake { file, field: String::new(), problem, fix: fix.to_owned() }])
        };
        let unlisted = |error: io::Error| {
            mistake(
                format!("the directory cannot be listed ({})", error.kind()),
                "set MERCHANTS_DIR to a directory that this process may read",
            )
        };
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(dir).map_err(unlisted)? {
            let entry = entry.map_err(unlisted)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with('.') || entry.path().is_dir() {
                continue;
            }
            if files.len() == MAX_FILES {
                let problem = format!("the directory has more than {MAX_FILES} files");
                return Err(mistake(problem, "set MERCHANTS_DIR to a directory that only holds merchants"));
            }
            files.insert(name, read(&entry.path()));
        }
        Ok(Snapshot { files })
    }

    /// File names in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// What the named file holds; `None` when there is no such file.
    pub(crate) fn get(&self, name: &str) -> Option<&Content> {
        self.files.get(name)
    }

    /// Tells two states of the directory apart without keeping their keys.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for (name, content) in &self.files {
            // Lengths go first, so that no two directories read as the same bytes.
            hash.update(name.len().to_be_bytes());
            hash.update(name);
            match content {
                Content::Bytes(bytes) => {
                    hash.update(bytes.len().to_be_bytes());
                    hash.update(bytes);
                }
                Content::TooLarge => hash.update(b"too large"),
                Content::Unreadable(kind) => hash.update(kind.to_string()),
            }
        }
        hash.finalize().into()
    }
}

fn read(path: &Path) -> Content {
    let attempt = || -> io::Result<Content> {
        // Opening a pipe would wait for its writer.
        if !fs::metadata(path)?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_FILE_BYTES);
        Ok(if fits { Content::Bytes(bytes) } else { Content::TooLarge })
    };
    attempt().unwrap_or_else(|error| Content::Unreadable(error.kind()))
}

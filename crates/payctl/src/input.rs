//! What a command is given: a file, or stdin.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};

/// Largest message that is read: WeChat's own stay below 64 KiB.
pub(crate) const MOST_MESSAGE_BYTES: u64 = 1024 * 1024;

/// Largest key file and merchant file.
pub(crate) const MOST_SETTING_BYTES: u64 = 64 * 1024;

/// Whether the name stands for stdin.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// For a sentence: the path, or "stdin".
pub(crate) fn name(path: &Path) -> String {
    if is_stdin(path) { "stdin".to_owned() } else { path.display().to_string() }
}

/// Reads a whole file; `-`, and nothing, are stdin.
///
/// # Errors
/// When it cannot be read, or has more than `most` bytes.
pub(crate) fn read(path: Option<&PathBuf>, most: u64) -> anyhow::Result<Vec<u8>> {
    let stdin = PathBuf::from("-");
    let path = path.unwrap_or(&stdin);
    let unread = || format!("{} cannot be read", name(path));
    let input: Box<dyn Read> =
        if is_stdin(path) { Box::new(io::stdin().lock()) } else { Box::new(File::open(path).with_context(unread)?) };
    let mut bytes = Vec::new();
    input.take(most + 1).read_to_end(&mut bytes).with_context(unread)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= most);
    ensure!(fits, "{} has more than {most} bytes, the most that is read", name(path));
    Ok(bytes)
}

//! `payctl recon export`.

use std::{
    fs::Permissions,
    io::{self, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use proto::reconcile::v1::{ExportRunRequest, ExportRunResponse, export_run_request::Format as WireFormat};
use serde::Serialize;
use tempfile::NamedTempFile;
use tonic::Streaming;

use super::{Connection, Done};
use crate::{input, output::counted};

/// Between two turns of the spinner.
const TICK: Duration = Duration::from_millis(100);

/// Longest name of a file.
const MOST_NAME_BYTES: usize = 100;

/// What `payctl recon export` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// The run: `runs/{uuid}`, its UUID, or MERCHANT/DATE[/vN].
    run: String,
    /// The form of the file.
    #[arg(long, value_enum, default_value = "xlsx")]
    format: Format,
    /// Where to write it, `-` for stdout; when absent, here, under a name such as acme-mini_2026-11-21_v2.xlsx. What is there is
    /// replaced once the whole file has come.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The form of a file.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A workbook: amounts are numbers.
    Xlsx,
    /// Differences, amounts in yuan.
    Csv,
    /// Everything, amounts in fen.
    Json,
}

#[derive(Serialize)]
struct Written {
    file: String,
    bytes: u64,
}

pub(super) async fn run(connection: &mut Connection, args: &ExportArgs) -> anyhow::Result<Done> {
    let name = connection.run_name(&args.run).await?;
    let format = match args.format {
        Format::Xlsx => WireFormat::Xlsx,
        Format::Csv => WireFormat::Csv,
        Format::Json => WireFormat::Json,
    };
    let mut parts = connection.runs.export_run(ExportRunRequest { name, format: format.into() }).await?.into_inner();
    let first = parts.message().await?.context("reconcile-svc sent no file")?;
    let bar = spinner();
    if args.output.as_deref().is_some_and(input::is_stdin) {
        copy(first, &mut parts, &mut io::stdout().lock(), &bar).await?;
        // The file itself is the answer.
        return Ok(Done { json: serde_json::Value::Null, text: String::new(), code: crate::output::GOOD });
    }
    let path = match &args.output {
        Some(path) => path.clone(),
        None => PathBuf::from(usable(&first.file_name)?),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unwritten = || format!("{} cannot be written", path.display());
    // As any new file; the umask takes away what it takes.
    let permissions = Permissions::from_mode(0o666);
    let mut file: NamedTempFile =
        tempfile::Builder::new().permissions(permissions).tempfile_in(folder).with_context(unwritten)?;
    let bytes = copy(first, &mut parts, &mut file, &bar).await?;
    file.persist(&path).with_context(unwritten)?;
    let written = Written { file: path.display().to_string(), bytes };
    Done::of(&written, format!("{}, {}\n", written.file, counted(bytes, "byte", "bytes")))
}

async fn copy(
    first: ExportRunResponse,
    parts: &mut Streaming<ExportRunResponse>,
    out: &mut impl Write,
    bar: &ProgressBar,
) -> anyhow::Result<u64> {
    let mut part = Some(first);
    let mut bytes = 0;
    while let Some(ExportRunResponse { chunk, .. }) = part {
        out.write_all(&chunk).context("the file cannot be written")?;
        bytes += u64::try_from(chunk.len())?;
        bar.set_position(bytes);
        part = parts.message().await?;
    }
    out.flush().context("the file cannot be written")?;
    bar.finish_and_clear();
    Ok(bytes)
}

/// A name from elsewhere that stays in this folder and shows itself.
fn usable(name: &str) -> anyhow::Result<&str> {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let holds = (1..=MOST_NAME_BYTES).contains(&name.len()) && name.bytes().all(fit) && !name.starts_with(['.', '-']);
    ensure!(holds, "reconcile-svc gave the file no usable name: name one with --output");
    Ok(name)
}

/// Shown on a terminal only.
fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bytes} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

#[cfg(test)]
mod tests {
    use super::usable;

    #[test]
    fn only_a_plain_name_becomes_a_file_of_this_folder() {
        assert_eq!(usable("acme-mini_2026-11-21_v2.xlsx").unwrap(), "acme-mini_2026-11-21_v2.xlsx");
        for name in ["", ".bashrc", "../x", "/etc/passwd", "-o", "a b", "账.xlsx", &"a".repeat(101)] {
            assert!(usable(name).is_err(), "{name:?}");
        }
    }
}

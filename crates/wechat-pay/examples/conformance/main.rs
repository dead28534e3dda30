//! Runs files of published test vectors against this crate.
//!
//! `cargo run -q --release -p wechat-pay --example conformance -- FILE…`
//!
//! Prints each vector that fails with its id and the reason, closes with `N passed, N failed`, and exits with 0 when
//! nothing failed. A vector of an unknown kind, and a file that cannot be read, count as failed.

mod check;

use std::io::{self, Write as _};
use std::process::ExitCode;

use check::VectorFile;

fn main() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        writeln!(out, "usage: conformance FILE…")?;
        return Ok(ExitCode::from(2));
    }
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for path in files {
        let file = match std::fs::read(&path).map_err(anyhow::Error::from).and_then(|bytes| VectorFile::parse(&bytes)) {
            Ok(file) => file,
            Err(error) => {
                failed += 1;
                writeln!(out, "{path}: {error:#}")?;
                continue;
            }
        };
        for vector in &file.vectors {
            match check::check(vector) {
                Ok(()) => passed += 1,
                Err(why) => {
                    failed += 1;
                    writeln!(out, "{}: {}: {why:#}", vector.kind, vector.id)?;
                }
            }
        }
    }
    writeln!(out, "{passed} passed, {failed} failed")?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

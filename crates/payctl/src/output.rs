//! What every command says in the same way.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use serde::Serialize;

/// The last lines of every `--help`.
pub(crate) const EXIT_CODES: &str = "Exit code: 0 good, 1 the answer is no, 2 bad use, or it could not be found out.";

/// Nothing is wrong.
pub(crate) const GOOD: ExitCode = ExitCode::SUCCESS;

/// The answer is no.
pub(crate) fn no() -> ExitCode {
    ExitCode::from(1)
}

/// Writes to stdout, at once, so that whoever reads a pipe sees it.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).context("stdout cannot be written")
}

/// Writes one JSON object.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(value).context("the answer is no JSON")?))
}

/// Says something that is no part of the answer, on stderr.
pub(crate) fn note(text: &str) {
    // Whoever closed stderr does not want to know.
    let _ = writeln!(io::stderr(), "{text}");
}

/// A text of a stranger's on one line: what a terminal would obey is written out.
pub(crate) fn visible(text: &str) -> String {
    let written = |character: char| {
        if character.is_control() { character.escape_default().to_string() } else { character.to_string() }
    };
    text.chars().map(written).collect()
}

/// Rows under a header, columns as wide as their longest cell; two blanks between them.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |at: usize| {
        rows.iter()
            .filter_map(|row| row.get(at))
            .map(|cell| cell.chars().count())
            .chain([header[at].chars().count()])
            .max()
    };
    let widths: Vec<usize> = (0..header.len()).map(|at| width(at).unwrap_or_default()).collect();
    let line = |cells: Vec<&str>| {
        let cells: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let mut text = line(header.to_vec());
    text.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    text
}

#[cfg(test)]
mod tests {
    use super::{table, visible};

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(visible("茶 a\nb\u{1b}[2J"), "茶 a\\nb\\u{1b}[2J");
    }

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let rows = [vec!["a".to_owned(), "long cell".to_owned()], vec!["abc".to_owned(), "x".to_owned()]];
        assert_eq!(table(&["one", "two"], &rows), "one  two\na    long cell\nabc  x\n");
    }
}

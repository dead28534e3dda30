//! What every command says in the same way.

use std::{
    fmt::Display,
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use serde::Serialize;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

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

/// `1 row`, `2 rows`.
pub(crate) fn counted(number: impl Display, one: &str, many: &str) -> String {
    let number = number.to_string();
    let word = if number == "1" { one } else { many };
    format!("{number} {word}")
}

/// How wide a terminal shows a text: Chinese characters take two places.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The beginning of a text that is at most so wide; `…` says that there was more.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        if most <= width(&kept) + character.width().unwrap_or_default() {
            break;
        }
        kept.push(character);
    }
    kept + "…"
}

/// Rows under a header, columns as wide as their widest cell; two blanks between them.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    table_with_numbers(header, rows, &[])
}

/// As [`table`]; the columns `numbers` end at their right.
pub(crate) fn table_with_numbers(header: &[&str], rows: &[Vec<String>], numbers: &[usize]) -> String {
    let widest = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(String::as_str);
        cells.chain([header[at]]).map(width).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..header.len()).map(widest).collect();
    let line = |cells: Vec<&str>| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(at, (cell, widest))| {
            let blanks = " ".repeat(widest - width(cell));
            if numbers.contains(&at) { format!("{blanks}{cell}") } else { format!("{cell}{blanks}") }
        });
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    let mut text = line(header.to_vec());
    text.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    text
}

#[cfg(test)]
mod tests {
    use super::{counted, cut, table, table_with_numbers, visible, width};

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(visible("茶 a\nb\u{1b}[2J"), "茶 a\\nb\\u{1b}[2J");
    }

    #[test]
    fn one_is_told_as_one() {
        let told = [-1, 0, 1, 2, 21].map(|number| counted(number, "row", "rows"));
        assert_eq!(told, ["-1 rows", "0 rows", "1 row", "2 rows", "21 rows"]);
    }

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let rows = [vec!["a".to_owned(), "long cell".to_owned()], vec!["abc".to_owned(), "x".to_owned()]];
        assert_eq!(table(&["one", "two"], &rows), "one  two\na    long cell\nabc  x\n");
    }

    #[test]
    fn numbers_end_at_their_right_and_chinese_is_two_places_wide() {
        let rows = [vec!["交易".to_owned(), "1.00".to_owned()], vec!["x".to_owned(), "100.00".to_owned()]];
        assert_eq!(table_with_numbers(&["kind", "yuan"], &rows, &[1]), "kind    yuan\n交易    1.00\nx     100.00\n");
    }

    #[test]
    fn a_text_is_cut_where_it_would_be_wider() {
        assert_eq!((cut("abc", 3).as_str(), cut("abcd", 3).as_str()), ("abc", "ab…"));
        assert_eq!((cut("交易单", 5).as_str(), width(&cut("交易单", 5))), ("交易…", 5));
    }
}

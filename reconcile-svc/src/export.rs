//! A run as a file: a workbook for finance, CSV for other programs, JSON with everything.
//!
//! ```text
//! one snapshot of Postgres ─► rows, 256 at a time ─► a writer on a thread of its own ─► a temporary file ─► chunks ≤ 256 KiB
//! ```
//! Memory does not grow with the number of differences, and the database is not held while a slow reader takes the file. What
//! the run found is as the run saw it; state, assignee and answer of a difference are those of the moment of the export.

mod cell;
mod columns;
mod conservation;
mod csv;
mod file;
mod json;
mod row;
mod words;
mod workbook;

pub use file::{CHUNK_BYTES, Export, ExportError, export};

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A workbook: summary, differences, what waits, movements, inputs. Amounts are numbers, in yuan.
    Xlsx,
    /// Differences and what waits; UTF-8 with a byte-order mark, CRLF, amounts in yuan.
    Csv,
    /// Everything as one object, amounts in fen.
    Json,
}

impl Format {
    /// Every form.
    pub const ALL: [Format; 3] = [Format::Xlsx, Format::Csv, Format::Json];

    /// How the file's name ends, and how a link says which form is wanted.
    pub const fn extension(self) -> &'static str {
        match self {
            Format::Xlsx => "xlsx",
            Format::Csv => "csv",
            Format::Json => "json",
        }
    }

    /// The media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format::Csv => "text/csv; charset=utf-8",
            Format::Json => "application/json",
        }
    }
}

//! `payctl bill`.

mod rows;
mod totals;

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufReader, Read as _, Seek as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, ensure};
use jiff::civil::Date;
use wechat_pay::bill::{BillError, Expected, TradeBillReader, cells::CellReader, plain};

use crate::{input, output};
use totals::Totals;

/// Largest bill that is taken from stdin, where it is kept until it has been read twice.
const MOST_STDIN_BYTES: u64 = 8 << 30;

/// WeChat's name of the merchant's column.
const MERCHANT: &str = "商户号";

/// First column of a fund flow bill.
const FUND_FLOW: &str = "记账时间";

/// What `payctl bill` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct BillArgs {
    /// A trade bill of any type, gzipped or plain. `-`, and nothing, are stdin.
    file: Option<PathBuf>,
    /// The merchant whose bill it must be; the first row's when absent.
    #[arg(long)]
    mch_id: Option<String>,
    /// The day on which its payments must be, YYYY-MM-DD; any day when absent.
    #[arg(long)]
    date: Option<Date>,
    /// Print the rows instead of the totals. The whole bill is checked before the first row is printed.
    #[arg(long, value_enum)]
    to: Option<rows::Form>,
    /// Print the totals as one JSON object.
    #[arg(long, conflicts_with = "to")]
    json: bool,
}

/// Checks a bill as a whole, and prints its totals or its rows.
pub(crate) fn run(args: &BillArgs) -> anyhow::Result<ExitCode> {
    let path = args.file.clone().unwrap_or_else(|| PathBuf::from("-"));
    let name = input::name(&path);
    let mut file = file(&path)?;
    let read = first_merchant(&mut file, args).and_then(|mch_id| {
        let expected = Expected { mch_id, bill_date: args.date };
        totals(&mut file, expected.clone()).map(|totals| (expected, totals))
    });
    let (expected, totals) = match read {
        Ok(read) => read,
        Err(BillError::Io(error)) => return Err(error).with_context(|| format!("{name} cannot be read")),
        Err(error) => {
            output::note(&refusal(&name, &error));
            return Ok(output::no());
        }
    };
    match args.to {
        Some(form) => rows::print(open(&mut file, expected)?, form)?,
        None if args.json => output::print_json(&totals)?,
        None => output::print(&totals.text(&expected.mch_id))?,
    }
    Ok(output::GOOD)
}

/// A file that can be read more than once.
fn file(path: &Path) -> anyhow::Result<File> {
    if !input::is_stdin(path) {
        return File::open(path).with_context(|| format!("{} cannot be read", path.display()));
    }
    let mut kept = tempfile::tempfile().context("there is no place for the bill from stdin")?;
    let copied =
        io::copy(&mut io::stdin().lock().take(MOST_STDIN_BYTES + 1), &mut kept).context("stdin cannot be read")?;
    ensure!(copied <= MOST_STDIN_BYTES, "stdin has more than {MOST_STDIN_BYTES} bytes: give the bill as a file");
    Ok(kept)
}

/// The whole file from its beginning.
fn text(file: &mut File) -> io::Result<Box<dyn io::BufRead + Send + '_>> {
    file.rewind()?;
    plain(BufReader::new(file))
}

fn open(file: &mut File, expected: Expected) -> Result<TradeBillReader<Box<dyn io::BufRead + Send + '_>>, BillError> {
    TradeBillReader::open(text(file)?, expected)
}

/// Whose bill it must be.
fn first_merchant(file: &mut File, args: &BillArgs) -> Result<String, BillError> {
    if let Some(mch_id) = &args.mch_id {
        return Ok(mch_id.clone());
    }
    let mut cells = CellReader::open(text(file)?)?;
    if cells.columns().first().is_some_and(|column| column.trim() == FUND_FLOW) {
        return Err(BillError::Format {
            line: 1,
            what: "a fund flow bill, which this command does not read; only trade bills",
        });
    }
    let at = cells.columns().iter().position(|column| column.trim() == MERCHANT);
    let at = at.ok_or(BillError::MissingColumn { column: MERCHANT })?;
    // A bill without rows belongs to whomever it is said to belong to.
    Ok(cells.next_row()?.map(|row| row.get(at).to_owned()).unwrap_or_default())
}

fn totals(file: &mut File, expected: Expected) -> Result<Totals, BillError> {
    let mut reader = open(file, expected)?;
    let mut totals = Totals::default();
    for row in reader.by_ref() {
        totals.add(&row?);
    }
    totals.summary = Some(reader.finish()?.into());
    Ok(totals)
}

fn refusal(name: &str, error: &BillError) -> String {
    let mut text = format!("{name}: {error}");
    let fix = match error {
        BillError::Failure(_) => {
            "WeChat sent this in place of a bill: ask again after 10:00 Beijing time, or correct the request"
        }
        BillError::Truncated { .. } => "fetch it again: the download ended early",
        BillError::Control(_) => "do not use any row of it: fetch it again, and compare both files",
        _ => "use the file as WeChat sent it: a spreadsheet program changes numbers and takes the backticks away",
    };
    // A text takes everything.
    let _ = write!(text, "\n  fix: {fix}");
    text
}

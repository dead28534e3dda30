//! Bills and their amounts.

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use money::{Fen, MilliFen};
use serde_json::{Map, Value, json};
use wechat_pay::bill::cells::CellReader;
use wechat_pay::bill::{self, BillError};
use wechat_pay::v2::xml;

use super::{integer, object, optional, plain, same, same_fields, text};

pub(super) fn bill(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let body = STANDARD.decode(text(input, "body_b64")?)?;
    let mut reader = match CellReader::open(bill::plain(body.as_slice())?) {
        Ok(reader) => reader,
        Err(BillError::Failure(_)) => {
            let expected = object(expect, "error").context("an error message, not a bill")?;
            return same_fields(&xml::parse("xml", &body)?, expected);
        }
        Err(error) => return Err(error.into()),
    };
    ensure!(expect.get("error").is_none(), "a bill, not an error message");
    let columns = reader.columns().to_vec();
    let mut rows: Vec<Vec<String>> = Vec::new();
    while let Some(cells) = reader.next_row()? {
        rows.push(cells.iter().map(str::to_owned).collect());
    }
    let summary = reader.summary().context("a bill without summary")?;
    let summary: Map<String, Value> = summary.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    for (what, expected) in expect.as_object().context("vector expects nothing")? {
        let found = match what.as_str() {
            "columns" => json!(columns),
            "row_count" => json!(rows.len()),
            "rows" => json!(rows),
            "first_row" => json!(rows.first()),
            "last_row" => json!(rows.last()),
            "summary" => Value::Object(summary.clone()),
            _ => {
                sums(&columns, &rows, expected).with_context(|| what.clone())?;
                continue;
            }
        };
        same(what, &found, expected)?;
    }
    Ok(())
}

/// Sums by column name, compared as numbers.
fn sums(columns: &[String], rows: &[Vec<String>], expected: &Value) -> anyhow::Result<()> {
    for (name, expected) in expected.as_object().context("unknown expectation")? {
        let at = columns.iter().position(|column| column == name).with_context(|| format!("no column {name}"))?;
        let mut sum = MilliFen::ZERO;
        for row in rows {
            sum = sum.checked_add(MilliFen::parse_yuan(&row[at])?).context("too large")?;
        }
        same(name, &sum, &MilliFen::parse_yuan(&plain(expected))?)?;
    }
    Ok(())
}

pub(super) fn yuan_to_fen(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let found = Fen::parse_yuan(text(input, "yuan")?);
    match (found, optional(expect, "error")) {
        (Ok(fen), None) => same("fen", &fen.get(), &integer(expect, "fen")?),
        // The schema has one word for every refusal; texts that are no decimal at all are not whole fen either.
        (Err(_), Some(_)) => Ok(()),
        (found, expected) => bail!("expected {expected:?}, found {found:?}"),
    }
}

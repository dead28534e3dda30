//! The rows of a bill, for a spreadsheet or a program.

use std::io::{self, BufRead, BufWriter, Write};

use anyhow::Context as _;
use jiff::Timestamp;
use money::Fen;
use serde_json::Value;
use wechat_pay::bill::{TradeBillReader, TradeRow};

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// Comma-separated (RFC 4180), with a header.
    Csv,
    /// One array of objects.
    Json,
}

/// One row: names and values in the order in which they are printed. Amounts are fen; fees have fractions of a fen, so they are
/// yuan as text. Instants are UTC.
fn cells(row: &TradeRow) -> [(&'static str, Value); 29] {
    let refund = row.refund.as_ref();
    let fen = |amount: Option<Fen>| amount.map(Fen::get).into();
    let instant = |at: Option<Timestamp>| at.map(|at| at.to_string()).into();
    let text = |text: Option<&String>| text.cloned().unwrap_or_default().into();
    [
        ("trade_time", instant(Some(row.trade_time))),
        ("app_id", text(Some(&row.appid))),
        ("mch_id", text(Some(&row.mch_id))),
        ("sub_mch_id", text(row.sub_mch_id.as_ref())),
        ("device_info", text(Some(&row.device_info))),
        ("transaction_id", text(Some(&row.transaction_id))),
        ("out_trade_no", text(Some(&row.out_trade_no))),
        ("openid", row.openid.as_str().into()),
        ("trade_type", text(Some(&row.trade_type))),
        ("state", row.state.as_str().into()),
        ("bank_type", text(Some(&row.bank_type))),
        ("currency", text(Some(&row.fee_type))),
        ("total_fen", fen(Some(row.total_fee))),
        ("settlement_total_fen", fen(Some(row.settlement_total_fee))),
        ("coupon_fen", fen(Some(row.coupon_fee))),
        ("refund_id", text(refund.map(|refund| &refund.refund_id))),
        ("out_refund_no", text(refund.map(|refund| &refund.out_refund_no))),
        ("refund_fen", fen(refund.map(|refund| refund.refund_fee))),
        ("settlement_refund_fen", fen(refund.map(|refund| refund.settlement_refund_fee))),
        ("coupon_refund_fen", fen(refund.map(|refund| refund.coupon_refund_fee))),
        ("refund_type", text(refund.map(|refund| &refund.refund_type))),
        ("refund_status", text(refund.map(|refund| &refund.refund_status))),
        ("refund_applied_at", instant(refund.and_then(|refund| refund.applied_at))),
        ("refund_succeeded_at", instant(refund.and_then(|refund| refund.succeeded_at))),
        ("description", text(Some(&row.body))),
        ("attach", text(Some(&row.attach))),
        ("fee_yuan", row.fee.to_yuan().into()),
        ("rate", text(Some(&row.rate))),
        ("rate_note", text(Some(&row.rate_note))),
    ]
}

/// Prints every row, and holds one at a time.
pub(super) fn print<R: BufRead>(reader: TradeBillReader<R>, form: Form) -> anyhow::Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    let mut write = |text: &str| output.write_all(text.as_bytes()).context("stdout cannot be written");
    if form == Form::Json {
        write("[")?;
    }
    for (at, row) in reader.enumerate() {
        let cells = cells(&row.context("the bill has changed since it was checked")?);
        match form {
            Form::Json => {
                let fields: Vec<String> = cells.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                write(&format!("{}{{{}}}", if at == 0 { "\n" } else { ",\n" }, fields.join(",")))?;
            }
            Form::Csv => {
                if at == 0 {
                    write(&format!("{}\r\n", cells.each_ref().map(|(name, _)| *name).join(",")))?;
                }
                write(&format!("{}\r\n", cells.map(|(_, value)| cell(&value)).join(",")))?;
            }
        }
    }
    if form == Form::Json {
        write("\n]\n")?;
    }
    output.flush().context("stdout cannot be written")
}

/// One value of a CSV row, quoted where it must be.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // A spreadsheet program takes a text that begins like this for a formula, and the text is a stranger's.
    let number = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    let text = if text.starts_with(['=', '+', '-', '@']) && !number { format!("'{text}") } else { text };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::cell;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(cell(&json!("a,b \"c\"")), "\"a,b \"\"c\"\"\"");
        assert_eq!(cell(&json!("plain")), "plain");
        assert_eq!(cell(&json!(12)), "12");
        assert_eq!(cell(&json!(null)), "");
    }

    #[test]
    fn a_strangers_text_is_no_formula() {
        assert_eq!(cell(&json!("=HYPERLINK(1)")), "'=HYPERLINK(1)");
        assert_eq!(cell(&json!("@SUM(1)")), "'@SUM(1)");
        assert_eq!(cell(&json!("-1+1")), "'-1+1");
        assert_eq!(cell(&json!("-0.01000")), "-0.01000", "a fee that was given back");
    }
}

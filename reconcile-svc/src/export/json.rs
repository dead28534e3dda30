//! Everything as one JSON object: the messages of the API in proto3 JSON (amounts in fen, as strings), differences one by one.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::row::{Head, Row};

/// A file under way.
pub(super) struct Json<W> {
    out: W,
    first: bool,
}

impl<W: Write> Json<W> {
    /// Writes what is known before the first difference.
    pub(super) fn begin(mut out: W, head: &Head) -> io::Result<Self> {
        let mut run = head.run.clone();
        let (accounts, inputs) = (std::mem::take(&mut run.accounts), std::mem::take(&mut run.inputs));
        let export_time = head.export_time.to_string();
        write!(out, "{{\"exportTime\":{},\n\"run\":{},", value(&export_time)?, value(&run)?)?;
        write!(out, "\n\"accounts\":{},\n\"inputs\":{},\n\"differences\":[", value(&accounts)?, value(&inputs)?)?;
        Ok(Self { out, first: true })
    }

    /// Writes one difference.
    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        let mut told = value(&row.difference)?;
        if let Value::Object(fields) = &mut told {
            fields.insert("waiting".to_owned(), json!(row.waiting));
            for (name, text) in [("app", &row.app), ("orderNo", &row.order_no)] {
                if !text.is_empty() {
                    fields.insert(name.to_owned(), json!(text));
                }
            }
        }
        let comma = if std::mem::take(&mut self.first) { "" } else { "," };
        write!(self.out, "{comma}\n{told}")
    }

    /// Ends the object.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"\n]}\n")?;
        Ok(self.out)
    }
}

fn value(message: &impl serde::Serialize) -> io::Result<Value> {
    serde_json::to_value(message).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use proto::reconcile::v1::{Account, Discrepancy, Run};

    use super::*;

    #[test]
    fn a_run_with_and_without_differences_is_one_object() {
        let run =
            Run { name: "runs/1".to_owned(), bill_sum_fen: 5, accounts: vec![Account::default()], ..Run::default() };
        let head = Head { run, ..Head::default() };
        let differs = Discrepancy { code: "P5".to_owned(), book_amount_fen: 7, ..Discrepancy::default() };
        for count in 0..3 {
            let mut file = Json::begin(Vec::new(), &head).expect("memory takes every write");
            for _ in 0..count {
                let row = Row { difference: differs.clone(), app: "shop".to_owned(), ..Row::default() };
                file.row(&row).expect("memory takes every write");
            }
            let text = file.finish().expect("memory takes every write");
            let told: Value = serde_json::from_slice(&text).expect("one object");
            assert_eq!((&told["run"]["billSumFen"], told["accounts"].as_array().map(Vec::len)), (&json!("5"), Some(1)));
            assert_eq!(told["run"].get("accounts"), None, "told once");
            assert_eq!(told["differences"].as_array().map(Vec::len), Some(count));
            if 0 < count {
                let one = &told["differences"][0];
                assert_eq!(
                    (&one["bookAmountFen"], &one["app"], &one["waiting"]),
                    (&json!("7"), &json!("shop"), &json!(false))
                );
            }
        }
    }
}

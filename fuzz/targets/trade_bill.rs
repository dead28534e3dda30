//! Whatever bytes a trade bill has: the reader does not panic, reads the same from small and from large buffers, and what it
//! accepts adds up and can be written and read again.
#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use wechat_pay::bill::{Expected, Summary, TradeBillReader, TradeBillWriter, TradeRow, plain};

fn read(bytes: &[u8], buffer: usize) -> Result<(Vec<TradeRow>, Summary), String> {
    let expected = Expected { mch_id: "1900000001".to_owned(), bill_date: None };
    let input = plain(BufReader::with_capacity(buffer, bytes)).map_err(|error| error.to_string())?;
    let mut reader = TradeBillReader::open(input, expected).map_err(|error| error.to_string())?;
    let rows = reader.by_ref().collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    reader.finish().map(|summary| (rows, summary)).map_err(|error| error.to_string())
}

fuzz_target!(|bytes: &[u8]| {
    let whole = read(bytes, 1 << 16);
    // A gzip stream that is cut may end in other words with another buffer, so only what is accepted must be the same.
    let small = read(bytes, 7);
    assert_eq!(whole.is_ok(), small.is_ok());
    let Ok((rows, summary)) = whole else { return };
    assert_eq!(small.as_ref().map(|(rows, _)| rows), Ok(&rows));

    let sum = |value: fn(&TradeRow) -> i64| rows.iter().map(|row| i128::from(value(row))).sum::<i128>();
    assert_eq!(summary.rows, rows.len() as u64);
    assert_eq!(i128::from(summary.settlement_total_fee.get()), sum(|row| row.settlement_total_fee.get()));
    assert_eq!(i128::from(summary.fee.get()), sum(|row| row.fee.get()));

    let mut writer = TradeBillWriter::new(Vec::new()).expect("memory takes everything");
    for row in &rows {
        writer.row(row).expect("these rows were summed up before");
    }
    let written = writer.finish().expect("memory takes everything");
    // Names may lose what one cell cannot carry; money and numbers may not.
    if let Ok((again, _)) = read(&written, 1 << 16) {
        let money = |row: &TradeRow| (row.total_fee, row.fee, row.transaction_id.clone(), row.refund.is_some());
        assert!(again.iter().map(money).eq(rows.iter().map(money)));
    }
});

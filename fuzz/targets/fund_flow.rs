//! Whatever bytes a fund flow has: the reader does not panic, reads the same from small and from large buffers, and of what it
//! accepts the balances follow from the movements.
#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use wechat_pay::bill::plain;
use wechat_pay::fund_flow::{Direction, Expected, FundFlowReader, FundSummary, Movement};

fn read(bytes: &[u8], buffer: usize) -> Result<(Vec<Movement>, FundSummary), String> {
    let input = plain(BufReader::with_capacity(buffer, bytes)).map_err(|error| error.to_string())?;
    let mut reader = FundFlowReader::open(input, Expected { bill_date: None }).map_err(|error| error.to_string())?;
    let movements = reader.by_ref().collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    reader.finish().map(|summary| (movements, summary)).map_err(|error| error.to_string())
}

fuzz_target!(|bytes: &[u8]| {
    let whole = read(bytes, 1 << 16);
    let small = read(bytes, 7);
    assert_eq!(whole.is_ok(), small.is_ok());
    let Ok((movements, summary)) = whole else { return };
    assert_eq!(small.as_ref().map(|(movements, _)| movements), Ok(&movements));
    let moved: i128 = movements
        .iter()
        .map(|movement| {
            let amount = i128::from(movement.amount.get());
            if movement.direction == Direction::In { amount } else { -amount }
        })
        .sum();
    if let (Some(opening), Some(closing)) = (summary.opening, summary.closing) {
        assert_eq!(i128::from(opening.get()) + moved, i128::from(closing.get()));
    }
});

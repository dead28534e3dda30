//! When a line was written.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use tracing_subscriber::fmt::format::Writer;

/// `2026-11-30T09:30:15`.
const SECOND_BYTES: usize = 19;

thread_local! {
    /// The second of this thread's last line, since 1970, and its text: most lines come within the same one.
    static LAST: Cell<(u64, [u8; SECOND_BYTES])> = const { Cell::new((u64::MAX, [0; SECOND_BYTES])) };
}

/// Writes the time as RFC 3339 does, in UTC and with microseconds.
#[expect(clippy::disallowed_methods, reason = "a line tells the machine's time, whatever clock the service follows")]
pub(super) fn write_now(writer: &mut Writer<'_>) -> fmt::Result {
    write(writer, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn write(writer: &mut Writer<'_>, since_1970: Duration) -> fmt::Result {
    let (mut second, mut text) = LAST.get();
    if second != since_1970.as_secs() {
        second = since_1970.as_secs();
        text = print(second).ok_or(fmt::Error)?;
        LAST.set((second, text));
    }
    writer.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)?;
    let mut micros = since_1970.subsec_micros();
    let mut fraction = *b".000000Z";
    for digit in fraction[1..7].iter_mut().rev() {
        *digit = b"0123456789"[(micros % 10) as usize];
        micros /= 10;
    }
    writer.write_str(std::str::from_utf8(&fraction).map_err(|_| fmt::Error)?)
}

/// `None` where the year has more than four digits.
fn print(second: u64) -> Option<[u8; SECOND_BYTES]> {
    let at = Timestamp::from_second(i64::try_from(second).ok()?).ok()?;
    at.to_string().as_bytes().strip_suffix(b"Z")?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(seconds: u64, micros: u32) -> String {
        let mut text = String::new();
        write(&mut Writer::new(&mut text), Duration::new(seconds, micros * 1000 + 999)).expect("texts grow");
        text
    }

    #[test]
    fn a_time_has_all_its_digits_whatever_second_came_before() {
        for (seconds, micros, text) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399, 999_999, "2000-02-28T23:59:59.999999Z"),
            (951_782_400, 1, "2000-02-29T00:00:00.000001Z"),
            (951_782_400, 120_000, "2000-02-29T00:00:00.120000Z"),
            (951_782_399, 7, "2000-02-28T23:59:59.000007Z"),
        ] {
            assert_eq!(written(seconds, micros), text);
        }
    }
}

//! WeChat's texts of time. All of them are Beijing time: UTC+8, without daylight saving.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

/// Beijing's distance from UTC, fixed since 1991 and thus for the whole life of WeChat Pay.
const BEIJING: Offset = Offset::constant(8);

/// A text that is not the time it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a Beijing time of the form {expected}")]
pub struct TimeError {
    /// The form that was expected, e.g. `yyyyMMddHHmmss`.
    pub expected: &'static str,
}

/// Prints `yyyyMMddHHmmss`, the form of requests, answers and notices. Fractions of a second are dropped.
pub fn print_14(at: Timestamp) -> String {
    let at = BEIJING.to_datetime(at);
    format!("{:04}{:02}{:02}{:02}{:02}{:02}", at.year(), at.month(), at.day(), at.hour(), at.minute(), at.second())
}

/// Reads `yyyyMMddHHmmss`.
pub fn parse_14(text: &str) -> Result<Timestamp, TimeError> {
    read(text, "yyyyMMddHHmmss")
}

/// Prints `yyyy-MM-dd HH:mm:ss`, the form of bills and refund results. Fractions of a second are dropped.
pub fn print_spaced(at: Timestamp) -> String {
    let at = BEIJING.to_datetime(at);
    format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", at.year(), at.month(), at.day(), at.hour(), at.minute(), at.second())
}

/// Reads `yyyy-MM-dd HH:mm:ss`.
pub fn parse_spaced(text: &str) -> Result<Timestamp, TimeError> {
    read(text, "yyyy-MM-dd HH:mm:ss")
}

/// The bill day that an instant belongs to: the civil date in Asia/Shanghai.
pub fn bill_date(at: Timestamp) -> Date {
    BEIJING.to_datetime(at).date()
}

/// The instant at which a bill day begins, or `None` for a date at the edge of the calendar.
pub fn day_start(date: Date) -> Option<Timestamp> {
    BEIJING.to_timestamp(date.at(0, 0, 0, 0)).ok()
}

/// Prints `yyyyMMdd`, the form of `bill_date`.
pub fn print_date(date: Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

/// Reads `yyyyMMdd`.
pub fn parse_date(text: &str) -> Result<Date, TimeError> {
    const FORM: &str = "yyyyMMdd";
    let [year, month, day, _, _, _] = numbers(text, FORM).ok_or(TimeError { expected: FORM })?;
    Date::new(year, narrow(month), narrow(day)).map_err(|_| TimeError { expected: FORM })
}

/// Reads `text` by `form`, in which letters stand for digits and everything else for itself.
fn read(text: &str, form: &'static str) -> Result<Timestamp, TimeError> {
    let refused = TimeError { expected: form };
    let [year, month, day, hour, minute, second] = numbers(text, form).ok_or(refused)?;
    DateTime::new(year, narrow(month), narrow(day), narrow(hour), narrow(minute), narrow(second), 0)
        .and_then(|at| BEIJING.to_timestamp(at))
        .map_err(|_| refused)
}

/// Year, month, day, hour, minute and second as far as `form` has them; `None` when `text` does not follow `form`.
fn numbers(text: &str, form: &str) -> Option<[i16; 6]> {
    if text.len() != form.len() {
        return None;
    }
    let mut numbers = [0_i16; 6];
    for (byte, place) in text.bytes().zip(form.bytes()) {
        let slot = match place {
            b'y' => 0,
            b'M' => 1,
            b'd' => 2,
            b'H' => 3,
            b'm' => 4,
            b's' => 5,
            literal if literal == byte => continue,
            _ => return None,
        };
        if !byte.is_ascii_digit() {
            return None;
        }
        numbers[slot] = numbers[slot] * 10 + i16::from(byte - b'0');
    }
    Some(numbers)
}

/// Two digits always fit.
fn narrow(two_digits: i16) -> i8 {
    i8::try_from(two_digits).expect("a number of two digits fits")
}

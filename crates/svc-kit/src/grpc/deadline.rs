//! How long a request may take.

use std::time::Duration;

use http::HeaderMap;

/// The header in which a caller says how long it will wait.
const GRPC_TIMEOUT: &str = "grpc-timeout";

/// We give up this much before the caller does, so that it hears `DEADLINE_EXCEEDED` from us.
const MARGIN: Duration = Duration::from_millis(20);

/// The shorter of our own limit and what the caller waits, less a margin for the answer's way back.
pub(super) fn time_for(headers: &HeaderMap, longest: Duration) -> Duration {
    let asked = headers.get(GRPC_TIMEOUT).and_then(|value| value.to_str().ok()).and_then(parse);
    match asked {
        Some(asked) => longest.min(asked.saturating_sub(MARGIN.min(asked / 10))),
        None => longest,
    }
}

/// At most eight digits and a unit: H, M, S, m (ms), u (µs) or n (ns).
/// Source: gRPC over HTTP2, "Timeout".
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || 8 < digits.len() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_hours(number)),
        "M" => Some(Duration::from_mins(number)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(30);

    fn time(header: &str) -> Duration {
        let mut headers = HeaderMap::new();
        headers.insert(GRPC_TIMEOUT, header.parse().expect("a header value"));
        time_for(&headers, LONGEST)
    }

    #[test]
    fn we_give_up_shortly_before_the_caller_does() {
        assert_eq!(time("1S"), Duration::from_millis(980));
        assert_eq!(time("100m"), Duration::from_millis(90));
        assert_eq!(time("5000000u"), Duration::from_millis(4980));
    }

    #[test]
    fn our_own_limit_holds_when_the_caller_says_nothing_or_too_much() {
        assert_eq!(time_for(&HeaderMap::new(), LONGEST), LONGEST);
        assert_eq!(time("99999999H"), LONGEST);
    }

    #[test]
    fn a_timeout_that_cannot_be_read_is_as_good_as_none() {
        for header in ["", "S", "1", "1x", "123456789S", "-1S", "+1S", "1 S"] {
            assert_eq!(time(header), LONGEST, "{header:?}");
        }
    }
}

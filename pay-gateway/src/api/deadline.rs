//! How long a call to a provider may take, so that the caller hears the outcome before it stops listening.

use std::time::Duration;

use proto::error::ErrorReason;
use svc_kit::refusal;
use tonic::{Code, Status, metadata::MetadataMap};

/// Kept of the caller's time for our own work and the way back.
const MARGIN: Duration = Duration::from_millis(250);

/// With less than this left, a provider would be asked in vain.
const LEAST: Duration = Duration::from_millis(100);

/// The time that a call may take: `most`, or what the caller's `grpc-timeout` leaves of it.
///
/// # Errors
/// `UNAVAILABLE`, with nothing sent, when the caller left too little time for any answer.
pub(super) fn within(metadata: &MetadataMap, most: Duration) -> Result<Duration, Status> {
    let Some(asked) = metadata.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(parse) else {
        return Ok(most);
    };
    match asked.checked_sub(MARGIN) {
        Some(left) if LEAST <= left => Ok(left.min(most)),
        _ => Err(refusal::refuse(
            Code::Unavailable,
            ErrorReason::TryAgain.word(),
            format!(
                "the deadline leaves no time to ask the provider; nothing was sent; allow at least {:?}",
                MARGIN + LEAST
            ),
            [],
        )),
    }
}

/// Reads `grpc-timeout`: at most eight digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let plain = (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = plain.then(|| digits.parse().ok())??;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::{Code, metadata::MetadataMap};

    use super::within;

    const MOST: Duration = Duration::from_secs(8);

    fn with(timeout: &'static str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert("grpc-timeout", timeout.parse().expect("ASCII"));
        metadata
    }

    #[test]
    fn a_call_ends_before_its_caller_stops_listening() {
        assert_eq!(within(&with("5S"), MOST).expect("enough"), Duration::from_millis(4750));
        assert_eq!(within(&with("5000000u"), MOST).expect("enough"), Duration::from_millis(4750));
    }

    #[test]
    fn a_patient_or_silent_caller_gets_our_own_limit() {
        for timeout in ["1H", "90M", "30S"] {
            assert_eq!(within(&with(timeout), MOST).expect("enough"), MOST);
        }
        assert_eq!(within(&MetadataMap::new(), MOST).expect("no deadline"), MOST);
        assert_eq!(within(&with("soon"), MOST).expect("not a deadline"), MOST);
    }

    #[test]
    fn too_little_time_is_refused_before_anything_is_sent() {
        let refused = within(&with("300m"), MOST).expect_err("too little");
        assert_eq!(refused.code(), Code::Unavailable);
    }
}

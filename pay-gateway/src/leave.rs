//! Until when a call may leave for a provider.
//!
//! A process that stood still goes on with a full budget of time, so a budget says nothing about when the bytes leave. Only
//! whoever wrote the row of a call knows how late is too late; it says so as an instant of the real time, which is looked at
//! where the bytes are handed to the connection.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use jiff::{SignedDuration, Timestamp};
use proto::error::ErrorReason;
use svc_kit::{clock::Clock, refusal};
use tonic::{Code, Status};

/// Farthest ahead that an instant can be while all clocks are right: callers give 30 s, so clocks that differ by more than
/// 15 s are noticed by calls that nothing has held up.
const FARTHEST: SignedDuration = SignedDuration::from_secs(45);

/// Until when a call may leave; for a call whose lateness does no harm there is no such instant.
#[derive(Clone, Debug)]
pub(crate) struct Leave {
    limit: Option<(Timestamp, Clock)>,
}

impl Leave {
    /// For a call that may leave as long as it runs.
    pub(crate) const ANY_TIME: Leave = Leave { limit: None };

    /// Before `instant` of the clock `real`, which must tell the real time.
    ///
    /// # Errors
    /// `UNAVAILABLE`, with nothing sent, when the instant is over, or so far ahead that a clock must be wrong.
    pub(crate) fn before(instant: Option<Timestamp>, real: &Clock) -> Result<Leave, Status> {
        let Some(instant) = instant else { return Ok(Leave::ANY_TIME) };
        let ahead = instant.duration_since(real.now());
        if FARTHEST < ahead {
            return Err(not_sent(&format!(
                "leave_before is {} s ahead, more than the 45 s that it can be: this machine's clock, or the caller's, is wrong",
                ahead.as_secs()
            )));
        }
        let leave = Leave { limit: Some((instant, real.clone())) };
        leave.check().map_err(|late| not_sent(&late.to_string()))?;
        Ok(leave)
    }

    /// # Errors
    /// When it is too late.
    pub(crate) fn check(&self) -> Result<(), TooLateToLeave> {
        match &self.limit {
            Some((instant, real)) if *instant <= real.now() => Err(TooLateToLeave),
            _ => Ok(()),
        }
    }

    /// A message that is handed to its connection in time or not at all. Connecting can take long, and a process can stand
    /// still meanwhile; the head of a request without the body that it promises is nothing that a provider could act on.
    pub(crate) fn body(&self, message: &str) -> reqwest::Body {
        match self.limit {
            None => message.to_owned().into(),
            Some(_) => reqwest::Body::wrap(InTime { message: Some(message.to_owned().into()), leave: self.clone() }),
        }
    }
}

/// The refusal of a call that was not sent.
pub(crate) fn not_sent(why: &str) -> Status {
    refusal::refuse(Code::Unavailable, ErrorReason::TryAgain.word(), format!("{why}; nothing was sent"), [])
}

/// Nothing was sent, because it was too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLateToLeave;

impl fmt::Display for TooLateToLeave {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the instant before which this call had to leave is over")
    }
}

impl std::error::Error for TooLateToLeave {}

impl TooLateToLeave {
    /// Whether this is why sending failed. Only a body that was not handed over says so.
    pub(crate) fn caused(error: &(dyn std::error::Error + 'static)) -> bool {
        let mut below = Some(error);
        while let Some(error) = below {
            if error.is::<TooLateToLeave>() {
                return true;
            }
            below = error.source();
        }
        false
    }
}

/// One message, in one piece.
struct InTime {
    message: Option<Bytes>,
    leave: Leave,
}

impl Body for InTime {
    type Data = Bytes;
    type Error = TooLateToLeave;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TooLateToLeave>>> {
        let Some(message) = self.message.take() else { return Poll::Ready(None) };
        Poll::Ready(Some(self.leave.check().map(|()| Frame::data(message))))
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.message.as_ref().map_or(0, Bytes::len);
        // A length is announced, as it is for every other message.
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;
    use svc_kit::{clock::Clock, refusal::reason_of};
    use tonic::Code;

    use super::{Leave, TooLateToLeave};

    #[test]
    fn a_call_without_an_instant_leaves_at_any_time() {
        let (real, hand) = Clock::adjustable();
        let leave = Leave::before(None, &real).expect("no limit");
        hand.advance(Duration::from_hours(1));
        assert_eq!(leave.check(), Ok(()));
    }

    #[test]
    fn an_instant_that_passes_meanwhile_is_noticed() {
        let (real, hand) = Clock::adjustable();
        let leave = Leave::before(Some(real.now() + SignedDuration::from_secs(30)), &real).expect("it is ahead");
        hand.advance(Duration::from_secs(20));
        assert_eq!(leave.check(), Ok(()));
        hand.advance(Duration::from_secs(10));
        assert_eq!(leave.check(), Err(TooLateToLeave));
    }

    #[test]
    fn an_instant_that_is_over_or_too_far_ahead_is_refused_by_ourselves() {
        let (real, _hand) = Clock::adjustable();
        for seconds in [-600, -1, 0, 60, 600] {
            let instant = real.now() + SignedDuration::from_secs(seconds);
            let refused = Leave::before(Some(instant), &real).expect_err("it is not sent");
            assert_eq!((refused.code(), reason_of(&refused).as_deref()), (Code::Unavailable, Some("TRY_AGAIN")));
            assert!(refused.message().contains("nothing was sent"), "{refused:?}");
        }
    }

    #[test]
    fn the_reason_is_found_however_deep_it_lies() {
        let wrapped = anyhow::Error::new(TooLateToLeave).context("the body was not handed over").context("sending");
        assert!(TooLateToLeave::caused(wrapped.as_ref()) && TooLateToLeave::caused(&TooLateToLeave));
        assert!(!TooLateToLeave::caused(&std::io::Error::other("broken pipe")));
    }
}

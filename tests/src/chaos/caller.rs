//! A caller as our documents want them: whatever says "undecided" is asked again with the same request id, for as long as
//! somebody has patience.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use tonic::{Code, Request, Response, Status};

use super::tally::Tally;
use crate::selling::{Orders, Team, is_undecided};

/// What one call may take.
const CALL_TIME: Duration = Duration::from_secs(8);
/// What a caller waits between calls: at first, and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];
/// When a caller gives up. Then nobody knows what became of the request.
const PATIENCE: Duration = Duration::from_secs(25);

/// What came of a request.
#[derive(Debug)]
pub(super) enum Outcome<T> {
    Given(T),
    /// A definite no.
    Refused(Status),
    /// Nobody answered as long as somebody waited.
    Unknown,
}

impl<T> Outcome<T> {
    pub(super) fn given(self) -> Option<T> {
        match self {
            Outcome::Given(answer) => Some(answer),
            Outcome::Refused(_) | Outcome::Unknown => None,
        }
    }
}

/// Asks until there is an answer.
pub(super) async fn ask<T, R: Clone, F>(
    tally: &Tally,
    team: &Team,
    request: &R,
    call: impl Fn(Orders, Request<R>) -> F,
) -> Outcome<T>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    let (began, [mut pause, longest]) = (Instant::now(), PAUSES);
    loop {
        let mut sent = Request::new(request.clone());
        sent.set_timeout(CALL_TIME);
        let last_word = match timeout(CALL_TIME, call(team.orders(), sent)).await {
            Ok(Ok(answer)) => return Outcome::Given(answer.into_inner()),
            Ok(Err(status)) if !comes_again(&status) => {
                if matches!(status.code(), Code::Internal | Code::DataLoss | Code::Unimplemented) {
                    tally.wrong("no_mistakes", format!("{status:?}"));
                }
                return Outcome::Refused(status);
            }
            Ok(Err(status)) => format!("{:?}: {}", status.code(), status.message()),
            Err(_) => "silence".to_owned(),
        };
        tally.count("calls made again");
        if PATIENCE < began.elapsed() {
            tally.given_up(&last_word);
            return Outcome::Unknown;
        }
        tokio::time::sleep(pause).await;
        pause = longest.min(pause * 2);
    }
}

/// Whether the documents say that the same request may be made again.
fn comes_again(status: &Status) -> bool {
    is_undecided(status) || matches!(status.code(), Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled)
}

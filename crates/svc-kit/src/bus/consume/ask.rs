//! Asks the handler until it says something: a handler whose database is away is asked again, not given up.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{Consumer, Delivery, Failure, Handler, Verdict, Verdicts};
use crate::schedule::jittered;
use crate::trace::continue_from;

/// First pause while what the handler needs is away; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause while what the handler needs is away.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// What came of asking.
#[derive(Debug)]
pub(super) enum Answer {
    /// One verdict for each message.
    Verdicts(Vec<Verdict>),
    /// The handler failed on these messages, for this reason.
    Failed(String),
    /// The process stops, and what the handler needs is still away.
    Stopped,
}

impl Consumer {
    pub(super) async fn ask(&self, handler: &impl Handler, batch: &[Delivery], stop: &CancellationToken) -> Answer {
        let mut pause = FIRST_PAUSE;
        loop {
            let unavailable = match self.ask_once(handler, batch).await {
                Ok(Verdicts::All(verdict)) => return Answer::Verdicts(vec![verdict; batch.len()]),
                Ok(Verdicts::Each(verdicts)) if verdicts.len() == batch.len() => return Answer::Verdicts(verdicts),
                Ok(Verdicts::Each(verdicts)) => {
                    let (found, messages) = (verdicts.len(), batch.len());
                    return Answer::Failed(format!("the handler gave {found} verdicts for {messages} messages"));
                }
                Err(Failure::Failed(cause)) => return Answer::Failed(chain(cause.as_ref())),
                Err(Failure::Unavailable(cause)) => chain(cause.as_ref()),
            };
            tracing::warn!(
                durable = self.spec.name,
                messages = batch.len(),
                "waiting to apply messages: {unavailable}"
            );
            tokio::select! {
                () = stop.cancelled() => return Answer::Stopped,
                () = tokio::time::sleep(jittered(pause)) => pause = MAX_PAUSE.min(pause * 2),
            }
        }
    }

    async fn ask_once(&self, handler: &impl Handler, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        let span = tracing::info_span!("consume", durable = self.spec.name, messages = batch.len());
        // A batch of several traces cannot continue them all; it continues its first one.
        if let Some(first) = batch.first() {
            continue_from(&span, |name| first.header(name));
        }
        let answer = AssertUnwindSafe(handler.handle(batch)).catch_unwind().instrument(span);
        match tokio::time::timeout(self.options.handler_time, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(Failure::failed("the handler panicked")),
            Err(_elapsed) => {
                Err(Failure::unavailable(format!("the handler took longer than {:?}", self.options.handler_time)))
            }
        }
    }
}

/// An error with its causes, in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = String::new();
    for cause in anyhow::Chain::new(error) {
        let text = cause.to_string();
        if !line.contains(&text) {
            let colon = if line.is_empty() { "" } else { ": " };
            line.push_str(colon);
            line.push_str(&text);
        }
    }
    line
}

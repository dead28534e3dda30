//! Asks the handler until it says something: a handler whose database is away is asked again, not given up.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{Consumer, Delivery, Failure, Handler, Turn, Verdict, Verdicts};
use crate::crash;
use crate::schedule::jittered;
use crate::trace::continue_from;

/// First pause while what the handler needs is away; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause while what the handler needs is away.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// A batch that was too slow this often is tried message by message.
const SLOW_TRIES_OF_A_BATCH: u32 = 3;

/// A single message that was too slow this often has failed.
const SLOW_TRIES_OF_A_MESSAGE: u32 = 10;

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

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// About what was fetched.
    First,
    /// About what waited for its turn.
    InTurn,
}

impl Consumer {
    /// Asks about a batch, and once more about what wants its turn, when that has come. The wait counts against nobody's time.
    pub(super) async fn ask(
        &self,
        handler: &impl Handler,
        batch: &[Delivery],
        turn: &Turn,
        stop: &CancellationToken,
    ) -> Answer {
        let mut verdicts = match self.ask_until(handler, Question::First, batch, stop).await {
            Answer::Verdicts(verdicts) => verdicts,
            otherwise => return otherwise,
        };
        let places: Vec<usize> = (0..batch.len()).filter(|place| verdicts[*place] == Verdict::InTurn).collect();
        if places.is_empty() {
            return Answer::Verdicts(verdicts);
        }
        // Whoever is before ends at a stop, so this does, too.
        turn.comes().await;
        let waited: Vec<Delivery> = places.iter().map(|place| batch[*place].clone()).collect();
        match self.ask_until(handler, Question::InTurn, &waited, stop).await {
            Answer::Verdicts(answers) => {
                for (place, verdict) in places.into_iter().zip(answers) {
                    verdicts[place] = verdict;
                }
                Answer::Verdicts(verdicts)
            }
            // What was applied already is asked about again, and is known then.
            otherwise => otherwise,
        }
    }

    async fn ask_until(
        &self,
        handler: &impl Handler,
        question: Question,
        batch: &[Delivery],
        stop: &CancellationToken,
    ) -> Answer {
        let mut pause = FIRST_PAUSE;
        let mut slow = 0;
        loop {
            crash::point("consume.taken");
            let (reason, rest) = match self.ask_once(handler, question, batch).await {
                Ok(Verdicts::All(verdict)) => return Answer::Verdicts(vec![verdict; batch.len()]),
                Ok(Verdicts::Each(verdicts)) if verdicts.len() == batch.len() => return Answer::Verdicts(verdicts),
                Ok(Verdicts::Each(verdicts)) => {
                    let (found, messages) = (verdicts.len(), batch.len());
                    return Answer::Failed(format!("the handler gave {found} verdicts for {messages} messages"));
                }
                Err(Failure::Failed(cause)) => return Answer::Failed(chain(cause.as_ref())),
                Err(Failure::Slow(cause)) => {
                    slow += 1;
                    if self.slow_tries(batch) <= slow {
                        return Answer::Failed(format!("too slow, {slow} times: {}", chain(cause.as_ref())));
                    }
                    // It has taken its time already, so the pause need not grow.
                    (chain(cause.as_ref()), FIRST_PAUSE)
                }
                Err(Failure::Unavailable(cause)) => {
                    let rest = pause;
                    pause = MAX_PAUSE.min(pause * 2);
                    (chain(cause.as_ref()), rest)
                }
            };
            tracing::warn!(durable = self.spec.name, messages = batch.len(), "waiting to apply messages: {reason}");
            tokio::select! {
                () = stop.cancelled() => return Answer::Stopped,
                () = tokio::time::sleep(jittered(rest)) => {}
            }
        }
    }

    /// How often this batch may be too slow. One message that has failed before shall not hold up the others as long again.
    fn slow_tries(&self, batch: &[Delivery]) -> u32 {
        if batch.iter().any(|delivery| self.faults.is_suspect(delivery.sequence)) {
            1
        } else if 1 < batch.len() {
            SLOW_TRIES_OF_A_BATCH
        } else {
            SLOW_TRIES_OF_A_MESSAGE
        }
    }

    async fn ask_once(
        &self,
        handler: &impl Handler,
        question: Question,
        batch: &[Delivery],
    ) -> Result<Verdicts, Failure> {
        let span = tracing::info_span!("consume", durable = self.spec.name, messages = batch.len());
        // A batch of several traces cannot continue them all; it continues its first one.
        if let Some(first) = batch.first() {
            continue_from(&span, |name| first.header(name));
        }
        let answer = async {
            match question {
                Question::First => handler.handle(batch).await,
                Question::InTurn => handler.handle_in_turn(batch).await,
            }
        };
        let answer = AssertUnwindSafe(answer).catch_unwind().instrument(span);
        match tokio::time::timeout(self.options.handler_time, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(Failure::failed("the handler panicked")),
            Err(_elapsed) => {
                Err(Failure::slow(format!("the handler took longer than {:?}", self.options.handler_time)))
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

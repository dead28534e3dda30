//! Following the sandbox's clock: fetch the offset once, then ask again and again to be told of the next change.

use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::Clock;
use crate::log_limit::LogLimit;
use crate::process::Tasks;

/// How long a start waits for the clock to answer at all.
const START_TIME: Duration = Duration::from_secs(10);

/// How long one question may take. The clock answers a question without news after 20 s.
const ANSWER_TIME: Duration = Duration::from_secs(40);

/// Between two failed questions.
const PAUSE: Duration = Duration::from_millis(250);

/// An answer is one short JSON object; more is not a clock.
const MAX_ANSWER_BYTES: usize = 4096;

/// The part of a clock's answer that we need: `{"now":"…","offset_ms":0}`.
#[derive(Debug, Deserialize)]
struct Answer {
    offset_ms: i64,
}

/// Sets `clock` to the offset told at `url`, then keeps it so until `tasks` stop.
pub(super) async fn start(clock: Clock, url: &Url, tasks: &Tasks) -> anyhow::Result<()> {
    let source = Source::new(url.clone())?;
    let offset_ms = source.first_offset_ms().await?;
    clock.set_offset_ms(offset_ms)?;
    // It serves until the drain is over: what is finished during the drain is dated by the same clock.
    let drained = tasks.drained();
    tasks.spawn_last("clock", async move {
        tokio::select! {
            () = source.follow(&clock) => Err(anyhow!("the clock is no longer followed")),
            () = drained.cancelled() => Ok(()),
        }
    });
    Ok(())
}

struct Source {
    client: reqwest::Client,
    url: Url,
}

impl Source {
    fn new(url: Url) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(ANSWER_TIME)
            .redirect(reqwest::redirect::Policy::none())
            // The sandbox is on this machine or beside it; a proxy would only delay its answers.
            .no_proxy()
            // CLOCK_URL is http:// only, so no certificates need to be loaded.
            .tls_certs_only([])
            .build()
            .context("cannot make the HTTP client for CLOCK_URL")?;
        Ok(Self { client, url })
    }

    async fn first_offset_ms(&self) -> anyhow::Result<i64> {
        let deadline = Instant::now() + START_TIME;
        let mut waiting = false;
        loop {
            let asked = tokio::time::timeout_at(deadline, self.ask(None)).await;
            let error = match asked.unwrap_or_else(|_| Err(anyhow!("no answer"))) {
                Ok(offset_ms) => return Ok(offset_ms),
                Err(error) => error,
            };
            if deadline <= Instant::now() + PAUSE {
                return Err(error.context(format!("CLOCK_URL {} did not answer in {START_TIME:?}", self.url)));
            }
            if !waiting {
                tracing::info!("waiting for the clock at {}: {error:#}", self.url);
                waiting = true;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn follow(&self, clock: &Clock) {
        let failures = LogLimit::new(Duration::from_secs(10), 1);
        loop {
            let told = self.ask(Some(clock.offset_ms())).await.and_then(|offset_ms| clock.set_offset_ms(offset_ms));
            if let Err(error) = told {
                if let Some(swallowed) = failures.admit() {
                    tracing::warn!(swallowed, "the clock at {} does not answer: {error:#}", self.url);
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Asks for the offset: at once, or as soon as it is no longer `after`.
    async fn ask(&self, after: Option<i64>) -> anyhow::Result<i64> {
        let mut request = self.client.get(self.url.clone());
        if let Some(after) = after {
            request = request.query(&[("after", after)]);
        }
        let mut response = request.send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            ensure!(body.len() + chunk.len() <= MAX_ANSWER_BYTES, "the answer is too long for a clock");
            body.extend_from_slice(&chunk);
        }
        let answer: Answer = serde_json::from_slice(&body).context("the answer is not that of a clock")?;
        Ok(answer.offset_ms)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use axum::extract::{Query, State};
    use axum::routing::get;
    use axum::{Json, Router};
    use tokio::sync::watch;

    use super::*;
    use crate::clock::ClockArgs;
    use crate::process::Environment;

    const GENEROUS: Duration = Duration::from_mins(1);

    /// A clock as the sandbox serves it, except that it waits for a change without end.
    async fn answer(
        State(offset): State<watch::Sender<i64>>,
        Query(query): Query<HashMap<String, i64>>,
    ) -> Json<serde_json::Value> {
        let after = query.get("after").copied();
        let mut offset = offset.subscribe();
        let told = *offset.wait_for(|offset| Some(*offset) != after).await.expect("the sender is in the state");
        Json(serde_json::json!({ "now": "2026-11-21T02:00:00.123Z", "offset_ms": told }))
    }

    async fn clock_server(offset: watch::Sender<i64>) -> Url {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let app = Router::new().route("/_sandbox/clock", get(answer)).with_state(offset);
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}/_sandbox/clock").parse().expect("a URL")
    }

    fn following(url: Url) -> ClockArgs {
        ClockArgs { environment: Environment::Development, clock_url: Some(url), clock_offset_ms: None }
    }

    #[tokio::test]
    async fn the_clock_starts_on_the_sandboxs_time_and_a_jump_wakes_sleepers() {
        let offset = watch::Sender::new(3_600_000);
        let url = clock_server(offset.clone()).await;
        let tasks = Tasks::new();
        let clock = Clock::start(&following(url), &tasks).await.expect("the clock answers");
        assert_eq!(clock.offset_ms(), 3_600_000);

        let deadline = clock.now() + jiff::SignedDuration::from_hours(24);
        offset.send_replace(3_600_000 + 25 * 3_600_000);
        tokio::time::timeout(GENEROUS, clock.sleep_until(deadline)).await.expect("woken by the jump");
        assert!(deadline <= clock.now());

        tasks.stop().cancel();
        tasks.run().await.expect("following ends well");
    }

    #[tokio::test]
    async fn what_answers_without_an_offset_is_not_a_clock() {
        let app = Router::new().route("/", get(|| async { "{\"now\":\"2026-11-21T02:00:00Z\"}" }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("an address")).parse().expect("a URL");
        tokio::spawn(async move { axum::serve(listener, app).await });
        let error = Source::new(url).expect("a client").ask(None).await.expect_err("no offset");
        assert_eq!(error.to_string(), "the answer is not that of a clock");
    }
}

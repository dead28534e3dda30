use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How long a job may still work after a stop: it fits into the drain.
const LAST_WORK_TIME: Duration = Duration::from_secs(10);

/// Runs a job, and drops it when it does not end soon after a stop: a database that went silent in the middle of an answer would
/// hold up the process until it is cut off as a whole. What it was doing is taken up as after a crash, which every job survives.
pub async fn cut_off(
    name: &str,
    job: impl Future<Output = anyhow::Result<()>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(LAST_WORK_TIME).await;
    };
    tokio::select! {
        ended = job => ended,
        () = late => {
            tracing::warn!("{name} was still busy {LAST_WORK_TIME:?} after the stop; what it did is taken up later");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_job_that_hangs_is_dropped_soon_after_a_stop() {
        let stop = CancellationToken::new();
        stop.cancel();
        let began = tokio::time::Instant::now();
        cut_off("hanging", std::future::pending(), stop).await.expect("it ends well");
        assert_eq!(began.elapsed(), LAST_WORK_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_ends_by_itself_says_how() {
        let stop = CancellationToken::new();
        let failed = cut_off("failing", async { anyhow::bail!("no") }, stop).await;
        assert_eq!(failed.expect_err("its own error").to_string(), "no");
    }
}

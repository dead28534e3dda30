use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tokio_util::sync::CancellationToken;

use crate::gateway::{GatewayError, Merchant};
use crate::runs::{Reconciler, RunError, RunState};
use crate::store::{books, listing};

/// Bills are made from 09:00 and are to be fetched after 10:00 Beijing time.
/// Source: WeChat Pay v2 docs, "Download transaction bill", read 2026-08.
const FIRST_HOUR: SignedDuration = SignedDuration::from_hours(10);

/// Between two tries on one day.
const TRY_EVERY: SignedDuration = SignedDuration::from_mins(30);

/// Earlier days that are tried again: those missed while this process was down, and those that do not balance yet.
const EARLIER_DAYS: i64 = 3;

/// Reconciles yesterday of every merchant from 10:00 Beijing time, every 30 minutes until it balances.
pub async fn reconcile_each_morning(reconciler: Reconciler, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let now = reconciler.clock.now();
        let today = wechat_pay::time::bill_date(now);
        if first_try(today).is_some_and(|first| first <= now) {
            tokio::select! {
                // The runs themselves go on in their own tasks; what they did not finish is taken up after the restart.
                () = stop.cancelled() => return Ok(()),
                () = try_all(&reconciler, today) => {}
            }
        }
        let next = next_try(now).unwrap_or(Timestamp::MAX);
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = reconciler.clock.sleep_until(next) => {}
        }
    }
}

/// 10:00 Beijing time on `day`; `None` at the edge of the calendar.
fn first_try(day: Date) -> Option<Timestamp> {
    wechat_pay::time::day_start(day)?.checked_add(FIRST_HOUR).ok()
}

/// The first of 10:00, 10:30, … 23:30 Beijing time after `now`.
fn next_try(now: Timestamp) -> Option<Timestamp> {
    let today = wechat_pay::time::bill_date(now);
    let first = first_try(today)?;
    if now < first {
        return Some(first);
    }
    let done = now.duration_since(first).as_secs() / TRY_EVERY.as_secs();
    let next = first.checked_add(TRY_EVERY * i32::try_from(done + 1).ok()?).ok()?;
    let midnight = wechat_pay::time::day_start(today.tomorrow().ok()?)?;
    if next < midnight { Some(next) } else { first_try(today.tomorrow().ok()?) }
}

async fn try_all(reconciler: &Reconciler, today: Date) {
    let merchants = match reconciler.gateway.merchants().await {
        Ok(merchants) => merchants,
        Err(error) => return tracing::warn!("cannot learn the merchants: {error}"),
    };
    let mut merchants: Vec<Merchant> = merchants.into_values().collect();
    merchants.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    for merchant in merchants {
        match due_days(reconciler, &merchant.name, today).await {
            Ok(days) => {
                for day in days {
                    try_day(reconciler, &merchant.name, day).await;
                }
            }
            Err(error) => tracing::warn!(merchant = merchant.name, "cannot see which days are due: {error}"),
        }
    }
}

/// Oldest first: a payment about midnight is then found before its neighbour misses it twice.
async fn due_days(reconciler: &Reconciler, merchant: &str, today: Date) -> sqlx::Result<Vec<Date>> {
    let mut conn = reconciler.pool.acquire().await?;
    let first_day = books::first_day(&mut conn, merchant).await?;
    let mut due = Vec::new();
    for days_ago in (1..=1 + EARLIER_DAYS).rev() {
        let day = today.saturating_sub(days_ago.days());
        // Before its first payment a merchant has no earlier days to catch up with.
        if 1 < days_ago && first_day.is_none_or(|first| day < first) {
            continue;
        }
        let current = listing::current(&mut conn, merchant, day).await?;
        if current.is_none_or(|run| run.state != RunState::Balanced) {
            due.push(day);
        }
    }
    Ok(due)
}

async fn try_day(reconciler: &Reconciler, merchant: &str, day: Date) {
    match reconciler.reconcile(merchant, day).await {
        Ok(_) => {}
        Err(RunError::Gateway(GatewayError::BillNotReady)) => {
            tracing::info!(merchant, %day, "the bill is not ready; trying again in half an hour");
        }
        Err(error) => tracing::warn!(merchant, %day, "not reconciled, trying again in half an hour: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(beijing: &str) -> String {
        let now = wechat_pay::time::parse_spaced(beijing).expect("a Beijing time");
        wechat_pay::time::print_spaced(next_try(now).expect("within the calendar"))
    }

    #[test]
    fn a_day_is_tried_from_ten_in_the_morning_and_every_half_hour() {
        assert_eq!(next("2026-11-21 00:00:00"), "2026-11-21 10:00:00");
        assert_eq!(next("2026-11-21 09:59:59"), "2026-11-21 10:00:00");
        assert_eq!(next("2026-11-21 10:00:00"), "2026-11-21 10:30:00");
        assert_eq!(next("2026-11-21 10:29:59"), "2026-11-21 10:30:00");
    }

    #[test]
    fn the_last_try_of_a_day_is_half_past_eleven_in_the_evening() {
        assert_eq!(next("2026-11-21 23:29:59"), "2026-11-21 23:30:00");
        assert_eq!(next("2026-11-21 23:30:00"), "2026-11-22 10:00:00");
    }
}

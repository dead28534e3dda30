use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proto::event::ReconcileDay;
use proto::time::to_wire;
use svc_kit::bus::{Message, Publisher};
use svc_kit::postgres::timely;
use tokio_util::sync::CancellationToken;

use crate::PROCESS;
use crate::gateway::Merchant;
use crate::runs::Reconciler;
use crate::store::{books, due_days};

/// Bills are made from 09:00 and are to be fetched after 10:00 Beijing time.
/// Source: WeChat Pay v2 docs, "Download transaction bill", read 2026-08.
const FIRST_HOUR: SignedDuration = SignedDuration::from_hours(10);

/// Between two tries on one day.
const TRY_EVERY: SignedDuration = SignedDuration::from_mins(30);

/// Days before yesterday that are tried until they were compared: those missed while no process was there.
const MISSED_DAYS: i64 = 3;

/// Hands out yesterday of every merchant, and the days before it that need another look, from 10:00 Beijing time, every
/// 30 minutes. Every replica does: what they hand out at one tick has one name, so the stream takes it once.
pub async fn reconcile_each_morning(
    reconciler: Reconciler,
    publisher: Publisher,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        let now = reconciler.clock.now();
        if let Some(tick) = last_tick(now) {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = hand_out_all(&reconciler, &publisher, tick) => {}
            }
        }
        let next = next_tick(now).unwrap_or(Timestamp::MAX);
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = reconciler.clock.sleep_until(next) => {}
        }
    }
}

/// 10:00 Beijing time on `day`; `None` at the edge of the calendar.
fn first_tick(day: Date) -> Option<Timestamp> {
    wechat_pay::time::day_start(day)?.checked_add(FIRST_HOUR).ok()
}

/// The last of 10:00, 10:30, … of today in Beijing that is not after `now`; `None` before ten.
fn last_tick(now: Timestamp) -> Option<Timestamp> {
    let first = first_tick(wechat_pay::time::bill_date(now))?;
    let ticks = now.duration_since(first).as_secs().checked_div(TRY_EVERY.as_secs())?;
    if now < first { None } else { first.checked_add(TRY_EVERY * i32::try_from(ticks).ok()?).ok() }
}

/// The first of 10:00, 10:30, … 23:30 Beijing time after `now`.
fn next_tick(now: Timestamp) -> Option<Timestamp> {
    let today = wechat_pay::time::bill_date(now);
    let first = first_tick(today)?;
    if now < first {
        return Some(first);
    }
    let next = last_tick(now)?.checked_add(TRY_EVERY).ok()?;
    let midnight = wechat_pay::time::day_start(today.tomorrow().ok()?)?;
    if next < midnight { Some(next) } else { first_tick(today.tomorrow().ok()?) }
}

async fn hand_out_all(reconciler: &Reconciler, publisher: &Publisher, tick: Timestamp) {
    let today = wechat_pay::time::bill_date(tick);
    let merchants = match reconciler.gateway.merchants().await {
        Ok(merchants) => merchants,
        Err(error) => return tracing::warn!("cannot learn the merchants: {error}"),
    };
    let mut merchants: Vec<Merchant> = merchants.into_values().collect();
    merchants.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    for merchant in merchants {
        match timely(days_to_look_at(reconciler, &merchant.name, today)).await {
            Ok(days) => {
                for day in days {
                    hand_out(publisher, &merchant.name, day, tick).await;
                }
            }
            Err(error) => tracing::warn!(merchant = merchant.name, "cannot see which days are due: {error}"),
        }
    }
}

/// Newest first: its bill explains what the days before it miss about midnight.
async fn days_to_look_at(reconciler: &Reconciler, merchant: &str, today: Date) -> sqlx::Result<Vec<Date>> {
    let mut conn = reconciler.pool.acquire().await?;
    // Before its first payment a merchant has no earlier days to catch up with.
    let yesterday = today.saturating_sub(1.day());
    let missed_since = today.saturating_sub((1 + MISSED_DAYS).days());
    let first = match books::first_day(&mut conn, merchant).await? {
        Some(first) => first.max(missed_since).min(yesterday),
        None => yesterday,
    };
    due_days::due(&mut conn, merchant, first, today).await
}

async fn hand_out(publisher: &Publisher, merchant: &str, day: Date, tick: Timestamp) {
    let work =
        ReconcileDay { merchant: merchant.to_owned(), bill_date: day.to_string(), tick_time: Some(to_wire(tick)) };
    let handed_out = async { anyhow::Ok(publisher.publish(&Message::from_event(&work, PROCESS)?).await?) };
    match handed_out.await {
        Ok(ack) if ack.duplicate => tracing::debug!(merchant, %day, "handed out before"),
        Ok(_) => tracing::debug!(merchant, %day, "handed out"),
        Err(error) => tracing::warn!(merchant, %day, "not handed out, trying again in half an hour: {error:#}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(beijing: &str) -> Timestamp {
        wechat_pay::time::parse_spaced(beijing).expect("a Beijing time")
    }

    fn next(beijing: &str) -> String {
        wechat_pay::time::print_spaced(next_tick(at(beijing)).expect("within the calendar"))
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

    #[test]
    fn a_process_that_starts_late_fires_for_the_tick_that_was() {
        assert_eq!(last_tick(at("2026-11-21 09:59:59")), None);
        for (now, tick) in [("10:00:00", "10:00:00"), ("10:29:59", "10:00:00"), ("23:59:59", "23:30:00")] {
            assert_eq!(last_tick(at(&format!("2026-11-21 {now}"))), Some(at(&format!("2026-11-21 {tick}"))));
        }
    }
}

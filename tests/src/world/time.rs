//! Everybody's time, moved by command.

use std::time::Duration;

use jiff::{ToSpan as _, Zoned, civil::Date, tz::TimeZone};

use super::{Part, World};
use crate::eventually;

impl World {
    /// Lets time pass for everybody, and returns when no part lives in the past any more.
    ///
    /// Only the providers' and our own business moves: the servers keep the machine's time.
    pub async fn pass(&self, time: Duration) {
        let offset_ms = self.sandbox.advance(time).await.offset_ms;
        for part in Part::OURS {
            let takes_part = self.running().contains_key(&part) && !self.paused.contains(&part);
            if part.follows_the_clock() && takes_part {
                eventually(&format!("{part} has heard the time"), async || {
                    // One that died of what the time brought hears nothing more.
                    if self.ended(part).is_some() {
                        return Ok(());
                    }
                    let told = self.try_metric(part, "clock_offset_ms", &[]).await?;
                    if told == Some(offset_ms) { Ok(()) } else { Err(format!("{told:?} instead of {offset_ms} ms")) }
                })
                .await;
            }
        }
    }

    /// Lets time pass until this hour and minute of the next day in Beijing.
    ///
    /// # Panics
    /// When there is no such hour.
    pub async fn pass_to_next_day(&self, hour: i8, minute: i8) {
        let now = self.beijing_now().await;
        let then = now.date().tomorrow().expect("the calendar goes on").at(hour, minute, 0, 0);
        let then = then.to_zoned(TimeZone::get("Asia/Shanghai").expect("it is in the time zone database"));
        let wait = now.duration_until(&then.expect("China has no summer time"));
        self.pass(wait.try_into().expect("the next day is later")).await;
    }

    /// The present civil time in Beijing.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn beijing_now(&self) -> Zoned {
        let beijing = TimeZone::get("Asia/Shanghai").expect("it is in the time zone database");
        self.sandbox.clock().await.now.to_zoned(beijing)
    }

    /// The present bill day.
    pub async fn today(&self) -> Date {
        self.beijing_now().await.date()
    }

    /// The bill day before it. A story that may run about midnight takes the day of a payment from its own time instead:
    /// `wechat_pay::time::bill_date(paid.paid_at)`.
    pub async fn yesterday(&self) -> Date {
        self.today().await.saturating_sub(1.day())
    }
}

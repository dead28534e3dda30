//! Looking again until what is under way has arrived.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::{Instant, sleep};

use super::{Allowed, Evidence, Limits, Progress, Report, Sources, Violation, Window, judge, look};

/// Between two looks; a look itself may take longer.
const PAUSE: Duration = Duration::from_secs(2);

/// What was found, and when there was nothing to wait for any more.
#[derive(Clone, Debug)]
pub struct Settled {
    /// What was looked at, and what is wrong.
    pub report: Report,
    /// How often it was looked at.
    pub looks: u32,
}

/// Looks until nothing is wrong, or until `time` is over. What was wrong in every look, in the same words, is a violation: a
/// system at work always has something on its way, and each look finds something else there.
///
/// # Errors
/// As [`look`].
pub async fn settle(
    sources: &Sources,
    allowed: &Allowed,
    limits: &Limits,
    time: Duration,
    progress: &Progress,
) -> anyhow::Result<Settled> {
    let window = Window::newest(sources, limits).await?;
    let mut stays: Option<BTreeSet<Violation>> = None;
    let mut looks = 0;
    // Whatever was wrong in the first look has had all of the time, counted from its end.
    let mut deadline = None;
    loop {
        let evidence = look(sources, &window, limits, progress).await?;
        looks += 1;
        stays = Some(still_wrong(stays, judge(&evidence, allowed)));
        let wrong = stays.as_ref().map_or(0, BTreeSet::len);
        let now = Instant::now();
        let deadline = *deadline.get_or_insert(now + time);
        if wrong == 0 || deadline <= now {
            let report = Report::of(&evidence, &window, stays.into_iter().flatten().collect());
            return Ok(Settled { report, looks });
        }
        drop::<Evidence>(evidence);
        let left = deadline - now;
        progress.tell(|| format!("{wrong} things are under way or wrong; looking again for {} s", left.as_secs()));
        sleep(left.min(PAUSE)).await;
    }
}

fn still_wrong(before: Option<BTreeSet<Violation>>, now: Vec<Violation>) -> BTreeSet<Violation> {
    let now: BTreeSet<Violation> = now.into_iter().collect();
    match before {
        None => now,
        Some(before) => before.intersection(&now).cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Rule;

    fn violation(sentence: &str) -> Violation {
        Violation { rule: Rule::Outbox, about: "x".to_owned(), sentence: sentence.to_owned() }
    }

    #[test]
    fn only_what_is_wrong_in_every_look_stays() {
        let first = still_wrong(None, vec![violation("stuck"), violation("on its way")]);
        let second = still_wrong(Some(first), vec![violation("stuck"), violation("new")]);
        assert_eq!(second.into_iter().collect::<Vec<_>>(), [violation("stuck")]);
    }
}

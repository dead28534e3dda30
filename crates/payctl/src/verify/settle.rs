//! Looking again until what is under way has arrived.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::{Instant, sleep};

use super::{Allowed, Evidence, Limits, Progress, Report, Rule, Sources, Violation, Window, judge, look};

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

/// Looks until nothing is wrong, or until `time` is over. What was wrong in every look is a violation: the same rule about the same
/// thing, in the words of the last look, because what is wrong may move. A system at work always has something on its way, and each
/// look finds something else there. A backlog and the sums of an account are never at rest while there is traffic; they count when
/// they stand still, in the same words, and whatever is missing in them shows by its own number besides.
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
    let Some(before) = before else { return now };
    let known: BTreeSet<(Rule, &str)> = before.iter().map(|wrong| (wrong.rule, wrong.about.as_str())).collect();
    let stays = |wrong: &&Violation| match wrong.rule {
        Rule::Backlog | Rule::Conservation => before.contains(*wrong),
        rule => known.contains(&(rule, wrong.about.as_str())),
    };
    now.iter().filter(stays).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(rule: Rule, about: &str, sentence: &str) -> Violation {
        Violation { rule, about: about.to_owned(), sentence: sentence.to_owned() }
    }

    #[test]
    fn what_is_wrong_about_the_same_thing_in_every_look_stays_however_it_moves() {
        let stuck = |sends| violation(Rule::Unknown, "stuck", &format!("sent {sends} times"));
        let passing = |about| violation(Rule::Outbox, about, "it waits");
        let first = still_wrong(None, vec![stuck(1), passing("a")]);
        let second = still_wrong(Some(first), vec![stuck(2), passing("b")]);
        assert_eq!(second.into_iter().collect::<Vec<_>>(), [stuck(2)]);
    }

    #[test]
    fn a_backlog_that_moves_is_traffic_and_one_that_stands_still_is_not() {
        let backlog = |count| violation(Rule::Backlog, "order-svc-pay", &format!("{count} facts wait"));
        let moves = still_wrong(Some(still_wrong(None, vec![backlog(1)])), vec![backlog(2)]);
        assert!(moves.is_empty());
        let stands = still_wrong(Some(still_wrong(None, vec![backlog(1)])), vec![backlog(1)]);
        assert_eq!(stands.len(), 1);
    }
}

//! What `/metrics` shows, and the alerts that are made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, ToSpan as _};
use proto::event::repair_answered::Outcome;
use proto::reconcile::v1::run::State;

use crate::bill::{self, MERCHANT, Payment};
use crate::gateway::Bill;
use crate::harness::World;

const RULES: &str = "../deploy/alerts/reconcile-svc.yml";

/// Words of the query language that stand in the rules; all others are metrics.
const WORDS: [&str; 6] = ["and", "or", "on", "hour", "by", "absent"];

/// Every sample by its name with labels.
fn samples(text: &str) -> BTreeMap<&str, i64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .collect()
}

/// The metrics of an expression: its names, without labels, strings and numbers.
fn named(expression: &str) -> BTreeSet<&str> {
    let outside = expression.split('{').filter_map(|part| part.rsplit('}').next());
    let words = outside.flat_map(|part| part.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_'));
    let names = words.filter(|word| word.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    names.filter(|word| !WORDS.contains(word)).collect()
}

fn expressions(rules: &str) -> Vec<&str> {
    rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect()
}

#[test]
fn the_metrics_of_an_expression_are_found() {
    let found = named("open_fen{code=~\"P5|R2\"} > 1 or b_total > 86400 and on () (hour() >= 4)");
    assert_eq!(found, BTreeSet::from(["b_total", "open_fen"]));
}

impl World {
    /// Waits until all of these samples are in their ranges.
    async fn shows(&self, expected: &[(&str, std::ops::RangeInclusive<i64>)]) {
        self.until(&format!("{expected:?}"), async || {
            let text = self.metrics().await;
            let samples = samples(&text);
            let is = |(name, range): &(&str, std::ops::RangeInclusive<i64>)| {
                samples.get(name).is_some_and(|value| range.contains(value))
            };
            expected.iter().all(is).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_refused_missing_or_unanswered_is_shown_until_it_is_not() {
    let world = World::start().await;
    // Noon, so that no midnight passes during the test.
    let noon = wechat_pay::time::day_start(world.day().saturating_add(3.days())).expect("within the calendar")
        + SignedDuration::from_hours(12);
    world.hand.advance(Duration::try_from(noon.duration_since(world.clock.now())).expect("it lies ahead"));
    let day = world.day();
    let (before, yesterday) = (day.saturating_sub(1.day()), day.saturating_add(1.day()));
    let (unknown, pending) = (Payment::on(day, 100), Payment::on(day, 50));
    world.publish(&[pending.issued()]).await;
    world.gateway.set_bill(MERCHANT, day, bill::of(&[&unknown, &pending]));
    world.gateway.set_bill(MERCHANT, before, Bill::Whole(b"<html>busy</html>".to_vec()));
    assert_eq!(world.run(before).await.state(), State::BillInvalid);
    world.run(day).await;
    let question = world.question(1).await;
    let asked = "UPDATE repairs SET ask_time = ask_time - interval '1 h'";
    sqlx::query(asked).execute(&world.pool).await.expect("an update");
    world.hand.advance(Duration::from_hours(1));

    let hour = 3600..=4000;
    world
        .shows(&[
            ("open_discrepancies{code=\"P3\"}", 1..=1),
            ("open_discrepancies{code=\"P1\"}", 1..=1),
            ("open_discrepancies{code=\"F4\"}", 0..=0),
            ("open_discrepancies_fen{code=\"P3\"}", 100..=100),
            ("open_discrepancies_fen{code=\"P1\"}", 50..=50),
            ("open_critical_discrepancies{code=\"P3\"}", 1..=1),
            ("open_critical_discrepancies{code=\"P1\"}", 0..=0),
            ("open_discrepancies_oldest_seconds{code=\"P3\"}", hour.clone()),
            ("since_completed_run_seconds{merchant=\"acme-mini\"}", hour.clone()),
            ("yesterday_uncompared{merchant=\"acme-mini\"}", 1..=1),
            ("yesterday_uncompared{merchant=\"other\"}", 1..=1),
            ("control_failed_days{merchant=\"acme-mini\"}", 1..=1),
            ("control_failed_days{merchant=\"other\"}", 0..=0),
            ("reconcile_runs_total{merchant=\"acme-mini\",outcome=\"BILL_INVALID\"}", 1..=1),
            ("unanswered_repairs_oldest_seconds", hour),
        ])
        .await;

    // Now that everything is shown, every alert is about something that is.
    let rules = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(RULES)).expect("the rules");
    let expressions = expressions(&rules);
    assert_eq!(expressions.len(), rules.matches("- alert: ").count(), "each alert has its expression on one line");
    assert!(6 <= expressions.len(), "{expressions:?}");
    let text = world.metrics().await;
    let shown: BTreeSet<&str> = samples(&text).into_keys().filter_map(|sample| sample.split('{').next()).collect();
    for expression in expressions {
        let named = named(expression);
        assert!(!named.is_empty() && named.is_subset(&shown), "{expression}: not all of {named:?} are shown");
    }

    world.answer(&question, Outcome::NotApplicable, "another amount").await;
    world.gateway.set_bill(MERCHANT, before, bill::of(&[]));
    world.run(before).await;
    world.gateway.set_bill(MERCHANT, day, bill::of(&[]));
    world.run(day).await;
    world.run(yesterday).await;
    world
        .shows(&[
            ("open_discrepancies{code=\"P3\"}", 0..=0),
            ("open_discrepancies_fen{code=\"P3\"}", 0..=0),
            ("open_critical_discrepancies{code=\"P3\"}", 0..=0),
            ("open_discrepancies_oldest_seconds{code=\"P3\"}", 0..=0),
            ("since_completed_run_seconds{merchant=\"acme-mini\"}", 0..=600),
            ("yesterday_uncompared{merchant=\"acme-mini\"}", 0..=0),
            ("yesterday_uncompared{merchant=\"other\"}", 1..=1),
            ("control_failed_days{merchant=\"acme-mini\"}", 0..=0),
            ("unanswered_repairs_oldest_seconds", 0..=0),
        ])
        .await;
    world.end().await;
}

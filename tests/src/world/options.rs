use std::collections::BTreeSet;

use super::{Link, Part};
use crate::postgres::Size;

/// How a world differs from the usual one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Options {
    /// Whether reconcile-svc takes part. Most stories do not need it.
    pub reconcile: bool,
    /// Whether reconcile-svc works by itself at 10:00 Beijing time. Stories that look at versions of a run say when.
    pub reconcile_by_itself: bool,
    /// When order-svc asks about a payment that no callback has told about. A story in which only callbacks count must not
    /// be overtaken by a question on a slow machine, so it is far away unless the story says otherwise; the first question
    /// of the real schedule comes after five seconds.
    pub ask_schedule: String,
    /// How old an attempt must be before it can be closed, in seconds.
    pub close_min_age_s: u64,
    /// How much Postgres is made for.
    pub database: Size,
    /// More settings: part, variable, value. The last one of a variable counts.
    pub settings: Vec<(Part, String, String)>,
    /// The links that lead through a proxy, where things can go wrong.
    pub links: BTreeSet<Link>,
    /// How many dead letters the checker must find in the end.
    pub dead_letters: usize,
    /// Whether money may be left in the end that WeChat has and no order of ours knows about.
    pub unsettled_ok: bool,
    /// Whether the provider must have answered about every attempt and refund in the end. Most stories have nobody who asks,
    /// because their schedule is far away.
    pub all_known: bool,
}

impl Options {
    /// The schedule that order-svc has by itself.
    pub const REAL_SCHEDULE: &'static str = "5s,10s,15s,30s,1m,2m,5m,10m,20m,30m";

    /// Adds a setting of one part.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "values are mostly literals")]
    pub fn setting(mut self, part: Part, variable: &str, value: impl ToString) -> Self {
        self.settings.push((part, variable.to_owned(), value.to_string()));
        self
    }

    /// With a proxy on this link, [`World::link`](super::World::link).
    #[must_use]
    pub fn through(mut self, link: Link) -> Self {
        self.links.insert(link);
        self
    }

    /// With reconcile-svc.
    #[must_use]
    pub fn with_reconcile(mut self) -> Self {
        self.reconcile = true;
        self
    }

    /// With a database as a person would set it up.
    #[must_use]
    pub fn usual_database(mut self) -> Self {
        self.database = Size::Usual;
        self
    }

    /// Asking on this schedule, such as [`Options::REAL_SCHEDULE`].
    #[must_use]
    pub fn asking(mut self, schedule: &str) -> Self {
        schedule.clone_into(&mut self.ask_schedule);
        self
    }

    /// With so many dead letters in the end.
    #[must_use]
    pub fn dead_letters(mut self, expected: usize) -> Self {
        self.dead_letters = expected;
        self
    }

    /// With money in the end that no order of ours knows about.
    #[must_use]
    pub fn unsettled(mut self) -> Self {
        self.unsettled_ok = true;
        self
    }

    /// With an answer about every attempt and refund in the end.
    #[must_use]
    pub fn all_known(mut self) -> Self {
        self.all_known = true;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            reconcile: false,
            reconcile_by_itself: false,
            ask_schedule: "10m".to_owned(),
            close_min_age_s: 300,
            database: Size::Small,
            settings: Vec::new(),
            links: BTreeSet::new(),
            dead_letters: 0,
            unsettled_ok: false,
            all_known: false,
        }
    }
}

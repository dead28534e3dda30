//! A mixed run: customers trade, everything breaks, and in the end no fen is missing.
//!
//! [`Run`] says what is to happen. The [`Schedule`] of faults and what each customer does are drawn from one seed; how processes
//! interleave is the machine's business, so a seed names a run and does not repeat it step by step. In reading order: [`Kind`]
//! is everything that can go wrong, `conductor` brings it about and looks whether it has struck, `load` and `customer` trade,
//! `aftermath` waits for quiet and looks at everything, [`Report`] is the verdict.
//!
//! A fault that was not observed fails the run: it would prove nothing.

mod aftermath;
mod caller;
mod conductor;
mod customer;
mod kind;
mod load;
mod process;
mod report;
mod schedule;
mod tally;
mod timeline;

pub use kind::Kind;
pub use report::Report;
pub use schedule::{Phase, Schedule};

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use conductor::Conductor;
use load::Load;
use timeline::Timeline;

use crate::{
    Link, Options, Part, World,
    world::{Place, Plan, new_folder},
};

/// Promises beside those of the checker.
const OWN_PROMISES: [&str; 3] = ["equal_answers", "reuse_refused", "no_mistakes"];

/// How long WeChat waits for an answer to a callback; the stories are more patient.
const CALLBACK_TIME_MS: u64 = 5_000;
/// What notify-svc has for one callback, and for the bus in it: less than WeChat waits.
const NOTICE_TIMES_MS: [u64; 2] = [4_500, 3_500];

/// What is to happen.
#[derive(Clone, Debug)]
pub struct Run {
    /// Everything random comes from it.
    pub seed: u64,
    /// How long faults go on.
    pub time: Duration,
    /// What must strike.
    pub kinds: Vec<Kind>,
    /// Statements that change the books after the end, each one row, so that the checker must fail.
    pub tampering: &'static [&'static str],
}

impl Run {
    /// With every kind of fault.
    pub fn full(seed: u64, time: Duration) -> Self {
        Self { seed, time, kinds: Kind::all(), tampering: &[] }
    }

    /// With as many kinds as less than a minute has room for.
    pub fn short(seed: u64, time: Duration) -> Self {
        Self { seed, time, kinds: Kind::few(&mut fastrand::Rng::with_seed(seed)), tampering: &[] }
    }

    /// Lets it happen in a world of its own, and prints what is seen. The folder stays when something failed.
    ///
    /// # Panics
    /// When there is no place for a world.
    pub fn go(self) -> Report {
        let _place = Place::take();
        let folder = new_folder();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime can be started");
        let mut report =
            Report { seed: self.seed, folder: folder.clone(), passed: Vec::new(), failed: BTreeMap::new() };
        let gone = catch_unwind(AssertUnwindSafe(|| runtime.block_on(self.run(&mut report))));
        let went_wrong = match gone {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                Some(text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default())
            }
        };
        report.judge("the run came to its end", went_wrong.into_iter().collect());
        report.tell(&Timeline::begin(timeline_file(&folder)));
        if report.is_clean() {
            // It is ours; a folder that stays is no failure.
            let _ = std::fs::remove_dir_all(&folder);
        }
        report
    }

    async fn run(self, report: &mut Report) -> anyhow::Result<()> {
        let mut rng = fastrand::Rng::with_seed(self.seed);
        let schedule = Schedule::draw(&self.kinds, self.time, &mut rng);
        let timeline = Timeline::begin(timeline_file(&report.folder));
        timeline.say(format_args!(
            "seed {}: {} kinds of faults in {} phases of {} s",
            self.seed,
            self.kinds.len(),
            schedule.phases.len(),
            schedule.each.as_secs()
        ));
        let mut world = World::begin(Plan::temporary(&report.folder, options())).await;
        timeline.tell("the world has begun");
        let load = Load::begin(&world, self.seed);
        let counting = Arc::clone(&load.trade);
        let counted = |kind: &Kind| match kind {
            Kind::Settled(state) => Some(counting.tally.counted(state.as_str())),
            _ => None,
        };
        let mut conductor = Conductor::new(&mut world, &timeline, &self.kinds, rng.fork());
        conductor.lead(&schedule, counted).await;
        let (faults, unasked) = (conductor.faults, conductor.unasked);
        let trade = load.end().await;
        timeline.tell("the load has ended");

        let mut end = aftermath::settle(&world, &trade, &timeline).await?;
        match end.quiet_after {
            Some(time) => timeline.tell(format_args!("quiet {time:.1?} after the load has ended")),
            None => timeline.tell("it does not become quiet"),
        }
        let (asked, differ) = aftermath::ask_again(&trade, &mut rng).await;
        timeline.tell(format_args!("{asked} answered requests were made once more"));
        if !self.tampering.is_empty() {
            aftermath::tamper(&world, self.tampering).await?;
            (end.evidence, end.violations) = aftermath::see(&world).await?;
        }

        report::counts(&timeline, &trade.tally, &faults, &end);
        report.judge_rules(&end.evidence, &end.violations);
        for promise in OWN_PROMISES {
            let mut wrong = trade.tally.wrongs(promise);
            if promise == "equal_answers" {
                wrong.extend(differ.iter().cloned());
            }
            report.judge(promise, wrong);
        }
        report.judge("answers_and_end", aftermath::contradictions(&trade, &end.evidence));
        report.judge("nobody_ends_unasked", unasked);
        let noisy = end.quiet_after.is_none().then(|| format!("not within {} s", aftermath::QUIET_WITHIN.as_secs()));
        report.judge("quiet", noisy.into_iter().collect());
        report.judge_faults(&faults);
        world.end();
        timeline.tell("the world has ended");
        Ok(())
    }
}

fn options() -> Options {
    let mut options = Options::default().with_reconcile().asking(Options::REAL_SCHEDULE).all_known();
    for link in Link::ALL {
        options = options.through(link);
    }
    let [request, publish] = NOTICE_TIMES_MS;
    options
        .setting(Part::Sandbox, "SANDBOX_CALLBACK_TIMEOUT_MS", CALLBACK_TIME_MS)
        .setting(Part::NotifySvc, "REQUEST_TIME_MS", request)
        .setting(Part::NotifySvc, "PUBLISH_TIME_MS", publish)
}

fn timeline_file(folder: &Path) -> PathBuf {
    folder.join("timeline.txt")
}

//! One world: everything that takes part in a payment, started together and ended together.

mod addresses;
mod again;
mod link;
mod metrics;
mod options;
mod part;
mod plan;
mod second;
mod start;
mod story;
mod time;

pub use addresses::Addresses;
pub use link::{Link, Links};
pub use options::Options;
pub use part::Part;
pub use plan::Plan;
pub use second::Second;
pub(crate) use start::client;
pub use story::story;
pub(crate) use story::{Place, new_folder};

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    disk::Disk,
    eventually,
    nats::Nats,
    postgres::Postgres,
    process::{Process, Signal},
    proxy::Proxy,
    sandbox_client::SandboxClient,
    streams::{Fact, Streams},
};

/// A world that runs. Dropping it ends every process of it: our own first, so that they do not complain about the others,
/// which is the order of the fields.
#[derive(Debug)]
pub struct World {
    plan: Plan,
    /// Our own processes that run, or have ended without being asked to. Behind a lock, so that one can die and come back
    /// while others look at the world.
    running: Mutex<BTreeMap<Part, Process>>,
    /// Those of them that stand still.
    paused: BTreeSet<Part>,
    /// WeChat: its ledger, its faults, its clock.
    pub sandbox: SandboxClient,
    /// The databases.
    pub postgres: Postgres,
    /// The bus.
    pub nats: Nats,
    /// Disks that servers write to.
    disks: Vec<Disk>,
}

impl World {
    /// Asks a part to end (SIGTERM) and waits until it has drained.
    ///
    /// # Panics
    /// When it does not run, does not end in time, or ends with an error.
    pub fn stop(&mut self, part: Part) {
        match part {
            Part::Postgres => self.postgres.stop(),
            Part::Nats => self.nats.stop(),
            _ => {
                let mut process = self.take(part);
                let status = process.end(Signal::Terminate);
                assert!(status.success(), "{part} ended with {status}; its log is {}", process.log().display());
            }
        }
    }

    /// Ends a part as a crash would (SIGKILL).
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self, part: Part) {
        match part {
            Part::Postgres => self.postgres.kill(),
            Part::Nats => self.nats.kill(),
            _ => drop(self.take(part).end(Signal::Kill)),
        }
    }

    /// Lets a part stand still (SIGSTOP), as a machine that swaps or a debugger would.
    ///
    /// # Panics
    /// When it does not run. Postgres is many processes and cannot be paused.
    pub fn pause(&mut self, part: Part) {
        self.signal(part, Signal::Stop);
        self.paused.insert(part);
    }

    /// Lets a paused part go on.
    ///
    /// # Panics
    /// As [`World::pause`].
    pub fn go_on(&mut self, part: Part) {
        self.signal(part, Signal::Continue);
        self.paused.remove(&part);
    }

    /// Whether a part runs and does not stand still.
    pub fn runs(&mut self, part: Part) -> bool {
        let runs = match part {
            Part::Postgres => self.postgres.runs(),
            Part::Nats => self.nats.runs(),
            _ => self.running().get_mut(&part).is_some_and(Process::runs),
        };
        runs && !self.paused.contains(&part)
    }

    /// The process id of a part of ours.
    ///
    /// # Panics
    /// When it does not run.
    pub fn pid(&self, part: Part) -> u32 {
        self.running().get(&part).unwrap_or_else(|| panic!("{part} does not run")).id()
    }

    /// What is on the bus under `subjects`, which may have wildcards, oldest first: `pay.v1.payment.paid.>`.
    pub async fn facts(&self, subjects: &str) -> Vec<Fact> {
        self.streams().await.facts(subjects).await
    }

    /// Waits until there are exactly so many facts under `subjects`, and returns them.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn tells(&self, subjects: &str, count: usize) -> Vec<Fact> {
        let streams = self.streams().await;
        eventually(&format!("{count} facts under {subjects}"), async || {
            let facts = streams.facts(subjects).await;
            if facts.len() == count { Ok(facts) } else { Err(format!("{} facts", facts.len())) }
        })
        .await
    }

    /// The bus.
    pub async fn streams(&self) -> Streams {
        Streams::connect(self.nats.url()).await
    }

    /// The proxy on a link, for letting things go wrong there.
    ///
    /// # Panics
    /// When the link is direct: [`Options::through`] says which ones are not.
    pub fn link(&self, link: Link) -> &Proxy {
        self.plan.links.get(link).unwrap_or_else(|| panic!("{link:?} is direct"))
    }

    /// Keeps a disk until every process has ended.
    pub fn keep(&mut self, disk: Disk) {
        self.disks.push(disk);
    }

    /// The settings that this world was started with.
    pub fn options(&self) -> &Options {
        &self.plan.options
    }

    /// For what a story only knows while it happens, such as how many dead letters there must be in the end.
    pub fn options_mut(&mut self) -> &mut Options {
        &mut self.plan.options
    }

    /// Where everybody listens.
    pub fn addresses(&self) -> &Addresses {
        &self.plan.addresses
    }

    /// Where logs, settings and data are. The merchant files are a private copy in `merchants/`.
    pub fn folder(&self) -> &Path {
        &self.plan.folder
    }

    /// What a part has printed so far.
    pub fn log(&self, part: Part) -> String {
        let log = std::fs::read(self.plan.log(part)).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    fn take(&mut self, part: Part) -> Process {
        self.paused.remove(&part);
        self.running().remove(&part).unwrap_or_else(|| panic!("{part} does not run"))
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<Part, Process>> {
        // A map stays whole whatever panics beside it.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, part: Part, signal: Signal) {
        match part {
            Part::Postgres => panic!("Postgres is many processes; only one of them would hear {signal:?}"),
            Part::Nats => self.nats.signal(signal),
            _ => self.running().get(&part).unwrap_or_else(|| panic!("{part} does not run")).signal(signal),
        }
    }
}

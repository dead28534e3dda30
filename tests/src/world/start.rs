//! Starting: everything at once as far as it goes, because a suite of stories starts many worlds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{Links, Part, Plan, World};
use crate::{
    eventually,
    nats::Nats,
    postgres::Postgres,
    process::{Process, Signal, last_lines},
    sandbox_client::SandboxClient,
};

/// Longest wait for one answer of our own.
const ANSWER_TIME: Duration = Duration::from_secs(10);

impl World {
    /// Starts everything of a plan, and returns when all of it is ready.
    ///
    /// # Panics
    /// When something does not start; what was started ends again.
    pub async fn begin(mut plan: Plan) -> Self {
        fs::create_dir_all(&plan.folder).expect("the world's folder can be made");
        plan.copy_files();
        plan.links = Links::open(&plan.options.links, &plan.addresses).await;
        let at = &plan.addresses;
        let postgres_log = plan.log(Part::Postgres);
        // What reads clock or bus at its start comes after them, so that nobody waits for a second try.
        let (postgres, nats, (sandbox, gateway)) = tokio::join!(
            Postgres::start(plan.options.database, &plan.postgres_data, &postgres_log, &at.postgres, plan.keep),
            Nats::start(&plan.folder, &at.nats, &at.nats_monitor),
            async {
                let sandbox = plan.launch(Part::Sandbox).await;
                (sandbox, plan.launch(Part::PayGateway).await)
            },
        );
        let (notify, order, reconcile) =
            tokio::join!(plan.launch(Part::NotifySvc), plan.launch(Part::OrderSvc), async {
                if plan.options.reconcile { Some(plan.launch(Part::ReconcileSvc).await) } else { None }
            });
        let mut running = BTreeMap::from([
            (Part::Sandbox, sandbox),
            (Part::PayGateway, gateway),
            (Part::NotifySvc, notify),
            (Part::OrderSvc, order),
        ]);
        running.extend(reconcile.map(|process| (Part::ReconcileSvc, process)));
        let sandbox = SandboxClient::new(at.sandbox.url());
        Self { plan, running: Mutex::new(running), paused: BTreeSet::new(), sandbox, postgres, nats, disks: Vec::new() }
    }

    /// Starts a part that does not run, and returns when it is ready.
    ///
    /// # Panics
    /// When it runs already or does not start.
    pub async fn start(&mut self, part: Part) {
        assert!(!self.runs(part) && !self.paused.contains(&part), "{part} runs already");
        match part {
            Part::Postgres => self.postgres.again().await,
            Part::Nats => self.nats.again().await,
            _ => {
                let process = self.plan.launch(part).await;
                self.running().insert(part, process);
            }
        }
    }

    /// Starts a part of ours without waiting for it, because it cannot become ready yet.
    ///
    /// # Panics
    /// When it runs already, or is not ours.
    pub fn start_unready(&mut self, part: Part) {
        self.start_unready_with(part, &[]);
    }

    /// As [`World::start_unready`], this once with more in its environment.
    ///
    /// # Panics
    /// When it runs already, or is not ours.
    pub fn start_unready_with(&mut self, part: Part, environment: &[(&str, &str)]) {
        assert!(!self.runs(part) && !self.paused.contains(&part), "{part} runs already");
        let mut command = self.plan.command(part);
        command.envs(environment.iter().copied());
        let process = self.plan.spawn_as(part, command);
        self.running().insert(part, process);
    }

    /// Returns when a part of ours is ready.
    ///
    /// # Panics
    /// When it does not run or does not become ready.
    pub async fn ready(&mut self, part: Part) {
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner);
        let process = running.get_mut(&part).unwrap_or_else(|| panic!("{part} does not run"));
        self.plan.ready(part, process).await;
    }

    /// Ends everything politely: our programs in the direction of the flow, each with its drain, then the servers.
    ///
    /// # Panics
    /// When one of our programs does not end, or ends with an error.
    pub fn end(mut self) {
        for part in Part::OURS.into_iter().rev() {
            if self.paused.contains(&part) {
                self.go_on(part);
            }
            if self.runs(part) {
                self.stop(part);
            }
        }
    }

    /// Name and id of each process, in the order in which they depend on each other.
    ///
    /// # Panics
    /// When a part has ended.
    pub fn processes(&self) -> Vec<(String, u32)> {
        let servers = [self.postgres.process(), self.nats.process()].into_iter().flatten();
        servers.chain(self.running().values()).map(|process| (process.name().to_owned(), process.id())).collect()
    }

    /// Lets everything run on after us.
    ///
    /// # Panics
    /// When a part has ended.
    pub fn leave_running(self) {
        let Self { running, postgres, nats, .. } = self;
        let running = running.into_inner().unwrap_or_else(PoisonError::into_inner);
        running
            .into_values()
            .chain(postgres.into_process())
            .chain(nats.into_process())
            .for_each(Process::leave_running);
    }
}

impl Plan {
    /// Starts one of our programs, and returns when it is ready.
    async fn launch(&self, part: Part) -> Process {
        let mut process = self.spawn(part);
        self.ready(part, &mut process).await;
        process
    }

    fn spawn(&self, part: Part) -> Process {
        self.spawn_as(part, self.command(part))
    }

    pub(super) fn spawn_as(&self, part: Part, command: Command) -> Process {
        Process::start(part.program(), command, &self.log(part), Signal::Kill)
    }

    async fn ready(&self, part: Part, process: &mut Process) {
        let (client, url) = (client(), self.ready_url(part));
        eventually(&format!("{part} is ready"), async || {
            assert!(process.runs(), "{part} ended while it started:\n{}", last_lines(process.log(), 10));
            let answer = client.get(&url).send().await.map_err(|error| error.to_string())?;
            let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
            if status.is_success() { Ok(()) } else { Err(format!("{status} {text}")) }
        })
        .await;
    }
}

/// A client for plain HTTP on this machine.
pub(crate) fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(ANSWER_TIME);
    client.build().expect("a client without certificates")
}

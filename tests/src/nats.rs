//! A private nats-server with JetStream, flushing every message to disk before it acks, unless it is told otherwise.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    eventually,
    frozen::Frozen,
    ports::Port,
    process::{Process, Signal},
    programs,
};

/// When JetStream flushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Every message, before its ack: the only setting that our services accept.
    BeforeTheAck,
    /// Every two minutes, which is the server's default and loses acked messages in a power cut.
    NowAndThen,
}

/// A nats-server that runs, or has been stopped and may run again.
#[derive(Debug)]
pub struct Nats {
    config: PathBuf,
    log: PathBuf,
    url: String,
    monitor: String,
    process: Option<Process>,
}

impl Nats {
    /// Starts one in `folder` at these ports.
    ///
    /// # Panics
    /// When it does not become healthy.
    pub async fn start(folder: &Path, port: &Port, monitor: &Port) -> Self {
        Self::start_flushing(Flush::BeforeTheAck, folder, port, monitor).await
    }

    /// As [`Nats::start`], with this setting.
    ///
    /// # Panics
    /// When it does not become healthy.
    pub async fn start_flushing(flush: Flush, folder: &Path, port: &Port, monitor: &Port) -> Self {
        let config = folder.join("nats.conf");
        let text = format!(
            "server_name: tongbao\nlisten: \"{}\"\nhttp: \"{}\"\n\
             jetstream {{ store_dir: \"{}\", max_mem: 64MB, max_file: 1TB{} }}\n",
            port.address(),
            monitor.address(),
            folder.join("nats").display(),
            match flush {
                Flush::BeforeTheAck => ", sync_interval: always",
                Flush::NowAndThen => "",
            },
        );
        fs::write(&config, text).expect("the world's folder can be written");
        let log = folder.join("nats.log");
        let mut nats = Self { config, log, url: url(port), monitor: monitor.url(), process: None };
        nats.again().await;
        nats
    }

    /// Starts it again after [`Nats::stop`] or [`Nats::kill`].
    ///
    /// # Panics
    /// When it does not become healthy.
    pub async fn again(&mut self) {
        let mut command = Command::new(programs::nats_server());
        command.arg("-c").arg(&self.config);
        self.process = Some(Process::start("nats-server", command, &self.log, Signal::Kill));
        let health = format!("{}/healthz", self.monitor);
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(Duration::from_secs(2));
        let client = client.build().expect("a client without certificates");
        eventually("nats-server is healthy", async || {
            let runs = self.process.as_mut().is_some_and(Process::runs);
            assert!(runs, "nats-server ended; its log is {}", self.log.display());
            client.get(&health).send().await.and_then(reqwest::Response::error_for_status).map(drop)
        })
        .await;
    }

    /// Asks it to end.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end(Signal::Terminate);
        }
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end(Signal::Kill);
        }
    }

    /// Stands still, or goes on.
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.as_ref().expect("only what runs can be signalled").signal(signal);
    }

    /// Lets it stand still until it dies.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self) -> Frozen {
        Frozen::freeze(self.process.as_ref().expect("only what runs can be frozen"))
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::runs)
    }

    /// Its process, when it runs.
    pub(crate) fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// Hands its process over.
    pub(crate) fn into_process(mut self) -> Option<Process> {
        self.process.take()
    }

    /// `nats://…` for clients.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `http://…` of its monitor.
    pub fn monitor_url(&self) -> &str {
        &self.monitor
    }
}

/// `nats://…` of a port.
pub fn url(port: &Port) -> String {
    format!("nats://{}", port.address())
}

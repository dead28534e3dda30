//! A private nats-server on ports of its own choice.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use svc_kit::bus::{self, Bus, BusArgs};
use svc_kit::metrics::Metrics;
use tempfile::TempDir;

use crate::until;

/// A running server; it ends, by its own process id, when this is dropped.
pub(crate) struct Nats {
    child: Child,
    ports: Ports,
    _folder: TempDir,
}

/// What the server writes into its ports file.
#[derive(Debug, Deserialize)]
struct Ports {
    nats: Vec<String>,
    monitoring: Vec<String>,
}

impl Nats {
    /// A server that keeps our promises.
    pub(crate) async fn start() -> Self {
        Self::start_with("sync_interval: always").await
    }

    /// A server with other settings in its `jetstream` block. The store is declared large, so that the streams' limits fit
    /// on any disk.
    pub(crate) async fn start_with(jetstream: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ports_folder = folder.path().join("ports");
        std::fs::create_dir(&ports_folder).expect("a folder in it");
        let config = folder.path().join("nats.conf");
        let store = folder.path().join("store");
        let text = format!(
            "host: 127.0.0.1\nport: -1\nhttp: \"127.0.0.1:-1\"\n\
             jetstream {{ store_dir: \"{}\", max_file_store: 1TB, {jetstream} }}\n",
            store.display()
        );
        std::fs::write(&config, text).expect("the configuration is written");
        let program = std::env::var_os("TONGBAO_NATS_SERVER").unwrap_or_else(|| OsString::from("nats-server"));
        let mut child = Command::new(&program)
            .arg("--config")
            .arg(&config)
            .arg("--ports_file_dir")
            .arg(&ports_folder)
            .arg("--log")
            .arg(folder.path().join("nats.log"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "cannot start {}: {error}; these tests need nats-server 2.14 or newer on PATH, \
                     or its path in TONGBAO_NATS_SERVER",
                    program.display()
                )
            });
        let ports = until("nats-server has told its ports", || {
            let ended = child.try_wait().expect("the child can be asked");
            if let Some(status) = ended {
                let log = std::fs::read_to_string(folder.path().join("nats.log")).unwrap_or_default();
                panic!("nats-server ended with {status}: {log}");
            }
            let found = read_ports(&ports_folder);
            async move { found }
        })
        .await;
        Self { child, ports, _folder: folder }
    }

    pub(crate) fn args(&self) -> BusArgs {
        BusArgs {
            nats_url: self.ports.nats[0].clone().into(),
            nats_monitor_url: Some(self.ports.monitoring[0].parse().expect("a URL")),
            nats_replicas: 1,
        }
    }

    /// Connects, and creates what the table gives to order-svc.
    pub(crate) async fn bus(&self) -> (Bus, Metrics) {
        let metrics = Metrics::new();
        let bus = bus::connect(&self.args(), "order-svc", &metrics).await.expect("the server is there");
        bus::streams::ensure(&bus, "order-svc").await.expect("the streams are created");
        (bus, metrics)
    }

    /// Stops the server in its tracks: connections stay open, nothing is answered.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &command]).status().expect("there is a shell");
        assert!(status.success(), "{command}");
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file is written while we look, so half of it is nothing yet.
fn read_ports(folder: &Path) -> Option<Ports> {
    let file = std::fs::read_dir(folder).expect("the folder is there").next()?.expect("an entry");
    let ports: Ports = serde_json::from_slice(&std::fs::read(file.path()).ok()?).ok()?;
    (!ports.nats.is_empty() && !ports.monitoring.is_empty()).then_some(ports)
}

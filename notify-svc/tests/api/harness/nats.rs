use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::{text, until};

/// A nats-server with JetStream that flushes always, on free ports, in a folder of its own.
pub(crate) struct Nats {
    home: TempDir,
    server: Child,
    ports: Ports,
}

struct Ports {
    nats: SocketAddr,
    monitor: String,
}

/// A message of the stream.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) subject: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl Nats {
    pub(crate) async fn start() -> Nats {
        let home = tempfile::tempdir().expect("a folder for the nats-server");
        let folder = text(home.path());
        // The storage is promised to streams, not taken: a small disk must not make a difference.
        let config = format!(
            "listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\nports_file_dir: \"{folder}\"\n\
             jetstream {{ store_dir: \"{folder}/store\", sync_interval: always, max_file_store: 1TB }}\n"
        );
        std::fs::write(home.path().join("nats.conf"), config).expect("the folder is writable");
        let (server, ports) = run(home.path()).await;
        Nats { home, server, ports }
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.ports.nats
    }

    /// Where the monitor answers.
    pub(crate) fn monitor_url(&self) -> &str {
        &self.ports.monitor
    }

    /// Kills the server as a crash would.
    pub(crate) fn kill(&mut self) {
        self.server.kill().expect("the process is ours");
        self.server.wait().expect("the process is ours");
    }

    /// Starts it again on the same store; it gets new ports.
    pub(crate) async fn start_again(&mut self) {
        (self.server, self.ports) = run(self.home.path()).await;
    }

    /// Every message of the stream PAY, oldest first.
    pub(crate) async fn stored(&self) -> Vec<Stored> {
        let client = async_nats::connect(format!("nats://{}", self.ports.nats)).await.expect("the server answers");
        let mut stream =
            async_nats::jetstream::new(client).get_stream("PAY").await.expect("notify-svc created the stream");
        let state = stream.info().await.expect("the server answers").state.clone();
        let mut messages = Vec::new();
        // Sequences begin at 1; an empty stream says 0.
        for sequence in state.first_sequence.max(1)..=state.last_sequence {
            let message = stream.get_raw_message(sequence).await.expect("nothing is ever deleted");
            let headers = message
                .headers
                .iter()
                .filter_map(|(name, values)| Some((name.to_string(), values.first()?.to_string())));
            messages.push(Stored {
                subject: message.subject.to_string(),
                headers: headers.collect(),
                body: serde_json::from_slice(&message.payload).expect("bodies are JSON"),
            });
        }
        messages
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

async fn run(home: &Path) -> (Child, Ports) {
    let log = std::fs::File::create(home.join("nats.log")).expect("the folder is writable");
    let mut server = Command::new(program())
        .arg("-c")
        .arg(home.join("nats.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("nats-server starts");
    let id = server.id();
    let ports = until("nats-server listens", async || {
        if let Some(status) = server.try_wait().expect("the process is ours") {
            let said = std::fs::read_to_string(home.join("nats.log")).unwrap_or_default();
            panic!("nats-server ended with {status}; it must be 2.14 or newer: {said}");
        }
        let ports: Value = serde_json::from_slice(&std::fs::read(ports_file(home, id)?).ok()?).ok()?;
        let nats = ports["nats"][0].as_str()?.strip_prefix("nats://")?.parse().ok()?;
        let monitor = ports["monitoring"][0].as_str()?.to_owned();
        tokio::net::TcpStream::connect(nats).await.ok()?;
        Some(Ports { nats, monitor })
    })
    .await;
    (server, ports)
}

/// The file in which the server of this process id says its ports: `<program's own name>_<id>.ports`.
fn ports_file(home: &Path, id: u32) -> Option<PathBuf> {
    let end = format!("_{id}.ports");
    let mut files = std::fs::read_dir(home).ok()?.filter_map(|file| Some(file.ok()?.path()));
    files.find(|file| file.to_str().is_some_and(|name| name.ends_with(&end)))
}

/// `TONGBAO_NATS_SERVER`, else `nats-server` on PATH.
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("TONGBAO_NATS_SERVER") {
        return program.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("nats-server"))
        .find(|program| program.is_file())
        .expect("these tests need nats-server 2.14 or newer: put it on PATH, or name it in TONGBAO_NATS_SERVER")
}

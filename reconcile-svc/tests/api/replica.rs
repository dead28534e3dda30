//! A second reconcile-svc on the same database and bus: a process of its own, which can die.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use proto::reconcile::v1::reconcile_service_client::ReconcileServiceClient;
use tempfile::TempDir;
use tonic::transport::Channel;

use crate::harness::World;

/// A running process. Dropping it kills it.
pub(crate) struct Replica {
    process: Child,
    folder: TempDir,
}

impl Replica {
    /// Starts it with more in its environment; it may die before it is ready.
    pub(crate) fn start(world: &World, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = || File::options().create(true).append(true).open(folder.path().join("log")).expect("a log file");
        let process = Command::new(env!("CARGO_BIN_EXE_reconcile-svc"))
            .args(world.settings())
            .env("RUST_LOG", "info")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log())
            .stderr(log())
            .spawn()
            .expect("the service was built");
        Self { process, folder }
    }

    /// A client of it, as soon as it serves.
    pub(crate) async fn client(&self, world: &World) -> ReconcileServiceClient<Channel> {
        let told = "grpc listening on ";
        let address = world
            .until("the second process listens", async || {
                let log = self.log();
                let after = log.split_once(told)?.1;
                let end = after.find(|found: char| !(found.is_ascii_digit() || found == '.' || found == ':'))?;
                Some(after[..end].to_owned())
            })
            .await;
        ReconcileServiceClient::connect(format!("http://{address}")).await.expect("it answers")
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it is our child");
        self.process.wait().expect("it is our child");
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ends(mut self, world: &World) -> (ExitStatus, String) {
        let process = std::sync::Mutex::new(&mut self.process);
        let status = world
            .until("the second process ends", async || {
                process.lock().expect("nobody else has it").try_wait().expect("it is our child")
            })
            .await;
        (status, self.log())
    }

    fn log(&self) -> String {
        let file: PathBuf = self.folder.path().join("log");
        String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl World {
    /// What dead processes held is free: their leases are on the database's clock, which nobody moves.
    pub(crate) async fn leases_end(&self) {
        let ended = "UPDATE runs SET lease_until = now() WHERE now() < lease_until AND state = 'RUNNING'";
        sqlx::query(ended).execute(&self.pool).await.expect("an update");
    }
}

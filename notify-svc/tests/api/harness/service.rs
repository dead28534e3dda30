use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use super::{Gate, Nats, request, text, until};

/// notify-svc as a process on free ports.
pub(crate) struct Service {
    process: Child,
    log: Arc<Mutex<String>>,
    pub(crate) http: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Service {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(merchants: &Path, gate: &Gate, nats: &Nats, flags: &[&str]) -> Service {
        let nats_url = format!("nats://{}", gate.address);
        let settings =
            ["--merchants-dir", text(merchants), "--nats-url", &nats_url, "--nats-monitor-url", nats.monitor_url()];
        let mut process = command().args(settings).args(flags).spawn().expect("notify-svc starts");
        let log = collect(process.stderr.take().expect("stderr is piped"));
        let address = async |name: &str| {
            until("notify-svc listens", async || announced(&log.lock().expect("nobody panicked"), name)).await
        };
        let (http, admin) = (address("http").await, address("admin").await);
        let service = Service { process, log, http, admin };
        until("notify-svc is ready", async || service.is_ready().await.then_some(())).await;
        service
    }

    /// Runs it with settings that it must refuse; gives its exit status and what it said.
    pub(crate) fn refuse(flags: &[&str]) -> (ExitStatus, String) {
        let output = command().args(flags).output().expect("notify-svc runs");
        (output.status, String::from_utf8(output.stderr).expect("it says text"))
    }

    /// What `--help` prints.
    pub(crate) fn help() -> String {
        let output = command().arg("--help").stdout(Stdio::piped()).output().expect("notify-svc runs");
        String::from_utf8(output.stdout).expect("it prints text")
    }

    pub(crate) async fn is_ready(&self) -> bool {
        request(self.admin, "GET", "/readyz", b"").await.status == 200
    }

    /// Waits until it logged this.
    pub(crate) async fn logged(&self, words: &str) {
        until("it is logged", async || self.log().contains(words).then_some(())).await;
    }

    /// Everything it logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("nobody panicked").clone()
    }

    /// The value of one sample, such as `publish_waiting` or `callbacks_total{…}`; 0 before it was first counted.
    pub(crate) async fn metric(&self, sample: &str) -> u64 {
        let text = self.metrics().await;
        let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        // Sums are printed with a point even when they are whole.
        line.map_or(0, |value| {
            value.trim_end_matches(".0").parse().unwrap_or_else(|_| panic!("{sample} is not whole: {value}"))
        })
    }

    /// How many payment notices to the merchant of these tests ended this way.
    pub(crate) async fn ended(&self, outcome: &str) -> u64 {
        self.ended_of("payment", outcome).await
    }

    /// How many refund notices to the merchant of these tests ended this way.
    pub(crate) async fn refund_ended(&self, outcome: &str) -> u64 {
        self.ended_of("refund", outcome).await
    }

    /// How many scans of product codes of the merchant of these tests ended this way.
    pub(crate) async fn scans_ended(&self, outcome: &str) -> u64 {
        self.ended_of("native", outcome).await
    }

    async fn ended_of(&self, kind: &str, outcome: &str) -> u64 {
        let labels = format!("provider=\"wechat-v2\",merchant=\"acme-mini\",kind=\"{kind}\",outcome=\"{outcome}\"");
        self.metric(&format!("callbacks_total{{{labels}}}")).await
    }

    /// All metrics.
    pub(crate) async fn metrics(&self) -> String {
        request(self.admin, "GET", "/metrics", b"").await.body
    }

    /// Asks it to stop, as an orchestrator does.
    pub(crate) fn terminate(&self) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("every Unix has kill");
        assert!(sent.success());
    }

    /// Waits until it ended by itself.
    pub(crate) async fn ended_by_itself(&mut self) -> ExitStatus {
        let process = &mut self.process;
        until("notify-svc ends", async || process.try_wait().expect("the process is ours")).await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("notify-svc said:\n{}", self.log());
        }
    }
}

/// notify-svc with nothing from our environment, on free ports.
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_notify-svc"));
    command
        .env_clear()
        .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn collect(stderr: ChildStderr) -> Arc<Mutex<String>> {
    let log = Arc::new(Mutex::new(String::new()));
    let lines = Arc::clone(&log);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut log = lines.lock().expect("nobody panicked");
            log.push_str(&line);
            log.push('\n');
        }
    });
    log
}

/// Reads `<name> listening on <address>` out of a log of JSON lines.
fn announced(log: &str, name: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once(&format!("{name} listening on "))?;
    let end = rest.find(|character: char| !matches!(character, '0'..='9' | '.' | ':'))?;
    rest.get(..end)?.parse().ok()
}

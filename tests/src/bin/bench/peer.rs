//! What a team would write instead of us: a plain Node service, `tests/bench/peer`.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use e2e::{
    eventually,
    ports::Port,
    process::{Process, Signal},
    programs,
};

use crate::{
    notices::Says,
    orders::{AMOUNT_FEN, tidy},
    rounds::MANY,
    stage::Stage,
};

/// How long npm may take.
const INSTALL_TIME: Duration = Duration::from_mins(3);

/// How it is written, and run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a team writes it: a transaction per callback, one process.
    Plain,
    /// The transaction is one statement.
    OneStatement,
    /// A process for each core.
    AllCores,
}

/// The peer that runs.
pub(crate) struct Peer {
    process: Process,
    port: Port,
}

impl Peer {
    /// Installs and starts it. An error says what is missing.
    pub(crate) async fn start(stage: &Stage, form: Form) -> anyhow::Result<Self> {
        let folder = installed(stage).await?;
        let port = Port::reserve();
        let key = stage.world.folder().join(format!("merchants/{}.key", stage.merchant.name));
        let key = std::fs::read_to_string(&key).with_context(|| format!("cannot read {}", key.display()))?;
        let account = stage.merchant.wechat_v2().context("it is of API v2")?;
        let mut command = Command::new("node");
        command.arg("server.mjs").current_dir(folder).env("NODE_ENV", "production");
        command.env("PEER_PORT", port.number().to_string()).env("PEER_DATABASE_URL", stage.elsewhere_url());
        command.env("PEER_MCH_ID", &account.mch_id).env("PEER_APP_ID", &stage.template.app_id);
        command.env("PEER_API_KEY", key.trim());
        match form {
            Form::Plain => &mut command,
            Form::OneStatement => command.env("PEER_ONE_STATEMENT", "1"),
            Form::AllCores => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                command.env("PEER_WORKERS", cores.to_string())
            }
        };
        let log = stage.file("peer.log");
        let mut process = Process::start("peer", command, &log, Signal::Terminate);
        let address = port.address();
        eventually("the peer listens", async || {
            ensure!(process.runs(), "the peer ended: {}", e2e::process::last_lines(&log, 10));
            tokio::net::TcpStream::connect(&address).await.map(drop).context("nobody listens")
        })
        .await;
        Ok(Self { process, port })
    }

    /// Callbacks per second that it handles, each in a transaction of its own, and answers with success.
    pub(crate) async fn callbacks(&self, stage: &Stage, count: usize) -> anyhow::Result<u64> {
        let numbers: Vec<String> = (0..count).map(|_| uuid::Uuid::now_v7().simple().to_string()).collect();
        sqlx::query(
            "INSERT INTO peer_orders (out_trade_no, amount_fen, state)
             SELECT number, $2, 'PENDING' FROM unnest($1::text[]) AS number",
        )
        .bind(&numbers)
        .bind(AMOUNT_FEN)
        .execute(&stage.elsewhere)
        .await
        .context("orders of the peer")?;
        tidy(&stage.elsewhere, &["peer_orders", "peer_notices"]).await?;
        let bodies = stage.notices("peer-notices", Says::Paid, &numbers)?;
        let more = ["--expect", "SUCCESS", "--connections", MANY];
        let outcome = stage.post(&self.port.address(), "/notify", &bodies, &more).await?;
        ensure!(outcome.good == outcome.due, "the peer refused a genuine notice: {outcome:?}");
        let paid = "SELECT count(*) FROM peer_orders WHERE state = 'PAID' AND out_trade_no = ANY($1)";
        let paid: i64 =
            sqlx::query_scalar(paid).bind(&numbers).fetch_one(&stage.elsewhere).await.context("they are counted")?;
        ensure!(u64::try_from(paid)? == outcome.good, "the peer answered {} and paid {paid}", outcome.good);
        Ok(outcome.per_second())
    }

    pub(crate) fn end(mut self) {
        self.process.end(Signal::Terminate);
    }
}

/// The folder with its libraries, as its lock file has them.
async fn installed(stage: &Stage) -> anyhow::Result<PathBuf> {
    let folder = stage.folder.join("peer");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut same = folder.join("node_modules").is_dir();
    for file in ["package.json", "package-lock.json", "server.mjs"] {
        let (from, to) = (programs::workspace().join("tests/bench/peer").join(file), folder.join(file));
        let text = std::fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
        same &= std::fs::read(&to).is_ok_and(|found| found == text);
        std::fs::write(&to, text).with_context(|| format!("cannot write {}", to.display()))?;
    }
    if !same {
        let mut npm = tokio::process::Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder).kill_on_drop(true);
        npm.stdin(Stdio::null()).stdout(Stdio::null());
        let status = tokio::time::timeout(INSTALL_TIME, npm.status()).await.context("npm takes too long")?;
        ensure!(
            status.context("npm is missing: install Node.js 20 or newer")?.success(),
            "npm could not install the peer"
        );
    }
    Ok(folder)
}

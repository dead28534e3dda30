//! The world that is measured, and how it is loaded.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use e2e::{Options, Part, World, load::Outcome, postgres, programs, selling, world::Plan};
use merchants::{Merchant, Merchants};
use sqlx::PgPool;
use tokio::process::Command;

use crate::{Arguments, orders::Template};

/// reconcile-svc does not take part.
const ELSEWHERE: &str = "reconcile";

/// Longer than any run of the generator: the longest arrivals, and its own patience twice.
const LOAD_TIME: Duration = Duration::from_mins(3);

/// The account that everything is for. It signs with MD5, which the peer's library does, too.
pub(crate) const MERCHANT: &str = selling::OTHER_MERCHANT;

/// Everything that runs, and where results go.
pub(crate) struct Stage {
    pub(crate) arguments: Arguments,
    pub(crate) world: World,
    /// `target/bench`.
    pub(crate) folder: PathBuf,
    /// order-svc's database.
    pub(crate) orders: PgPool,
    /// A database on the same server that no service of ours looks at: in it the machine is measured, and the peer works.
    pub(crate) elsewhere: PgPool,
    pub(crate) merchant: std::sync::Arc<Merchant>,
    pub(crate) template: Template,
}

impl Stage {
    pub(crate) async fn set(arguments: &Arguments) -> anyhow::Result<Self> {
        let folder = programs::target_folder().join("bench");
        let place = folder.join("world");
        if place.exists() {
            fs::remove_dir_all(&place).with_context(|| format!("cannot empty {}", place.display()))?;
        }
        fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
        let mut options = Options::default().usual_database();
        for part in Part::OURS {
            // As where nobody looks at a terminal.
            options = options.setting(part, "LOG_FORMAT", "json");
        }
        let world = World::begin(Plan::temporary(&place, options)).await;
        let merchants = Merchants::load(world.folder().join("merchants"))?;
        let merchant = merchants.get(&MERCHANT.parse()?).context("the development merchant")?;
        let (orders, elsewhere) = (world.postgres.pool("orders"), world.postgres.pool(ELSEWHERE));
        age(&elsewhere).await?;
        let template = Template::make(&world, &orders).await?;
        Ok(Self { arguments: arguments.clone(), world, folder, orders, elsewhere, merchant, template })
    }

    /// Runs the load generator and reads what it tells.
    pub(crate) async fn load<I>(&self, arguments: I) -> anyhow::Result<Outcome>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let mut command = Command::new(programs::ours("load"));
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let output = tokio::time::timeout(LOAD_TIME, command.output()).await.context("the load generator hangs")?;
        let output = output.context("the load generator does not start")?;
        ensure!(output.status.success(), "the load generator failed: {}", output.status);
        serde_json::from_slice(&output.stdout).context("the load generator tells an outcome")
    }

    /// A file for one run.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.world.folder().join(name)
    }

    /// The address of that other database.
    pub(crate) fn elsewhere_url(&self) -> String {
        postgres::url(self.world.addresses().postgres.number(), ELSEWHERE)
    }

    /// Whether one of these rows is to be measured.
    pub(crate) fn wants(&self, rows: &[&str]) -> bool {
        self.arguments.only.as_ref().is_none_or(|only| rows.iter().any(|row| row.contains(only.as_str())))
    }

    /// Starts a part unless it runs.
    pub(crate) async fn running(&mut self, part: Part) {
        if !self.world.runs(part) {
            self.world.start(part).await;
        }
    }

    /// Stops a part if it runs.
    pub(crate) fn stopped(&mut self, part: Part) {
        if self.world.runs(part) {
            self.world.stop(part);
        }
    }

    /// Ends everything, and removes what only the world needed.
    pub(crate) fn clear(self) -> anyhow::Result<()> {
        let place = self.world.folder().to_owned();
        self.world.end();
        remove(&place)
    }
}

/// Makes of a new Postgres what it is after a day: its log reuses segments that are there, and all of its memory was used before. A
/// new one makes each segment, and is given each page of memory, while somebody waits; both cost more than many a statement.
async fn age(base: &PgPool) -> anyhow::Result<()> {
    let statements = [
        "CREATE UNLOGGED TABLE bench_age (id integer, note text)",
        "DO $$ BEGIN
            FOR segment IN 1..250 LOOP
                PERFORM pg_logical_emit_message(false, 'bench', 'a segment that is not empty'), pg_switch_wal();
            END LOOP;
         END $$",
        "INSERT INTO bench_age SELECT id, repeat('x', 1000) FROM generate_series(1, 600000) AS id",
        "DROP TABLE bench_age",
        "CHECKPOINT",
    ];
    for statement in statements {
        sqlx::raw_sql(statement).execute(base).await.context("Postgres ages")?;
    }
    Ok(())
}

fn remove(place: &Path) -> anyhow::Result<()> {
    fs::remove_dir_all(place).with_context(|| format!("cannot remove {}", place.display()))
}

use anyhow::Context as _;
use async_nats::jetstream;
use sandbox::control::Ledger;
use sqlx::PgPool;

/// The witnesses.
#[derive(Clone, Debug)]
pub struct Sources {
    /// order-svc's database.
    pub orders: PgPool,
    /// reconcile-svc's database.
    pub reconcile: Option<PgPool>,
    /// The streams.
    pub jetstream: jetstream::Context,
    /// The provider's own ledger, which only the sandbox shows.
    pub ledger: Option<LedgerSource>,
    /// Whether order-svc runs, so that what it has not done yet is still coming.
    pub order_svc_runs: bool,
    /// Whether reconcile-svc runs. Its books are not looked at when it does not.
    pub reconcile_svc_runs: bool,
}

/// The sandbox's control API.
#[derive(Clone, Debug)]
pub struct LedgerSource {
    /// With a limit on time.
    pub http: reqwest::Client,
    /// `http://host:port`.
    pub url: String,
}

impl LedgerSource {
    /// Everything that really happened. The sandbox holds all of it in memory, and so do we.
    pub(super) async fn read(&self) -> anyhow::Result<Ledger> {
        let url = format!("{}/_sandbox/ledger", self.url.trim_end_matches('/'));
        let answer = self.http.get(&url).send().await.and_then(reqwest::Response::error_for_status);
        let answer = answer.with_context(|| format!("the sandbox's ledger cannot be read at {url}"))?;
        answer.json().await.context("the sandbox's ledger is not one of this release")
    }
}

//! Pages for finance: the list of runs at `/`, one run at `/runs/{uuid}`. Rendered here, without scripts.

mod html;
mod list_page;
mod run_page;

pub use list_page::list_page;
pub use run_page::{OrderOf, RunReport, run_page};

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use uuid::Uuid;

use crate::runs::Reconciler;
use crate::store::listing::{self, DiscrepancyFilter, RunFilter};

/// Runs on the list page; older ones are told by `ListRuns`.
const RUNS_ON_THE_LIST: i64 = 200;

/// Differences on a run's page; the others are told by `ListDiscrepancies`.
const DIFFERENCES_ON_A_PAGE: i64 = 500;

/// Pages rendered at once.
const PAGES_AT_ONCE: usize = 8;

/// How long a page may take.
const PAGE_TIME: Duration = Duration::from_secs(10);

/// Serves the pages until `stop` fires, then finishes those that were asked for.
///
/// # Errors
/// When the server fails.
pub async fn serve(listener: TcpListener, reconciler: Reconciler, stop: CancellationToken) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/", get(list))
        .route("/runs/{id}", get(one))
        .fallback(async || page(StatusCode::NOT_FOUND, html::message("Not found · 没有这一页")))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PAGE_TIME))
        .layer(GlobalConcurrencyLimitLayer::new(PAGES_AT_ONCE))
        .with_state(reconciler);
    // A browser that keeps its connection open must not hold up the drain.
    tokio::select! {
        served = axum::serve(listener, router) => Ok(served?),
        () = stop.cancelled() => Ok(()),
    }
}

async fn list(State(reconciler): State<Reconciler>) -> Response {
    let runs =
        async { listing::runs(&mut *reconciler.pool.acquire().await?, &RunFilter::default(), RUNS_ON_THE_LIST).await };
    match runs.await {
        Ok(runs) => page(StatusCode::OK, list_page(&runs, reconciler.clock.now())),
        Err(error) => failed(&error),
    }
}

async fn one(State(reconciler): State<Reconciler>, Path(id): Path<String>) -> Response {
    let Ok(id) = Uuid::try_parse(&id) else {
        return page(StatusCode::NOT_FOUND, html::message("No such run · 没有这次对账"));
    };
    match report(&reconciler, id).await {
        Ok(Some(report)) => page(StatusCode::OK, run_page(&report, reconciler.clock.now())),
        Ok(None) => page(StatusCode::NOT_FOUND, html::message("No such run · 没有这次对账")),
        Err(error) => failed(&error),
    }
}

async fn report(reconciler: &Reconciler, id: Uuid) -> sqlx::Result<Option<RunReport>> {
    let mut conn = reconciler.pool.acquire().await?;
    let Some(run) = listing::run(&mut conn, id).await? else { return Ok(None) };
    let filter = DiscrepancyFilter { run_id: Some(id), ..DiscrepancyFilter::default() };
    let differences = listing::discrepancies(&mut conn, &filter, DIFFERENCES_ON_A_PAGE).await?;
    let numbers: Vec<String> = differences.iter().map(|found| found.out_trade_no.clone()).collect();
    let orders = listing::orders_of(&mut conn, &run.merchant, &numbers).await?;
    let day =
        RunFilter { merchant: Some(run.merchant.clone()), bill_date: Some(run.bill_date), ..RunFilter::default() };
    let versions = listing::runs(&mut conn, &day, RUNS_ON_THE_LIST).await?;
    Ok(Some(RunReport { run, differences, orders, versions }))
}

fn page(status: StatusCode, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        // Whatever text a bill or an order brings along, the browser runs none of it and fetches nothing.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body).into_response()
}

fn failed(error: &sqlx::Error) -> Response {
    tracing::error!(error = error as &dyn std::error::Error, "a report page failed");
    page(StatusCode::SERVICE_UNAVAILABLE, html::message("The database does not answer; try again · 请稍后再试"))
}

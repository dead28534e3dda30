//! Pages for finance: all merchants at `/`, one run at `/runs/{uuid}`, one difference at `/discrepancies/{uuid}`, two versions
//! at `/diff?from=…&to=…`, a run as a file at `/runs/{uuid}/export.{xlsx,csv,json}`. Rendered here, without scripts, in English
//! and Chinese, from the same messages that the API answers.
//!
//! In reading order: [`Language`] and [`View`] are the reader; `texts` is every word; `load` asks the API; a file for each page;
//! `frame` is around all of them.

mod diff_page;
mod differences;
mod discrepancy_page;
mod figures;
mod files;
mod filter;
mod frame;
mod language;
mod load;
mod marks;
mod run_page;
mod start_page;
mod texts;
mod view;

pub use diff_page::diff_page;
pub use differences::OrderOf;
pub use discrepancy_page::discrepancy_page;
pub use figures::yuan;
pub use filter::Filter;
pub use language::Language;
pub use run_page::{DayFigures, RunPage, run_page};
pub use start_page::{StartPage, start_page};
pub use view::View;

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use url::form_urlencoded;
use uuid::Uuid;

use crate::api::Api;
use crate::runs::Reconciler;
use files::Files;
use load::Source;
use texts::Text;

/// Pages rendered at once.
const PAGES_AT_ONCE: usize = 8;

/// How long a page may take.
const PAGE_TIME: Duration = Duration::from_secs(10);

/// Longest query that is read; ours are far shorter.
const MAX_QUERY_BYTES: usize = 2048;

/// What every page is made by.
#[derive(Clone, Debug)]
struct Pages {
    source: Source,
    files: Files,
}

/// Serves the pages until `stop` fires, then finishes those that were asked for.
///
/// # Errors
/// When the server fails.
pub async fn serve(listener: TcpListener, reconciler: Reconciler, stop: CancellationToken) -> anyhow::Result<()> {
    let api = Api::new(reconciler.clone());
    let pages = Pages { source: Source { api: api.clone(), reconciler }, files: Files::new(api) };
    let router = Router::new()
        .route("/", get(start))
        .route("/runs/{id}", get(run))
        .route("/runs/{id}/{file}", get(export))
        .route("/discrepancies/{id}", get(discrepancy))
        .route("/diff", get(diff))
        .fallback(async |State(pages): State<Pages>, uri: Uri, headers: HeaderMap| {
            missing(&pages.view(&uri, &headers), Text::NoSuchPage)
        })
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PAGE_TIME))
        .layer(GlobalConcurrencyLimitLayer::new(PAGES_AT_ONCE))
        .with_state(pages);
    // A browser that keeps its connection open must not hold up the drain.
    tokio::select! {
        served = axum::serve(listener, router) => Ok(served?),
        () = stop.cancelled() => Ok(()),
    }
}

impl Pages {
    /// Who asks for what.
    fn view(&self, uri: &Uri, headers: &HeaderMap) -> View {
        let accept = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let query = uri.query().filter(|query| query.len() <= MAX_QUERY_BYTES).unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        View::of(accept, self.source.reconciler.clock.now(), uri.path(), query)
    }
}

async fn start(State(pages): State<Pages>, uri: Uri, headers: HeaderMap) -> Response {
    let view = pages.view(&uri, &headers);
    answer(&view, pages.source.start(&view).await, start_page, Text::NoSuchPage)
}

async fn run(State(pages): State<Pages>, Path(id): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let view = pages.view(&uri, &headers);
    let Ok(id) = Uuid::try_parse(&id) else { return missing(&view, Text::NoSuchRun) };
    answer(&view, pages.source.run(id, &view).await, run_page, Text::NoSuchRun)
}

async fn export(
    State(pages): State<Pages>,
    Path((id, file)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let view = pages.view(&uri, &headers);
    let Ok(id) = Uuid::try_parse(&id) else { return missing(&view, Text::NoSuchRun) };
    let Some(format) = file.strip_prefix("export.").and_then(files::form) else {
        return missing(&view, Text::NoSuchPage);
    };
    pages.files.file(id, format).await.unwrap_or_else(|status| refused(&view, &status, Text::NoSuchRun))
}

async fn discrepancy(State(pages): State<Pages>, Path(id): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let view = pages.view(&uri, &headers);
    let Ok(id) = Uuid::try_parse(&id) else { return missing(&view, Text::NoSuchDifference) };
    answer(&view, pages.source.explanation(id).await, discrepancy_page, Text::NoSuchDifference)
}

async fn diff(State(pages): State<Pages>, uri: Uri, headers: HeaderMap) -> Response {
    let view = pages.view(&uri, &headers);
    answer(&view, pages.source.diff(&view).await, diff_page, Text::NoSuchRun)
}

fn answer<T>(view: &View, loaded: Result<T, Status>, render: fn(&T, &View) -> String, none: Text) -> Response {
    match loaded {
        Ok(loaded) => page(StatusCode::OK, render(&loaded, view)),
        Err(status) => refused(view, &status, none),
    }
}

/// Why there is no page, as the API put it. What is broken was logged where it broke.
fn refused(view: &View, status: &Status, none: Text) -> Response {
    let (code, text, detail) = match status.code() {
        Code::NotFound => (StatusCode::NOT_FOUND, none, ""),
        Code::InvalidArgument => (StatusCode::BAD_REQUEST, Text::NotAsked, status.message()),
        Code::FailedPrecondition => (StatusCode::CONFLICT, Text::NotAsked, status.message()),
        Code::ResourceExhausted => (StatusCode::SERVICE_UNAVAILABLE, Text::Busy, ""),
        Code::Unimplemented => (StatusCode::NOT_IMPLEMENTED, Text::NotThere, status.message()),
        _ => (StatusCode::SERVICE_UNAVAILABLE, Text::TryAgain, ""),
    };
    page(code, frame::message(view, view.text(text), detail))
}

fn missing(view: &View, text: Text) -> Response {
    page(StatusCode::NOT_FOUND, frame::message(view, view.text(text), ""))
}

fn page(status: StatusCode, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        // Whatever text a bill or an order brings along, the browser runs none of it and fetches nothing.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "accept-language"),
    ];
    (status, headers, body).into_response()
}

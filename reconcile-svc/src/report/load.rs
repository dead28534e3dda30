//! What a page shows, asked of the API as any program asks: what finance reads and what programs are told cannot disagree.
//! Only what spans many days at once is read from the store (`store::overview`).

use std::collections::HashMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use money::Fen;
use proto::reconcile::v1::discrepancy::State as DiscrepancyState;
use proto::reconcile::v1::reconcile_service_server::ReconcileService as _;
use proto::reconcile::v1::run::State as RunState;
use proto::reconcile::v1::{
    DiffRunsRequest, DiffRunsResponse, ExplainDiscrepancyRequest, ExplainDiscrepancyResponse, GetRunRequest,
    ListDiscrepanciesRequest, ListDiscrepanciesResponse, ListRunsRequest,
};
use tonic::{Request, Status};
use uuid::Uuid;

use super::differences::OrderOf;
use super::filter::Filter;
use super::run_page::{DayFigures, RunPage};
use super::start_page::{DAYS, StartPage};
use super::view::View;
use crate::api::Api;
use crate::api::wire::run_state;
use crate::runs::Reconciler;
use crate::store::{listing, overview};

/// Merchants on the start page.
const MOST_MERCHANTS: usize = 100;

/// Differences that the start page asks a person to look at.
pub(super) const MOST_NEEDED: usize = 30;

/// Newest runs on the start page.
const NEWEST_RUNS: i32 = 20;

/// Versions of a day on a run's page; `ListRuns` tells the others.
const VERSIONS: i32 = 50;

/// What waits, on a run's page; the list below it has the others.
const MOST_WAITING: i32 = 20;

/// Where pages come from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) api: Api,
    pub(super) reconciler: Reconciler,
}

impl Source {
    /// The start page, beginning behind the merchant that the reader saw last.
    pub(super) async fn start(&self, view: &View) -> Result<StartPage, Status> {
        let today = wechat_pay::time::bill_date(view.now());
        let request = ListRunsRequest { page_size: NEWEST_RUNS, ..ListRunsRequest::default() };
        let newest = self.api.list_runs(Request::new(request)).await?.into_inner().runs;
        let mut page = self.overview(today, view.asked("after")).await.map_err(|error| failed(&error))?;
        page.newest = newest;
        Ok(page)
    }

    async fn overview(&self, today: Date, after: &str) -> sqlx::Result<StartPage> {
        let mut conn = self.reconciler.pool.acquire().await?;
        let mut merchants = overview::merchants(&mut conn, after, limit(MOST_MERCHANTS + 1)).await?;
        let more = MOST_MERCHANTS < merchants.len();
        merchants.truncate(MOST_MERCHANTS);
        let first = today.saturating_sub(i64::from(DAYS).days());
        let days = overview::days(&mut conn, None, first, today).await?;
        let open = overview::open(&mut conn, None).await?;
        let needed = overview::needed(&mut conn, limit(MOST_NEEDED)).await?;
        Ok(StartPage { today, merchants, more, days, open, needed, newest: Vec::new() })
    }

    /// One run, with what the reader's filter wants of it.
    pub(super) async fn run(&self, id: Uuid, view: &View) -> Result<RunPage, Status> {
        let run = self.api.get_run(Request::new(GetRunRequest { name: format!("runs/{id}") })).await?.into_inner();
        let compared = matches!(run.state(), RunState::Balanced | RunState::Waiting | RunState::Differences);
        let filter = Filter::of(view);
        let (mut found, mut waiting) = (ListDiscrepanciesResponse::default(), Vec::new());
        if compared {
            found = self.discrepancies(filter.request(&run.name)).await?;
            if 0 < run.waiting_count {
                let held = ListDiscrepanciesRequest {
                    run: run.name.clone(),
                    state: DiscrepancyState::Held.into(),
                    page_size: MOST_WAITING,
                    ..ListDiscrepanciesRequest::default()
                };
                waiting = self.discrepancies(held).await?.discrepancies;
            }
        }
        let day = ListRunsRequest {
            merchant: run.merchant.clone(),
            bill_date: run.bill_date.clone(),
            page_size: VERSIONS,
            ..ListRunsRequest::default()
        };
        let versions = self.api.list_runs(Request::new(day)).await?.into_inner().runs;
        let numbers: Vec<String> =
            found.discrepancies.iter().chain(&waiting).map(|found| found.out_trade_no.clone()).collect();
        let orders = self.orders(&run.merchant, &numbers).await.map_err(|error| failed(&error))?;
        let days = self.days(&run.merchant, &run.bill_date, view).await.map_err(|error| failed(&error))?;
        Ok(RunPage { run, found, filter, waiting, orders, versions, days })
    }

    async fn discrepancies(&self, request: ListDiscrepanciesRequest) -> Result<ListDiscrepanciesResponse, Status> {
        Ok(self.api.list_discrepancies(Request::new(request)).await?.into_inner())
    }

    async fn orders(&self, merchant: &str, numbers: &[String]) -> sqlx::Result<HashMap<String, OrderOf>> {
        if numbers.is_empty() {
            return Ok(HashMap::new());
        }
        listing::orders_of(&mut *self.reconciler.pool.acquire().await?, merchant, numbers).await
    }

    /// The last days of a merchant; of an older run, the days up to its own.
    async fn days(&self, merchant: &str, bill_date: &str, view: &View) -> sqlx::Result<Vec<DayFigures>> {
        let Ok(of_run) = bill_date.parse::<Date>() else { return Ok(Vec::new()) };
        let yesterday = wechat_pay::time::bill_date(view.now()).saturating_sub(1.day());
        let span = (i64::from(DAYS) - 1).days();
        let last = if of_run < yesterday.saturating_sub(span) { of_run } else { yesterday.max(of_run) };
        let first = last.saturating_sub(span);
        let mut conn = self.reconciler.pool.acquire().await?;
        let runs = overview::days(&mut conn, Some(merchant), first, last).await?;
        let open = overview::open(&mut conn, Some(merchant)).await?;
        let figures = (0..i64::from(DAYS)).map(|day| {
            let date = first.saturating_add(day.days());
            let of_day = |run: &&overview::DayRun| run.bill_date == date;
            let run = runs.iter().rfind(of_day);
            let open = open.iter().find(|open| open.bill_date == date);
            DayFigures {
                date,
                state: run.map_or(RunState::Unspecified, |run| run_state(run.state)),
                differences: run.map_or(0, |run| run.differences),
                open: open.map_or(0, |open| open.count),
                open_risk: open.map_or(Fen::ZERO, |open| open.risk),
            }
        });
        Ok(figures.collect())
    }

    /// Why a difference is open.
    pub(super) async fn explanation(&self, id: Uuid) -> Result<ExplainDiscrepancyResponse, Status> {
        let request = ExplainDiscrepancyRequest { name: format!("discrepancies/{id}") };
        Ok(self.api.explain_discrepancy(Request::new(request)).await?.into_inner())
    }

    /// What two versions do not share.
    pub(super) async fn diff(&self, view: &View) -> Result<DiffRunsResponse, Status> {
        let request = DiffRunsRequest { from: view.asked("from").to_owned(), to: view.asked("to").to_owned() };
        Ok(self.api.diff_runs(Request::new(request)).await?.into_inner())
    }
}

fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Logged here, once; the reader is told to try again.
fn failed(error: &sqlx::Error) -> Status {
    tracing::error!(error = error as &dyn std::error::Error, "a report page failed");
    Status::unavailable("the database does not answer")
}

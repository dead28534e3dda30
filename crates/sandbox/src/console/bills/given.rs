//! Bills that somebody gives, whole.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State},
    routing::put,
};
use bytes::Bytes;
use http::StatusCode;
use jiff::civil::Date;

use super::super::{Refused, bad, refunds::known};
use crate::{
    control::GivenBill,
    given_bills::{Given, Kind, NotGiven, Which},
    platform::Platform,
};

/// Largest body: ten million rows, gzipped, are smaller.
const MAX_BODY_BYTES: usize = 512 * 1024 * 1024;

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/_sandbox/merchants/{name}/bills/{day}/{kind}", put(give).delete(take_away))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

async fn give(
    State(platform): State<Arc<Platform>>,
    Path(path): Path<(String, String, String)>,
    body: Bytes,
) -> Result<Json<GivenBill>, Refused> {
    let which = which(&platform, &path)?;
    let packed = tokio::task::spawn_blocking(move || Given::of(body)).await;
    let given = packed.map_err(|error| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let given = given.map_err(|error| bad(error.to_string()))?;
    let answer = GivenBill { bytes: given.bytes, gzip_bytes: u64::try_from(given.gzip.len()).unwrap_or(u64::MAX) };
    let full = |error: NotGiven| Refused::new(StatusCode::CONFLICT, error.to_string());
    platform.given_bills().keep(which, given).map_err(full)?;
    Ok(Json(answer))
}

async fn take_away(
    State(platform): State<Arc<Platform>>,
    Path(path): Path<(String, String, String)>,
) -> Result<StatusCode, Refused> {
    let which = which(&platform, &path)?;
    let removed = platform.given_bills().remove(&which);
    removed
        .then_some(StatusCode::NO_CONTENT)
        .ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "no such bill was given"))
}

fn which(platform: &Platform, (name, day, kind): &(String, String, String)) -> Result<Which, Refused> {
    let merchant = known(platform, name)?;
    let day: Date = day.parse().map_err(|_| bad("the day is a date such as 2026-11-28"))?;
    let kind = Kind::parse(kind).ok_or_else(|| bad("the kind is trade, basic, operation or fees"))?;
    let sub_mch_id = merchant.sub_mch_id().map(str::to_owned);
    Ok(Which { mch_id: merchant.mch_id().to_owned(), sub_mch_id, day, kind })
}

//! The command about how often merchants may ask for refunds.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::post};
use bytes::Bytes;

use super::{Refused, command};
use crate::{control::RefundRate, platform::Platform};

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new().route("/_sandbox/refund_rate", post(set_refund_rate))
}

async fn set_refund_rate(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Json<RefundRate>, Refused> {
    let wanted: RefundRate = command(&body)?;
    platform.ledger().refund_rates.set(wanted);
    Ok(Json(wanted))
}

//! `GetOrder`: reads an order; with `refresh`, asks the provider about its open attempts first.

use futures::future::join_all;
use jiff::SignedDuration;
use proto::order::v1::{self, GetOrderRequest};
use svc_kit::refusal::Violations;
use tonic::{Request, Status};

use super::{Api, answer, fields, refuse};
use crate::{
    domain::OrderId,
    life::Life,
    store::{asking, orders, payments},
};

/// A refresh asks about an attempt at most this often, however often it is called.
const REFRESH_EVERY: SignedDuration = SignedDuration::from_secs(1);

pub(super) async fn handle(api: &Api, request: Request<GetOrderRequest>) -> Result<v1::Order, Status> {
    let app = api.apps.caller(request.metadata())?;
    let request = request.into_inner();
    let mut violations = Violations::new();
    let id = fields::order_name(&request.name, &mut violations);
    violations.finish()?;
    let id = id.ok_or_else(|| refuse::internal("a violation was not told"))?;
    if request.refresh {
        // Whose order it is comes first: a stranger's call must not reach the provider.
        read(api, &app, id).await?;
        refresh(api, id).await?;
    }
    read(api, &app, id).await
}

/// One order with its attempts, as its team sees it.
pub(super) async fn read(api: &Api, app: &str, id: OrderId) -> Result<v1::Order, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    // One snapshot, so that an order never shows beside attempts of another moment.
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *tx).await.map_err(failed)?;
    let order = orders::get(&mut tx, app, id).await.map_err(failed)?;
    let order = order.ok_or_else(|| refuse::order_not_found(id))?;
    let attempts = payments::of_orders(&mut tx, &[id]).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    Ok(answer::order(&order, &attempts))
}

/// Attends to the open attempts of an order now. Those that somebody else holds, or that were asked about within the last
/// second, are left alone.
pub(super) async fn refresh(api: &Api, id: OrderId) -> Result<(), Status> {
    let life = api.life.clone();
    // Claims are given back even when the caller leaves.
    let finished = api.life.finish(async move { attend_to(&life, id).await }).await;
    finished.map_err(|error| refuse::broken(&error))?.map_err(|error| refuse::database(&error))
}

async fn attend_to(life: &Life, id: OrderId) -> sqlx::Result<()> {
    let now = life.clock.now();
    let asked_before = now.checked_sub(REFRESH_EVERY).unwrap_or(now);
    let attempts = {
        let mut conn = life.pool.acquire().await?;
        asking::claim_of_order(&mut conn, id, now, asked_before).await?
    };
    join_all(attempts.into_iter().map(|claim| life.attend(claim))).await.into_iter().collect()
}

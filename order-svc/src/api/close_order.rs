//! `CloseOrder`: the team gives an order up. The wish is written first; the provider is asked at once, and again until it ends.

use proto::order::v1::{self, CloseOrderRequest};
use svc_kit::{outbox, refusal::Violations};
use tonic::{Request, Status};

use super::{
    Api, fields, get_order, refuse,
    replay::{Named, Taken, content_of},
};
use crate::{
    config::PROCESS,
    domain::{OrderId, order::State, settle::close},
    events,
    store::{asking, orders, payments, requests},
};

/// How long one call may hold its request id: query, close and query, each bounded by the gateway's time.
const LEASE_S: u32 = 40;

pub(super) async fn handle(api: &Api, request: Request<CloseOrderRequest>) -> Result<v1::Order, Status> {
    let app = api.apps.caller(request.metadata())?;
    let request = request.into_inner();
    let mut violations = Violations::new();
    let request_id = fields::request_id(&request.request_id, &mut violations);
    let id = fields::order_name(&request.name, &mut violations);
    violations.finish()?;
    let (Some(request_id), Some(id)) = (request_id, id) else {
        return Err(refuse::internal("a violation was not told"));
    };
    let content_sha256 = content_of(&CloseOrderRequest { request_id: String::new(), ..request });
    let named = Named { app, request_id, rpc: "CloseOrder", content_sha256 };

    if let Some(replayed) = give_up(api, &named, id).await? {
        return Ok(replayed);
    }
    let (life, api) = (api.life.clone(), api.clone());
    let finished = life.finish(async move { try_now(&api, &named, id).await }).await;
    finished.unwrap_or_else(|error| Err(refuse::broken(&error)))
}

/// The wish is written and is carried out whatever happens now; trying at once only makes it quicker.
async fn try_now(api: &Api, named: &Named, id: OrderId) -> Result<v1::Order, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    if let Err(status) = get_order::refresh(api, id).await {
        tracing::warn!(order.name = %id, "closing goes on in the background: {}", status.message());
    }
    let answer = async {
        let response = get_order::read(api, &named.app, id).await?;
        let mut conn = api.life.pool.acquire().await.map_err(failed)?;
        named.keep(&mut conn, response).await
    };
    let answer = answer.await;
    if answer.is_err()
        && let Ok(mut conn) = api.life.pool.acquire().await
    {
        // Otherwise a retry hears ABORTED until the lease ends.
        let _ = requests::release(&mut conn, &named.app, named.request_id).await;
    }
    answer
}

/// Writes the wish. An order without open attempts is closed in the same transaction.
async fn give_up(api: &Api, named: &Named, id: OrderId) -> Result<Option<v1::Order>, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let now = api.life.clock.now();
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    if orders::get(&mut tx, &named.app, id).await.map_err(failed)?.is_none() {
        return Err(refuse::order_not_found(id));
    }
    match named.take::<v1::Order>(&mut tx, LEASE_S).await? {
        Err(replayed) => return Ok(Some(replayed)),
        Ok(Taken::New | Taken::Unanswered(_)) => {}
    }
    let order = orders::lock(&mut tx, &[id]).await.map_err(failed)?.pop();
    let mut order = order.ok_or_else(|| refuse::order_not_found(id))?;
    match order.state {
        State::Paid { .. } => return Err(refuse::order_not_closable(&order)),
        // Closing what is closed is what was asked for.
        State::Closed { .. } => {}
        State::Pending => {
            if order.close_requested_at.is_none() {
                order.close_requested_at = Some(now);
                order.version += 1;
                // The wish and the end, when it comes at once, are two versions.
                orders::update(&mut tx, &order).await.map_err(failed)?;
            }
            let attempts = payments::of_orders(&mut tx, &[id]).await.map_err(failed)?;
            if let Some(reason) = close(&mut order, &attempts, now) {
                let closed = events::order_closed(&order, now, reason);
                outbox::enqueue(&mut tx, &closed, PROCESS).await.map_err(failed)?;
            }
            orders::update(&mut tx, &order).await.map_err(failed)?;
            asking::ask_soon(&mut tx, &[id], now).await.map_err(failed)?;
        }
    }
    svc_kit::crash::point("order.close.before_commit");
    tx.commit().await.map_err(failed)?;
    svc_kit::crash::point("order.close.committed");
    api.life.relay.wake();
    Ok(None)
}

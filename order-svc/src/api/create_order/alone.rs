//! One order in a transaction of its own: what a call gets that shares its request id or its `order_no` with another. It says
//! why.

use proto::order::v1;
use svc_kit::outbox;
use tonic::Status;

use super::{commit, told};
use crate::{
    api::{
        Api, answer, refuse,
        replay::{Named, Taken},
    },
    config::PROCESS,
    domain::{OrderId, order::Order},
    events,
    store::{orders, payments},
};

/// The whole call is one transaction, so nobody ever sees this lease.
const LEASE_S: u32 = 1;

pub(super) async fn create(api: &Api, named: &Named, order: &Order) -> Result<v1::Order, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    match named.take::<v1::Order>(&mut tx, LEASE_S).await? {
        Err(replayed) => return Ok(replayed),
        Ok(Taken::New | Taken::Unanswered(_)) => {}
    }
    let created = orders::insert(&mut tx, order, &named.content_sha256).await.map_err(failed)?;
    let response = if created {
        outbox::enqueue(&mut tx, &events::order_created(order), PROCESS).await.map_err(failed)?;
        answer::order(order, &[])
    } else {
        // The team's own number decides: the same order asked for under another request id is the same order.
        let known = orders::by_order_no(&mut tx, &order.app, &order.order_no).await.map_err(failed)?;
        let Some((id, content)) = known else { return Err(refuse::in_progress()) };
        if content != named.content_sha256 {
            return Err(refuse::order_no_reused(OrderId(id)));
        }
        let known = orders::get(&mut tx, &order.app, OrderId(id)).await.map_err(failed)?;
        let known = known.ok_or_else(refuse::in_progress)?;
        let attempts = payments::of_orders(&mut tx, &[known.id]).await.map_err(failed)?;
        answer::order(&known, &attempts)
    };
    let response = named.keep(&mut tx, response).await?;
    commit(tx).await.map_err(failed)?;
    api.life.relay.wake();
    if created {
        told(order);
    }
    Ok(response)
}

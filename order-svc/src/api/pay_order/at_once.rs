//! The first attempt of an order, unless a login code names its payer or it is a charge: one statement reads the order, and one takes
//! the request id and writes the attempt. Nearly every order has one attempt.
//!
//! Whatever is not so goes the locked way, which also says what is wrong.

use std::time::Instant;

use svc_kit::outbox::{Places, Sealed};
use tonic::Status;

use super::{
    Known, Named, Ours, SENDING_LEASE_S, SENDING_S, Wanted, Written, attempt, fields::Payer, first_ask, give_up,
    payable,
};
use crate::{
    api::{Api, refuse},
    config::PROCESS,
    domain::{PaymentId, order::Order},
    events,
    store::{
        orders,
        paying::{self, First},
    },
};

/// Writes the attempt `id`, if it is the first one of its order. `None` when nothing was written, and the locked way is to be gone.
///
/// # Errors
/// The database's; when it is not known whether it is written, it is not sent, and a retry finds out.
pub(super) async fn write(
    api: &Api,
    named: &Named,
    wanted: &Wanted,
    id: PaymentId,
) -> Result<Option<Box<Written>>, Status> {
    let openid = match &wanted.payer {
        Payer::Openid(openid) => openid.clone(),
        Payer::Unnamed => String::new(),
        // A login code works once, so the request id is taken before it is used. A charge has its own order of things.
        Payer::LoginCode(_) | Payer::Code(_) => return Ok(None),
    };
    if wanted.method.is_charge() {
        return Ok(None);
    }
    let failed = |error: sqlx::Error| refuse::database(&error);
    let order = {
        let mut conn = api.life.pool.acquire().await.map_err(failed)?;
        orders::get(&mut conn, &named.app, wanted.order).await.map_err(failed)?
    };
    let untouched = |order: &Order| order.version == Order::FIRST_VERSION && payable(order, api).is_ok();
    let Some(mut order) = order.filter(untouched) else { return Ok(None) };
    let Some(merchant) = api.merchants.known_merchant(&order.merchant) else { return Ok(None) };
    let Ok(app_id) = wanted.app_of(&merchant) else { return Ok(None) };

    let at = Instant::now();
    let known = Known { merchant: &merchant, app_id, method: wanted.method, openid };
    let payment = attempt(id, &order, wanted, known, api.life.clock.now());
    let told = Sealed::of(&events::payment_created(&order, &payment), PROCESS).map_err(failed)?;
    let places = api.life.relay.places(1);
    let first = First {
        order: &order,
        payment: &payment,
        request: named.request(),
        rpc: named.rpc,
        content_sha256: &named.content_sha256,
        lease_s: SENDING_LEASE_S,
        first_ask: first_ask(api, &payment),
        sending_s: SENDING_S,
        ahead: api.life.ahead(),
        told: &told,
        hold: Places::seconds(places.as_ref()),
    };
    svc_kit::crash::point("order.pay.first.before_written");
    let mut conn = api.life.pool.acquire().await.map_err(failed)?;
    let begun = paying::begin(&mut conn, &first).await;
    drop(conn);
    let rows = match begun {
        Ok(Some(rows)) => rows,
        Ok(None) => return Ok(None),
        Err(error) => {
            give_up(api, named, id, Ours::Perhaps).await;
            return Err(refuse::database(&error));
        }
    };
    svc_kit::crash::point("order.pay.first.written");
    match places {
        Some(places) => places.leave([&told], rows),
        None => api.life.relay.wake(),
    }
    order.version += 1;
    Ok(Some(Box::new(Written { order, payment, at })))
}

//! `CreateOrder`: one row and one event in one transaction; nothing leaves for a provider.

use jiff::{SignedDuration, Timestamp};
use money::Fen;
use proto::{
    order::v1::{self, CreateOrderRequest},
    time::from_wire,
};
use svc_kit::{outbox, refusal::Violations};
use tonic::{Request, Status};
use uuid::Uuid;

use super::{
    Api, answer, fields, particulars, refuse,
    replay::{self, Named, Taken, content_of},
};
use crate::{
    config::PROCESS,
    domain::{
        OrderId,
        order::{Order, State},
    },
    events,
    store::{orders, payments},
};

/// WeChat refuses attempts that expire within a minute.
const MIN_LIFE: SignedDuration = SignedDuration::from_mins(1);
/// Longer than any cashier stays open.
const MAX_LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// When the caller does not say.
const DEFAULT_LIFE: SignedDuration = SignedDuration::from_mins(30);
/// The whole call is one transaction, so nobody ever sees this lease.
const LEASE_S: u32 = 1;

pub(super) async fn handle(api: &Api, request: Request<CreateOrderRequest>) -> Result<v1::Order, Status> {
    let app = api.apps.caller(request.metadata())?;
    let request = request.into_inner();
    // Whole microseconds, as the database keeps them, so that the first answer and every later one are equal.
    let now = api.life.clock.now();
    let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
    let content_sha256 = content_of(&CreateOrderRequest { request_id: String::new(), ..request.clone() });
    let wanted = match check(api, &request, now).await {
        Ok(wanted) => wanted,
        // What was right when it was first asked is still answered the same when its time has passed.
        Err(refusal) => {
            return replay::or_refuse(api, &app, &request.request_id, "CreateOrder", content_sha256, refusal).await;
        }
    };

    let order = Order {
        id: OrderId(api.life.clock.uuid_v7()),
        app: app.clone(),
        order_no: request.order_no.clone(),
        merchant: request.merchant.clone(),
        amount: wanted.amount,
        description: request.description.clone(),
        particulars: request.particulars.clone(),
        product_code: None,
        state: State::Pending,
        create_time: now,
        expire_time: wanted.expire_time,
        close_requested_at: None,
        version: 1,
    };
    let named = Named { app, request_id: wanted.request_id, rpc: "CreateOrder", content_sha256 };
    create(api, &named, order).await
}

async fn create(api: &Api, named: &Named, order: Order) -> Result<v1::Order, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    match named.take::<v1::Order>(&mut tx, LEASE_S).await? {
        Err(replayed) => return Ok(replayed),
        Ok(Taken::New | Taken::Unanswered(_)) => {}
    }
    let created = orders::insert(&mut tx, &order, &named.content_sha256).await.map_err(failed)?;
    let response = if created {
        outbox::enqueue(&mut tx, &events::order_created(&order), PROCESS).await.map_err(failed)?;
        answer::order(&order, &[])
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
    svc_kit::crash::point("order.create.before_commit");
    tx.commit().await.map_err(failed)?;
    svc_kit::crash::point("order.create.committed");
    api.life.relay.wake();
    if created {
        tracing::info!(order.name = response.name, merchant = response.merchant, "order created");
    }
    Ok(response)
}

struct Wanted {
    request_id: Uuid,
    amount: Fen,
    expire_time: Timestamp,
}

async fn check(api: &Api, request: &CreateOrderRequest, now: Timestamp) -> Result<Wanted, Status> {
    let mut violations = Violations::new();
    let request_id = fields::request_id(&request.request_id, &mut violations);
    violations.check(
        fields::is_order_no(&request.order_no),
        "order_no",
        "must be 1 to 64 of [0-9A-Za-z_.:-]: your own number of the order",
    );
    fields::check_price(request.amount_fen, &mut violations);
    fields::check_description(&request.description, &mut violations);
    particulars::check(request.particulars.as_ref(), &mut violations);
    let expire_time = check_expiry(request, now, &mut violations);
    fields::merchant(api, &request.merchant, &mut violations).await?;
    violations.finish()?;
    match (request_id, expire_time) {
        (Some(request_id), Some(expire_time)) => {
            Ok(Wanted { request_id, amount: Fen::new(request.amount_fen), expire_time })
        }
        _ => Err(refuse::internal("a violation was not told")),
    }
}

fn check_expiry(request: &CreateOrderRequest, now: Timestamp, violations: &mut Violations) -> Option<Timestamp> {
    let Some(wire) = &request.expire_time else {
        return Timestamp::from_second(now.checked_add(DEFAULT_LIFE).ok()?.as_second()).ok();
    };
    let Some(expire_time) = from_wire(wire) else {
        violations.push("expire_time", "must be a valid instant");
        return None;
    };
    // The provider counts in whole seconds; what the team reads is what holds.
    let expire_time = Timestamp::from_second(expire_time.as_second()).ok()?;
    let life = expire_time.duration_since(Timestamp::from_second(now.as_second()).ok()?);
    violations.check(
        MIN_LIFE <= life && life <= MAX_LIFE,
        "expire_time",
        "must be between one minute and seven days from now",
    );
    Some(expire_time)
}

//! `CreateOrder`: one row and one event in one transaction, shared with whoever calls meanwhile; nothing leaves for a provider.

mod alone;
mod queue;
mod together;

use std::{mem, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use money::Fen;
use prost::Message as _;
use proto::{
    order::v1::{self, CreateOrderRequest},
    time::from_wire,
};
use sqlx::{Postgres, Transaction};
use svc_kit::{outbox::Sealed, refusal::Violations};
use tonic::{Request, Status};
use tracing::Span;
use uuid::Uuid;

use super::{
    Api, answer, fields, particulars, refuse,
    replay::{self, Named, content_of},
};
use crate::{
    config::PROCESS,
    domain::{
        OrderId,
        order::{Order, State},
    },
    events,
    store::as_kept,
};
use queue::{Draft, Outcome};

pub use queue::Queue;
pub use together::Together;

/// What a request id of this call names.
const RPC: &str = "CreateOrder";
/// WeChat refuses attempts that expire within a minute.
const MIN_LIFE: SignedDuration = SignedDuration::from_mins(1);
/// Longer than any cashier stays open.
const MAX_LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// When the caller does not say.
const DEFAULT_LIFE: SignedDuration = SignedDuration::from_mins(30);

pub(super) async fn handle(api: &Api, request: Request<CreateOrderRequest>) -> Result<v1::Order, Status> {
    let app = api.apps.caller(request.metadata())?;
    let mut request = request.into_inner();
    let now = as_kept(api.life.clock.now());
    let request_id = mem::take(&mut request.request_id);
    let content_sha256 = content_of(&request);
    let wanted = match check(api, &request_id, &request, now).await {
        Ok(wanted) => wanted,
        // What was right when it was first asked is still answered the same when its time has passed.
        Err(refusal) => {
            return Box::pin(replay::or_refuse(api, &app, &request_id, RPC, content_sha256, refusal)).await;
        }
    };

    let order = Order {
        id: OrderId(api.life.clock.uuid_v7()),
        app: app.clone(),
        order_no: request.order_no,
        merchant: request.merchant,
        amount: wanted.amount,
        description: request.description,
        particulars: request.particulars,
        product_code: None,
        state: State::Pending,
        create_time: now,
        expire_time: wanted.expire_time,
        close_requested_at: None,
        version: Order::FIRST_VERSION,
    };
    let named = Named { app, request_id: wanted.request_id, rpc: RPC, content_sha256 };
    create(api, named, order).await
}

/// Writes an order with all that wait, or alone when it shares a name with another.
async fn create(api: &Api, named: Named, order: Order) -> Result<v1::Order, Status> {
    let event = Sealed::of(&events::order_created(&order), PROCESS).map_err(|error| refuse::database(&error))?;
    // The answer of a new order is known before it is written.
    let response = answer::order(&order, &[]);
    let draft = Draft { named, order, response: response.encode_to_vec(), event, span: Span::current() };
    let draft = Arc::new(draft);
    match api.creating.put(Arc::clone(&draft)).await? {
        Outcome::Created => Ok(response),
        Outcome::Failed(status) => Err(status),
        Outcome::Alone => {
            let _place = api.creating.place().await?;
            // Rare and large: boxed, so that no other call carries it about.
            Box::pin(alone::create(api, &draft.named, &draft.order)).await
        }
    }
}

/// Commits what one or several calls have written.
async fn commit(tx: Transaction<'_, Postgres>) -> sqlx::Result<()> {
    about_to_commit();
    tx.commit().await?;
    committed();
    Ok(())
}

/// Every way of writing an order passes here.
fn about_to_commit() {
    svc_kit::crash::point("order.create.before_commit");
}

/// And here.
fn committed() {
    svc_kit::crash::point("order.create.committed");
}

fn told(order: &Order) {
    tracing::info!(order.name = %order.id, merchant = order.merchant, "order created");
}

struct Wanted {
    request_id: Uuid,
    amount: Fen,
    expire_time: Timestamp,
}

async fn check(api: &Api, request_id: &str, request: &CreateOrderRequest, now: Timestamp) -> Result<Wanted, Status> {
    let mut violations = Violations::new();
    let request_id = fields::request_id(request_id, &mut violations);
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

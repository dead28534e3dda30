//! `PayOrder`: write the attempt, then send it, then keep the answer.
//!
//! 1. Take the request id (a lease on the database's clock).
//! 2. Turn a login code into the openid; a code works once, so nothing is written before.
//! 3. Write the attempt, CREATED, with the event that tells its number.
//! 4. Ask the provider. A lost answer leaves it CREATED: unknown. The caller retries with the same request id, and the
//!    same attempt is sent again with the same content.
//!
//! A pay code or a face is charged instead, once: see [`charging`]. The first attempt of an order is 1 and 3 in one statement, unless
//! there is a login code: see [`at_once`].

pub(super) mod app;
mod at_once;
mod charging;
mod code;
mod fields;
mod h5;
mod invocation;
mod sending;

use std::{sync::Arc, time::Instant};

use jiff::Timestamp;
use money::Fen;
use prost::Message;
use proto::{
    gateway::v1::not_done,
    order::v1::{PayOrderRequest, PayOrderResponse},
};
use svc_kit::outbox;
use tonic::{Request, Status};

use self::{fields::Payer, invocation::ToTeam};
pub(super) use self::{fields::Wanted, sending::Reply};
use super::{
    Api, refuse,
    replay::{Named, Taken, content_of},
};
use crate::{
    config::PROCESS,
    domain::{
        PaymentId,
        charge::under_way,
        order::{Order, Unpayable},
        payment::{Method, Openid, Payment, State},
    },
    events,
    gateway::{Asked, Merchant},
    life::budget::Kind,
    store::{as_kept, orders, payments, requests},
};

/// More open attempts than this are a mistake of the caller's, not a payer who changes their mind.
const MAX_OPEN_PAYMENTS: usize = 10;
/// How long one call may hold its request id until the attempt is written: a login, bounded by the gateway's time, the earlier
/// attempts, bounded by a time of their own, and what the database takes.
const REQUEST_LEASE_S: u32 = 40;
/// And from then on, or for an attempt that is there already: a prepay.
const SENDING_LEASE_S: u32 = SENDING_S + 2;
/// How long a prepay may be on its way from its writing: its leaving, our wait, and what the gateway may go on for after it.
const SENDING_S: u32 = 30;

pub(super) async fn handle(api: &Api, request: Request<PayOrderRequest>) -> Result<PayOrderResponse, Status> {
    let app = api.apps.caller(request.metadata())?;
    let request = request.into_inner();
    let content_sha256 = content_of(&PayOrderRequest { request_id: String::new(), ..request.clone() });
    let wanted = fields::check(&request)?;
    let named = Named { app, request_id: wanted.request_id, rpc: "PayOrder", content_sha256 };

    let reply = ToTeam { images: wanted.images };
    pay(api, named, wanted, reply).await
}

/// One attempt under one request id: written once, sent until it is answered, answered with what `reply` makes of it.
pub(super) async fn pay<R: Reply>(api: &Api, named: Named, wanted: Wanted, reply: R) -> Result<R::Kept, Status> {
    let (life, api) = (api.life.clone(), api.clone());
    // The request id is held and the provider is asked: that is finished even when the caller leaves, who may do so while the
    // commit that takes the id is on its way.
    let finished = life.finish(async move { pay_now(&api, &named, &wanted, &reply).await }).await;
    finished.unwrap_or_else(|error| Err(refuse::broken(&error)))
}

async fn pay_now<R: Reply>(api: &Api, named: &Named, wanted: &Wanted, reply: &R) -> Result<R::Kept, Status> {
    // Names the attempt that this call may write, and no other.
    let id = PaymentId(api.life.clock.uuid_v7());
    let written = match at_once::write(api, named, wanted, id).await? {
        Some(written) => written,
        None => match begin(api, named, wanted).await? {
            Begun::Replayed(response) => return Ok(*response),
            Begun::Charged(payment) => {
                let answer = charging::read_back(api, named, reply, &payment).await;
                // Not every answer is kept, and the next call shall not wait for a lease.
                release(api, named).await;
                return answer;
            }
            Begun::Again(written) => written,
            Begun::New(order) => match write(api, named, wanted, &order, id).await {
                Ok(written) => written,
                Err(refusal) => {
                    give_up(api, named, id, Ours::Id).await;
                    return Err(refusal);
                }
            },
        },
    };
    let Written { order, payment, at } = &*written;
    let answer = match &wanted.payer {
        Payer::Code(code) => charging::charge(api, named, reply, payment, code, *at).await,
        Payer::Openid(_) | Payer::LoginCode(_) | Payer::Unnamed => {
            sending::send(api, named, reply, order, payment, *at).await
        }
    };
    if answer.is_err() || payment.method.is_charge() {
        release(api, named).await;
    }
    answer
}

/// An attempt that may be sent, as it was written.
struct Written {
    /// Its order: as it was written with it, or as it was read when it was to be sent again.
    order: Order,
    payment: Payment,
    /// This sending of it was written at or after that instant.
    at: Instant,
}

enum Begun<A> {
    /// Answered before.
    Replayed(Box<A>),
    /// The id is ours; nothing is written yet.
    New(Box<Order>),
    /// The attempt was written before, and its answer is not known.
    Again(Box<Written>),
    /// The charge was written before, and must not be sent again.
    Charged(Box<Payment>),
}

/// Takes the request id and reads the order.
async fn begin<A: Message + Default>(api: &Api, named: &Named, wanted: &Wanted) -> Result<Begun<A>, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let began = Instant::now();
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    let order = orders::get(&mut tx, &named.app, wanted.order).await.map_err(failed)?;
    let Some(order) = order else { return Err(refuse::order_not_found(wanted.order)) };
    let taken = match named.take::<A>(&mut tx, REQUEST_LEASE_S).await? {
        Err(replayed) => return Ok(Begun::Replayed(Box::new(replayed))),
        Ok(taken) => taken,
    };
    let is_new = matches!(taken, Taken::New);
    let written = match taken {
        Taken::New | Taken::Unanswered(requests::Request { payment: None, .. }) => None,
        Taken::Unanswered(requests::Request { payment: Some(id), .. }) => {
            Some(payments::get(&mut tx, id).await.map_err(failed)?.ok_or_else(refuse::in_progress)?)
        }
    };
    match &written {
        // Whatever has become of it is the answer.
        Some(payment) if payment.method.is_charge() => {}
        Some(payment) if !payment.state.is_open() => {
            let answer = named.refuse::<A>(&mut tx, sending::ended(&order, payment)).await;
            tx.commit().await.map_err(failed)?;
            return answer.map(|first| Begun::Replayed(Box::new(first)));
        }
        Some(payment) => {
            payable(&order, api)?;
            let now = api.life.clock.now();
            if !payments::begin_sending(&mut tx, payment.id, now, SENDING_S).await.map_err(failed)? {
                return Err(refuse::in_progress());
            }
        }
        None => payable(&order, api)?,
    }
    if !is_new {
        let lease_s = if written.is_some() { SENDING_LEASE_S } else { REQUEST_LEASE_S };
        requests::claim_again(&mut tx, &named.app, named.request_id, lease_s).await.map_err(failed)?;
    }
    tx.commit().await.map_err(failed)?;
    Ok(match written {
        Some(payment) if payment.method.is_charge() => Begun::Charged(Box::new(payment)),
        Some(mut payment) => {
            payment.sends += 1;
            Begun::Again(Box::new(Written { order, payment, at: began }))
        }
        None => Begun::New(Box::new(order)),
    })
}

/// Whether an order can still be paid.
fn payable(order: &Order, api: &Api) -> Result<(), Status> {
    order.payable(api.life.clock.now()).map_err(|why| match why {
        Unpayable::Over => refuse::order_not_payable(order),
        Unpayable::GivenUp => refuse::order_being_closed(order),
        Unpayable::Expired => refuse::order_expired(order),
    })
}

/// Finds out who pays and writes the attempt.
async fn write(
    api: &Api,
    named: &Named,
    wanted: &Wanted,
    order: &Order,
    id: PaymentId,
) -> Result<Box<Written>, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let merchant = merchant_of(api, order).await?;
    let app_id = wanted.app_of(&merchant)?;
    let method = match &wanted.payer {
        Payer::Code(code) => code.method_at(&merchant, wanted.method)?,
        Payer::Openid(_) | Payer::LoginCode(_) | Payer::Unnamed => wanted.method,
    };
    let openid = match &wanted.payer {
        Payer::Openid(openid) => openid.clone(),
        Payer::LoginCode(code) => resolve(api, &order.merchant, &app_id, code).await?,
        // Of a charge nobody asks who it is, and what is not kept cannot be read.
        Payer::Unnamed | Payer::Code(_) => String::new(),
    };

    // The payer has one cashier open at a time. What was paid meanwhile is heard before there is another.
    api.life.settle_earlier(order.id).await.map_err(failed)?;

    if method.is_charge() {
        // Before the writing, because a charge leaves at once after it or never.
        let taken = api.life.budgets.take(&order.merchant, Kind::Charge).await;
        taken
            .map_err(|_| refuse::try_again("the provider takes no more charges now; retry with the same request_id"))?;
    }
    let (now, began) = (api.life.clock.now(), Instant::now());
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    // Locked, so that attempts are counted and closing is seen one after the other.
    let order = orders::lock(&mut tx, &[order.id]).await.map_err(failed)?.pop();
    let mut order = order.ok_or_else(refuse::in_progress)?;
    payable(&order, api)?;
    let attempts = payments::of_orders(&mut tx, &[order.id]).await.map_err(failed)?;
    if attempts.iter().any(|payment| payment.state.is_open() && payment.disputed) {
        return Err(refuse::order_disputed(&order));
    }
    // Two ways to pay one sale at once would take the payer's money twice, and a charge cannot be closed to make room.
    if under_way(&attempts).is_some() {
        return Err(refuse::payment_under_way(&order));
    }
    if MAX_OPEN_PAYMENTS <= attempts.iter().filter(|payment| payment.state.is_open()).count() {
        return Err(refuse::too_many_payments(&order, MAX_OPEN_PAYMENTS));
    }
    let payer = Known { merchant: &merchant, app_id, method, openid };
    let payment = attempt(id, &order, wanted, payer, now);
    let first_ask = first_ask(api, &payment);
    let close_min_age_s = u32::try_from(api.life.close_min_age.as_secs()).unwrap_or(u32::MAX);
    // Those that could not be closed yet are closed as soon as the provider does it.
    if attempts.iter().any(|payment| payment.state.is_open()) {
        payments::supersede(&mut tx, order.id, now, close_min_age_s).await.map_err(failed)?;
    }
    payments::insert(&mut tx, &payment, first_ask, SENDING_S, api.life.ahead()).await.map_err(failed)?;
    order.version += 1;
    orders::update(&mut tx, &order).await.map_err(failed)?;
    let noted = requests::set_payment(&mut tx, &named.app, named.request_id, payment.id, SENDING_LEASE_S).await;
    if !noted.map_err(failed)? {
        return Err(refuse::in_progress());
    }
    outbox::enqueue(&mut tx, &events::payment_created(&order, &payment), PROCESS).await.map_err(failed)?;
    svc_kit::crash::point("order.pay.before_written");
    tx.commit().await.map_err(failed)?;
    svc_kit::crash::point("order.pay.written");
    if method.is_charge() {
        svc_kit::crash::point("order.charge.written");
    }
    api.life.relay.wake();
    Ok(Box::new(Written { order, payment, at: began }))
}

/// The account that gets the money of an order.
async fn merchant_of(api: &Api, order: &Order) -> Result<Arc<Merchant>, Status> {
    let merchant = api.merchants.get(&order.merchant).await;
    merchant
        .map_err(|_| refuse::try_again("the list of merchants is not known yet; retry with the same request_id"))?
        .ok_or_else(|| refuse::method_not_available(format!("merchant {} is no longer configured", order.merchant)))
}

/// What is known when an attempt is written.
struct Known<'m> {
    merchant: &'m Merchant,
    app_id: String,
    method: Method,
    openid: String,
}

/// A new attempt, which is about to be sent, as it will be read.
fn attempt(id: PaymentId, order: &Order, wanted: &Wanted, known: Known<'_>, now: Timestamp) -> Payment {
    let Known { merchant, app_id, method, openid } = known;
    Payment {
        id,
        order_id: order.id,
        merchant: order.merchant.clone(),
        provider: merchant.provider.clone(),
        mch_id: merchant.mch_id.clone(),
        sub_mch_id: merchant.sub_mch_id.clone(),
        app_id,
        amount: order.amount,
        method,
        details: wanted.details.clone(),
        openid: Openid(openid),
        payer_ip: wanted.payer_ip.to_string(),
        state: State::Created,
        create_time: as_kept(now),
        expire_time: order.expire_time,
        sends: 1,
        asks: 0,
        disputed: false,
        superseded: false,
        refunded: Fen::ZERO,
        refunding: Fen::ZERO,
        reversing: None,
        provider_code: None,
    }
}

/// When the provider is asked about a new attempt, should nobody hear of it.
fn first_ask(api: &Api, payment: &Payment) -> Timestamp {
    let now = payment.create_time;
    if payment.method.is_charge() {
        api.life.first_ask_of_charge(now)
    } else {
        let first = now.checked_add(api.life.asking.after_jittered(1));
        first.unwrap_or(payment.expire_time).min(payment.expire_time)
    }
}

async fn resolve(api: &Api, merchant: &str, app_id: &str, code: &str) -> Result<String, Status> {
    match api.life.gateway.resolve_openid(merchant, app_id, code).await {
        Asked::Done(openid) if super::fields::is_openid(&openid) => Ok(openid),
        Asked::Done(_) => Err(refuse::provider_unknown()),
        Asked::NotDone(no) => Err(match no.kind() {
            not_done::Kind::LoginCodeInvalid => refuse::login_code_invalid(),
            not_done::Kind::RateLimited => {
                refuse::try_again("WeChat takes no more logins of this payer in this minute; retry later")
            }
            _ => refuse::provider_refused(&no),
        }),
        Asked::Unknown { why, .. } | Asked::NotSent { why, .. } => {
            tracing::warn!(merchant, why, "login code not resolved");
            Err(refuse::provider_unknown())
        }
    }
}

/// What is a call's own before its attempt is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ours {
    /// The request id: it took it before.
    Id,
    /// It takes it with the attempt, and does not know whether it has.
    Perhaps,
}

/// Ends a call that wrote nothing, or that does not know whether it wrote the attempt `own`. When nothing was written, the id is free
/// again and a retry starts from the beginning. When only the answer of the commit was lost, the attempt is there, and a retry sends
/// it. What another call has taken or written meanwhile is not touched.
async fn give_up(api: &Api, named: &Named, own: PaymentId, ours: Ours) {
    let done = async {
        let mut tx = api.life.pool.begin().await?;
        match ours {
            Ours::Id => requests::forget(&mut tx, &named.app, named.request_id).await?,
            Ours::Perhaps => {
                // This waits for our statement, should it still be under way, as long as any lock is waited for. When the id is to be
                // had now, we have written nothing, and it stays free. What comes even later is an attempt that was never sent.
                let (app, id) = named.request();
                if requests::take(&mut tx, app, id, named.rpc, &named.content_sha256, SENDING_LEASE_S).await? {
                    return tx.rollback().await;
                }
            }
        }
        let known = requests::lock(&mut tx, &named.app, named.request_id).await?;
        if known.is_some_and(|known| known.payment == Some(own)) {
            payments::take_first_sending_back(&mut tx, own).await?;
            requests::release(&mut tx, &named.app, named.request_id).await?;
        }
        tx.commit().await
    };
    if let Err(error) = done.await {
        // The lease ends by itself; until then a retry hears ABORTED.
        tracing::warn!(error = &error as &dyn std::error::Error, "request id not freed");
    }
}

async fn release(api: &Api, named: &Named) {
    let done = async {
        let mut conn = api.life.pool.acquire().await?;
        requests::release(&mut conn, &named.app, named.request_id).await
    };
    if let Err(error) = done.await {
        tracing::warn!(error = &error as &dyn std::error::Error, "request id not released");
    }
}

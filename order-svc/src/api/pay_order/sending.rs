//! Sending one attempt that is already written, and keeping what the provider said.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use prost::Message;
use proto::{
    gateway::v1::{NotDone, Prepaid, PrepayRequest, not_done},
    time::{from_wire, to_wire},
};
use tonic::{Code, Status};

use crate::{
    api::{
        Api, refuse,
        replay::{Named, encode_refusal},
    },
    domain::{
        OrderId,
        order::{Order, State},
        payment::Payment,
    },
    gateway::{Asked, LEFT_WITHIN, leave_before, method},
    life::{budget::Kind, decide::Word, settle::is_over},
    store::{asking, orders, paying, payments, requests},
};

/// A sending leaves within this time of its writing, or not at all: who asks "did it arrive?" counts from the writing.
const LEAVES_WITHIN: Duration = Duration::from_secs(12);

/// What the caller of a sending hears once the provider has accepted it.
pub(in crate::api) trait Reply: Send + Sync + 'static {
    /// The answer, as it is kept for ever after.
    type Kept: Message + Default + 'static;

    /// How long the provider is waited for. What is not known by then is unknown, and sent again by the next call.
    const TIME: Duration;

    /// The answer, usable until `usable_until`. `None` when what the gateway told cannot open a cashier.
    fn of(&self, payment: &Payment, prepaid: Prepaid, usable_until: Timestamp) -> Option<Self::Kept>;

    /// The answer about a charge as it stands. `None` for whoever never charges.
    fn of_charge(&self, payment: &Payment) -> Option<Self::Kept>;
}

pub(super) async fn send<R: Reply>(
    api: &Api,
    named: &Named,
    reply: &R,
    order: &Order,
    payment: &Payment,
    written_at: Instant,
) -> Result<R::Kept, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    svc_kit::crash::point("order.pay.before_send");
    let asked = match api.life.budgets.take(&payment.merchant, Kind::Prepay).await {
        Ok(()) if LEAVES_WITHIN < written_at.elapsed() => {
            Asked::NotSent { why: "this process stood still".to_owned(), ever: true }
        }
        Ok(()) => api.life.gateway.prepay(prepay(order, payment, written_at), R::TIME).await,
        Err(denied) => Asked::NotSent { why: format!("no budget: {denied:?}"), ever: true },
    };
    svc_kit::crash::point("order.pay.answered");
    match &asked {
        // The call may still be on its way, and the mark ends by itself; or it ends with what is written about the answer.
        Asked::Unknown { over: false, .. } | Asked::Done(_) => {}
        Asked::NotSent { .. } => {
            let mut conn = api.life.pool.acquire().await.map_err(failed)?;
            payments::take_sending_back(&mut conn, payment.id, payment.sends).await.map_err(failed)?;
        }
        Asked::NotDone(_) | Asked::Unknown { over: true, .. } => {
            let mut conn = api.life.pool.acquire().await.map_err(failed)?;
            payments::end_sending(&mut conn, payment.id).await.map_err(failed)?;
        }
    }
    match asked {
        Asked::Done(prepaid) => accepted(api, named, reply, order, payment, prepaid).await,
        Asked::NotDone(no) => refused(api, named, order, payment, &no).await,
        Asked::Unknown { why, .. } => {
            tracing::warn!(out_trade_no = payment.id.out_trade_no(), why, "prepay unknown");
            Err(refuse::provider_unknown())
        }
        Asked::NotSent { why, ever: true } => {
            tracing::warn!(out_trade_no = payment.id.out_trade_no(), why, "prepay not sent");
            Err(refuse::try_again("the gateway cannot send now; retry with the same request_id"))
        }
        Asked::NotSent { why, ever: false } => {
            tracing::error!(out_trade_no = payment.id.out_trade_no(), why, "prepay can never be sent");
            Err(refuse::not_sendable(&why))
        }
    }
}

fn prepay(order: &Order, payment: &Payment, written_at: Instant) -> PrepayRequest {
    PrepayRequest {
        merchant: payment.merchant.clone(),
        mch_id: payment.mch_id.clone(),
        app_id: payment.app_id.clone(),
        out_trade_no: payment.id.out_trade_no(),
        amount_fen: payment.amount.get(),
        description: order.description.clone(),
        expire_time: Some(to_wire(order.expire_time)),
        payer_ip: payment.payer_ip.clone(),
        openid: payment.openid.0.clone(),
        sub_mch_id: payment.sub_mch_id.clone(),
        method: method(payment.method).into(),
        product_id: payment.details.product_id.clone().unwrap_or_default(),
        h5: payment.details.h5.clone(),
        particulars: order.particulars.clone(),
        leave_before: leave_before(written_at, LEFT_WITHIN),
    }
}

async fn accepted<R: Reply>(
    api: &Api,
    named: &Named,
    reply: &R,
    order: &Order,
    payment: &Payment,
    prepaid: Prepaid,
) -> Result<R::Kept, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let now = api.life.clock.now();
    if let Some(response) = accepted_at_once(api, named, reply, order, payment, &prepaid).await? {
        return Ok(response);
    }
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    let locked = orders::lock(&mut tx, &[order.id]).await.map_err(failed)?.pop();
    let mut locked = locked.ok_or_else(|| refuse::order_not_found(order.id))?;
    let current = payments::get(&mut tx, payment.id).await.map_err(failed)?;
    let mut current = current.ok_or_else(|| refuse::order_not_found(order.id))?;
    payments::end_sending(&mut tx, payment.id).await.map_err(failed)?;
    // The payer or the clock may have been faster than this answer.
    if current.accepted() {
        payments::update(&mut tx, &current).await.map_err(failed)?;
        locked.version += 1;
        orders::update(&mut tx, &locked).await.map_err(failed)?;
    } else if !current.state.is_open() {
        let answer = named.refuse(&mut tx, ended(&locked, &current)).await;
        tx.commit().await.map_err(failed)?;
        return answer;
    }
    if is_over(&locked) || locked.to_close(now).is_some() {
        // Somebody paid another attempt or gave the order up meanwhile: nobody gets this cashier, and it is closed soon.
        asking::ask_soon(&mut tx, &[locked.id], now).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        return Err(refuse::order_not_payable(&locked));
    }
    let usable_until = usable_until(order, &prepaid);
    let Some(response) = reply.of(&current, prepaid, usable_until) else {
        // It is accepted all the same, and a later release may read the same answer to a repeated sending.
        tx.commit().await.map_err(failed)?;
        tracing::error!(out_trade_no = payment.id.out_trade_no(), "the gateway told nothing that opens the cashier");
        return Err(refuse::provider_unknown());
    };
    let response = named.keep(&mut tx, response).await?;
    svc_kit::crash::point("order.pay.locked.before_kept");
    tx.commit().await.map_err(failed)?;
    svc_kit::crash::point("order.pay.locked.kept");
    tell(order, payment);
    Ok(response)
}

/// The same by one statement, for an order that nobody has touched meanwhile. `None` when it, the attempt or the answer is not as
/// usual: then nothing is written.
async fn accepted_at_once<R: Reply>(
    api: &Api,
    named: &Named,
    reply: &R,
    order: &Order,
    payment: &Payment,
    prepaid: &Prepaid,
) -> Result<Option<R::Kept>, Status> {
    let mut accepted = payment.clone();
    if order.to_close(api.life.clock.now()).is_some() || !accepted.accepted() {
        return Ok(None);
    }
    let Some(response) = reply.of(&accepted, prepaid.clone(), usable_until(order, prepaid)) else { return Ok(None) };
    svc_kit::crash::point("order.pay.before_kept");
    let kept = async {
        let mut conn = api.life.pool.acquire().await?;
        paying::accept(&mut conn, order, payment, named.request(), &response.encode_to_vec()).await
    };
    if !kept.await.map_err(|error| refuse::database(&error))? {
        return Ok(None);
    }
    svc_kit::crash::point("order.pay.kept");
    tell(order, payment);
    Ok(Some(response))
}

fn tell(order: &Order, payment: &Payment) {
    tracing::info!(order.name = %order.id, out_trade_no = payment.id.out_trade_no(), "prepaid");
}

fn usable_until(order: &Order, prepaid: &Prepaid) -> Timestamp {
    prepaid.usable_until.as_ref().and_then(from_wire).unwrap_or(order.expire_time).min(order.expire_time)
}

/// Always a refusal, of whatever answer the caller waits for.
async fn refused<A>(api: &Api, named: &Named, order: &Order, payment: &Payment, no: &NotDone) -> Result<A, Status> {
    tracing::warn!(
        out_trade_no = payment.id.out_trade_no(),
        kind = no.kind().as_str_name(),
        provider_code = no.provider_code,
        "prepay refused"
    );
    let decide = |word| api.life.decide(order.id, payment.id, word);
    let ended = match no.kind() {
        not_done::Kind::RateLimited | not_done::Kind::TooEarly => {
            if no.kind() == not_done::Kind::RateLimited {
                api.life.budgets.limited(&payment.merchant, Kind::Prepay);
            }
            // Nothing was done, so a later refusal is still the first word about this attempt.
            let mut conn = api.life.pool.acquire().await.map_err(|error| refuse::database(&error))?;
            payments::take_sending_back(&mut conn, payment.id, payment.sends)
                .await
                .map_err(|error| refuse::database(&error))?;
            return Err(refuse::try_again("the provider takes no more calls now; retry with the same request_id"));
        }
        // The money is there already; asking tells how it came.
        not_done::Kind::AlreadyPaid => {
            ask_now(api, order.id).await?;
            return Err(refuse::try_again("this attempt is paid already; read the order back"));
        }
        // Our deployment is wrong, not the attempt, and such an answer need not be signed: it ends nothing. Once a person
        // has mended it, the same request goes through.
        not_done::Kind::Configuration => return Err(refuse::provider_refused(no)),
        not_done::Kind::AlreadyClosed => decide(Word::Closed).await,
        not_done::Kind::Refused => decide(Word::Refused { provider_code: no.provider_code.clone() }).await,
        // Nothing that a prepay can mean in this release.
        not_done::Kind::LoginCodeInvalid
        | not_done::Kind::InsufficientBalance
        | not_done::Kind::PayCodeInvalid
        | not_done::Kind::PayerCannotPay
        | not_done::Kind::TooLate
        | not_done::Kind::Unspecified => {
            ask_now(api, order.id).await?;
            return Err(refuse::provider_unknown());
        }
    };
    if !ended.map_err(|error| refuse::database(&error))? {
        // An earlier sending, whose answer was lost, may have been accepted. Only asking can tell.
        ask_now(api, order.id).await?;
        return Err(refuse::provider_unknown());
    }
    let refusal = refuse::provider_refused(no);
    let mut conn = api.life.pool.acquire().await.map_err(|error| refuse::database(&error))?;
    requests::refuse(&mut conn, &named.app, named.request_id, &encode_refusal(&refusal))
        .await
        .map_err(|error| refuse::database(&error))?;
    Err(refusal)
}

pub(super) async fn ask_now(api: &Api, order: OrderId) -> Result<(), Status> {
    let now = api.life.clock.now();
    let asked = async {
        let mut tx = api.life.pool.begin().await?;
        orders::lock(&mut tx, &[order]).await?;
        asking::ask_soon(&mut tx, &[order], now).await?;
        tx.commit().await
    };
    asked.await.map_err(|error| refuse::database(&error))
}

/// The attempt of this request has ended before its answer could be told. Its caller keeps it, because it changes with the order.
pub(super) fn ended(order: &Order, payment: &Payment) -> Status {
    if order.state == State::Pending {
        return refuse::attempt_ended(order, payment.state.word());
    }
    let status = refuse::order_not_payable(order);
    let words = format!("payment {} is {}; {}", payment.id.name(order.id), payment.state.word(), status.message());
    Status::with_details(Code::FailedPrecondition, words, status.details().to_vec().into())
}

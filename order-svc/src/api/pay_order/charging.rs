//! Charging a pay code or a face whose attempt is already written. It is sent once, by the call that wrote it, and never again:
//! the code is nowhere but in that call. Whoever calls again with the same request id asks, and reads how far it came.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use proto::{
    gateway::v1::{ChargeRequest, NotDone, PaymentStatus, not_done, payment_status},
    time::to_wire,
};
use tonic::Status;

use super::{
    code::Code,
    sending::{Reply, ask_now, ended},
};
use crate::{
    api::{
        Api, get_order, refuse,
        replay::{Named, encode_refusal},
    },
    domain::{
        charge::{LEAVES_WITHIN, LEFT_WITHIN},
        order::Order,
        payment::{Payment, State},
    },
    gateway::{Asked, leave_before, method},
    life::{budget::Kind, decide::Word},
    store::{asking, orders, payments, requests},
};

/// Sends a charge that was written at or after `written_at`, and answers with the attempt as it is then.
pub(super) async fn charge<R: Reply>(
    api: &Api,
    named: &Named,
    reply: &R,
    payment: &Payment,
    code: &Code,
    written_at: Instant,
) -> Result<R::Kept, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let order = {
        let mut conn = api.life.pool.acquire().await.map_err(failed)?;
        orders::find(&mut conn, payment.order_id).await.map_err(failed)?
    };
    let order = order.ok_or_else(|| refuse::order_not_found(payment.order_id))?;
    svc_kit::crash::point("order.charge.before_send");
    let asked = if SignedDuration::try_from(written_at.elapsed()).is_ok_and(|waited| waited <= LEAVES_WITHIN) {
        api.life.gateway.charge(charge_of(&order, payment, code, written_at)).await
    } else {
        // The code may be another by now, and whoever reverses counts from the writing.
        Asked::NotSent { why: "this process stood still".to_owned(), ever: true }
    };
    svc_kit::crash::point("order.charge.answered");
    let is_over = !matches!(asked, Asked::Unknown { over: false, .. });
    if is_over {
        let mut conn = api.life.pool.acquire().await.map_err(failed)?;
        payments::end_sending(&mut conn, payment.id).await.map_err(failed)?;
    }
    let number = payment.id.out_trade_no();
    let refusal = match asked {
        Asked::Done(status) => {
            api.life.measured.charged(status.state().as_str_name());
            charged(api, payment, &status).await?;
            None
        }
        Asked::NotDone(no) => {
            let kind = no.kind();
            api.life.measured.charged(kind.as_str_name());
            tracing::warn!(
                out_trade_no = number,
                kind = kind.as_str_name(),
                provider_code = no.provider_code,
                "charge refused"
            );
            if kind == not_done::Kind::RateLimited {
                api.life.budgets.limited(&payment.merchant, Kind::Charge);
            }
            refused(api, payment, &no).await?
        }
        Asked::Unknown { why, .. } => {
            api.life.measured.charged("UNKNOWN");
            tracing::warn!(out_trade_no = number, why, "charge unknown");
            None
        }
        Asked::NotSent { why, ever } => {
            api.life.measured.charged("NOT_SENT");
            tracing::warn!(out_trade_no = number, why, ever, "charge not sent");
            let refusal = if ever { refuse::attempt_ended(&order, "FAILED") } else { refuse::not_sendable(&why) };
            end(api, payment, Word::Refused { provider_code: String::new() }).await?.then_some(refusal)
        }
    };
    svc_kit::crash::point("order.charge.recorded");
    if let Some(refusal) = refusal {
        let mut conn = api.life.pool.acquire().await.map_err(failed)?;
        let kept = encode_refusal(&refusal);
        requests::refuse(&mut conn, &named.app, named.request_id, &kept).await.map_err(failed)?;
        return Err(refusal);
    }
    as_it_is(api, named, reply, payment).await
}

/// Answers a repeated request: asks about the attempt, at most once a second, and never sends it.
pub(super) async fn read_back<R: Reply>(
    api: &Api,
    named: &Named,
    reply: &R,
    payment: &Payment,
) -> Result<R::Kept, Status> {
    if payment.state.is_open() {
        get_order::refresh(api, payment.order_id).await?;
    }
    as_it_is(api, named, reply, payment).await
}

fn charge_of(order: &Order, payment: &Payment, code: &Code, written_at: Instant) -> ChargeRequest {
    let within = Duration::try_from(LEFT_WITHIN).unwrap_or_default();
    ChargeRequest {
        merchant: payment.merchant.clone(),
        mch_id: payment.mch_id.clone(),
        sub_mch_id: payment.sub_mch_id.clone(),
        app_id: payment.app_id.clone(),
        out_trade_no: payment.id.out_trade_no(),
        amount_fen: payment.amount.get(),
        description: order.description.clone(),
        expire_time: Some(to_wire(order.expire_time)),
        terminal_ip: payment.payer_ip.clone(),
        method: method(payment.method).into(),
        code: code.code.clone(),
        openid: code.openid.clone(),
        particulars: order.particulars.clone(),
        leave_before: leave_before(written_at, within),
    }
}

/// The provider says that it was paid, or that the payer enters a password.
async fn charged(api: &Api, payment: &Payment, status: &PaymentStatus) -> Result<(), Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    api.life.heard_of_charge(payment, status).await.map_err(failed)?;
    if status.state() == payment_status::State::Paid {
        return Ok(());
    }
    let at = api.life.next_ask_of_charge(api.life.clock.now());
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    orders::lock(&mut tx, &[payment.order_id]).await.map_err(failed)?;
    asking::ask_soon(&mut tx, &[payment.order_id], at).await.map_err(failed)?;
    tx.commit().await.map_err(failed)
}

/// What a definite no means to the caller; `None` when it does not end the attempt, so that only asking tells.
async fn refused(api: &Api, payment: &Payment, no: &NotDone) -> Result<Option<Status>, Status> {
    let code = Word::Refused { provider_code: no.provider_code.clone() };
    let (word, refusal) = match no.kind() {
        not_done::Kind::PayCodeInvalid => (code, refuse::pay_code_invalid()),
        not_done::Kind::PayerCannotPay => (code, refuse::payer_cannot_pay(no)),
        // Of the last two, the same code would go through later. It is not kept, and it is good for a minute only.
        not_done::Kind::Refused | not_done::Kind::Configuration | not_done::Kind::RateLimited => {
            (code, refuse::provider_refused(no))
        }
        not_done::Kind::AlreadyClosed => (Word::Closed, refuse::provider_refused(no)),
        // The money is there already; asking tells how it came.
        not_done::Kind::AlreadyPaid
        // Nothing that a charge can mean in this release.
        | not_done::Kind::TooEarly
        | not_done::Kind::LoginCodeInvalid
        | not_done::Kind::InsufficientBalance
        | not_done::Kind::TooLate
        | not_done::Kind::Unspecified => {
            ask_now(api, payment.order_id).await?;
            return Ok(None);
        }
    };
    Ok(end(api, payment, word).await?.then_some(refusal))
}

/// Ends the attempt. False when something else was heard of it meanwhile: then it is asked about at once.
async fn end(api: &Api, payment: &Payment, word: Word) -> Result<bool, Status> {
    let ended = api.life.decide(payment.order_id, payment.id, word).await.map_err(|error| refuse::database(&error))?;
    if !ended {
        ask_now(api, payment.order_id).await?;
    }
    Ok(ended)
}

/// The attempt as it stands in the database. Its end is kept as the answer of the request, so that every repetition hears the same,
/// whatever becomes of the order; all else may still change, and a repeated request shall hear it.
async fn as_it_is<R: Reply>(api: &Api, named: &Named, reply: &R, payment: &Payment) -> Result<R::Kept, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    let order = orders::lock(&mut tx, &[payment.order_id]).await.map_err(failed)?.pop();
    let order = order.ok_or_else(|| refuse::order_not_found(payment.order_id))?;
    let payment = payments::get(&mut tx, payment.id).await.map_err(failed)?;
    let payment = payment.ok_or_else(|| refuse::order_not_found(order.id))?;
    let response = reply.of_charge(&payment).ok_or_else(|| refuse::internal("a scan was answered with a charge"))?;
    match payment.state {
        State::Created | State::Pending => Ok(response),
        State::Closed | State::Failed => {
            let answer = named.refuse(&mut tx, ended(&order, &payment)).await;
            tx.commit().await.map_err(failed)?;
            answer
        }
        State::Succeeded { .. } => {
            let response = named.keep(&mut tx, response).await?;
            svc_kit::crash::point("order.charge.before_kept");
            tx.commit().await.map_err(failed)?;
            svc_kit::crash::point("order.charge.kept");
            tracing::info!(order.name = %order.id, out_trade_no = payment.id.out_trade_no(), "charged");
            Ok(response)
        }
    }
}

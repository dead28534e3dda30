//! `CreateRefund`: writes a refund and reserves its amount, in one transaction with its answer. It is carried out by
//! `life::refund`, for as long as it takes; so equal requests get equal answers, whatever the provider does meanwhile.

use std::sync::Arc;

use money::Fen;
use proto::order::v1::{self, CreateRefundRequest};
use sqlx::PgConnection;
use svc_kit::{outbox, refusal::Violations};
use tonic::{Request, Status};
use uuid::Uuid;
use wechat_pay::v2::limits;

use super::{
    Api, answer, fields, particulars, refuse,
    replay::{Named, content_of, encode_refusal},
};
use crate::{
    config::PROCESS,
    domain::{
        OrderId, PaymentId, RefundId,
        order::{Order, State},
        payment::Payment,
        refund::Cause,
        refunding::{Refusal, Wish, reserve},
    },
    events,
    gateway::Merchant,
    store::{as_kept, orders, payments, refunds, requests},
};

/// The whole call is one transaction, so nobody ever sees this lease.
const LEASE_S: u32 = 1;

pub(super) async fn handle(api: &Api, request: Request<CreateRefundRequest>) -> Result<v1::Refund, Status> {
    let app = api.apps.caller(request.metadata())?;
    let request = request.into_inner();
    let content_sha256 = content_of(&CreateRefundRequest { request_id: String::new(), ..request.clone() });
    let wanted = check(&request)?;
    let named = Named { app, request_id: wanted.request_id, rpc: "CreateRefund", content_sha256 };
    create(api, &named, wanted).await
}

async fn create(api: &Api, named: &Named, wanted: Wanted) -> Result<v1::Refund, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let now = as_kept(api.life.clock.now());
    // Looked at before anything is locked, because pay-gateway may have to be asked.
    let able = able_to_refund(api, named, wanted.order).await?;
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    if let Err(replayed) = named.take::<v1::Refund>(&mut tx, LEASE_S).await? {
        return Ok(replayed);
    }
    if orders::get(&mut tx, &named.app, wanted.order).await.map_err(failed)?.is_none() {
        return Err(refuse::order_not_found(wanted.order));
    }
    let order = orders::lock(&mut tx, &[wanted.order]).await.map_err(failed)?.pop();
    let mut order = order.ok_or_else(|| refuse::order_not_found(wanted.order))?;
    let mut violations = Violations::new();
    particulars::check_goods_of(&order, &wanted.goods, &mut violations);
    violations.finish()?;
    let Some(mut payment) = payment_of(&mut tx, &order, wanted.payment).await? else {
        return keep_refusal(tx, named, no_money(&order, wanted.payment)).await;
    };
    if !able.is_some_and(|merchant| merchant.can_refund && merchant.mch_id == payment.mch_id) {
        return Err(refuse::refund_not_available(&payment.merchant));
    }

    let known = refunds::states_of_payment(&mut tx, payment.id)
        .await
        .map_err(failed)?
        .iter()
        // What the provider has never taken does not count with it.
        .filter(|(_, state)| state != "REJECTED")
        .count();
    let wish = Wish {
        id: RefundId(api.life.clock.uuid_v7()),
        amount: wanted.amount,
        cause: Cause::Requested,
        reason: wanted.reason,
        goods: wanted.goods,
    };
    let refund = match reserve(&mut order, &mut payment, known, wish, now) {
        Ok(refund) => refund,
        Err(refusal) => return keep_refusal(tx, named, refused(&order, wanted.payment, refusal)).await,
    };
    orders::update(&mut tx, &order).await.map_err(failed)?;
    payments::update(&mut tx, &payment).await.map_err(failed)?;
    refunds::insert(&mut tx, &refund).await.map_err(failed)?;
    outbox::enqueue(&mut tx, &events::refund_created(&order, &refund), PROCESS).await.map_err(failed)?;
    let response = named.keep(&mut tx, answer::refund(&refund)).await?;
    svc_kit::crash::point("order.refund.before_written");
    tx.commit().await.map_err(failed)?;
    svc_kit::crash::point("order.refund.written");
    api.life.relay.wake();
    api.life.refund_due.notify_one();
    tracing::info!(
        order.name = %order.id,
        out_refund_no = refund.out_refund_no(),
        amount_fen = refund.amount.get(),
        "refund written"
    );
    Ok(response)
}

/// A definite no is kept like an answer: a slow copy of the request must not do later what its caller was refused.
async fn keep_refusal(
    mut tx: sqlx::Transaction<'_, sqlx::Postgres>,
    named: &Named,
    refusal: Status,
) -> Result<v1::Refund, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let kept = encode_refusal(&refusal);
    requests::refuse(&mut tx, &named.app, named.request_id, &kept).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    Err(refusal)
}

/// The payment that gives the money: the one that was named, or the one that paid the order.
async fn payment_of(tx: &mut PgConnection, order: &Order, named: Option<PaymentId>) -> Result<Option<Payment>, Status> {
    let id = match (named, order.state) {
        (Some(named), _) => named,
        (None, State::Paid { payment, .. }) => payment,
        (None, State::Pending | State::Closed { .. }) => return Ok(None),
    };
    let payment = payments::get(tx, id).await.map_err(|error| refuse::database(&error))?;
    Ok(payment.filter(|payment| payment.order_id == order.id))
}

/// The merchant of an order, as far as it is configured.
async fn able_to_refund(api: &Api, named: &Named, order: OrderId) -> Result<Option<Arc<Merchant>>, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let order = {
        let mut conn = api.life.pool.acquire().await.map_err(failed)?;
        orders::get(&mut conn, &named.app, order)
            .await
            .map_err(failed)?
            .ok_or_else(|| refuse::order_not_found(order))?
    };
    let merchant = api.merchants.get(&order.merchant).await;
    merchant.map_err(|_| refuse::try_again("the list of merchants is not known yet; retry"))
}

fn no_money(order: &Order, named: Option<PaymentId>) -> Status {
    named.map_or_else(
        || refuse::order_not_refundable(order),
        |id| refuse::payment_not_refundable(order, &id.name(order.id)),
    )
}

fn refused(order: &Order, named: Option<PaymentId>, refusal: Refusal) -> Status {
    match refusal {
        Refusal::NotPaid => no_money(order, named),
        Refusal::Exceeds { left } => refuse::refund_exceeds_payment(left),
        Refusal::TooMany => refuse::too_many_refunds(),
        Refusal::TooLate => refuse::refund_too_late(),
    }
}

struct Wanted {
    request_id: Uuid,
    order: OrderId,
    amount: Fen,
    reason: String,
    goods: Vec<v1::RefundGoodsItem>,
    payment: Option<PaymentId>,
}

fn check(request: &CreateRefundRequest) -> Result<Wanted, Status> {
    let mut violations = Violations::new();
    let request_id = fields::request_id(&request.request_id, &mut violations);
    let order: Option<OrderId> = request.order.parse().ok();
    violations.check(order.is_some(), "order", "must look like orders/{uuid}, as CreateOrder returned it");
    violations.check(0 < request.amount_fen, "amount_fen", "must be at least 1 (fen, 1/100 yuan)");
    if !request.reason.is_empty()
        && let Err(wrong) = limits::check_refund_desc(&request.reason)
    {
        violations.push("reason", wrong.to_string());
    }
    particulars::check_refund_goods(&request.goods, request.amount_fen, &mut violations);
    let payment = Some(request.payment.as_str()).filter(|name| !name.is_empty()).map(fields::payment_name);
    let of_this_order = payment.is_none_or(|named| named.is_some_and(|(of, _)| Some(of) == order));
    violations.check(
        of_this_order,
        "payment",
        "must be a payment of this order, orders/{uuid}/payments/{uuid}, or absent for the one that paid it",
    );
    violations.finish()?;
    match (request_id, order) {
        (Some(request_id), Some(order)) => Ok(Wanted {
            request_id,
            order,
            amount: Fen::new(request.amount_fen),
            reason: request.reason.clone(),
            goods: request.goods.clone(),
            payment: payment.flatten().map(|(_, id)| id),
        }),
        _ => Err(refuse::internal("a violation was not told")),
    }
}

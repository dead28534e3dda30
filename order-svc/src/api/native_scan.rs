//! A payer scanned the QR code of a product: the same scan is the same order, the same attempt and the same answer.
//!
//! 1. The scan's own hash names the order and the request, so a repeated scan finds what the first one wrote, also after a crash
//!    between any two steps and also when both come at the same moment.
//! 2. The order is written with its event, and committed.
//! 3. Its payment goes the way of every `PayOrder`: written, sent, answered; the answer is kept under the scan's request id.

use std::{net::IpAddr, time::Duration};

use jiff::{SignedDuration, Timestamp};
use proto::{
    error::ErrorReason,
    gateway::v1::Prepaid,
    order::v1::{NativeScan, NativeScanAnswer, native_scan_answer::Answer},
};
use sha2::{Digest as _, Sha256};
use svc_kit::{outbox, refusal};
use tokio::time::Instant;
use tonic::Status;
use uuid::Uuid;

use super::{
    Api, fields,
    pay_order::{self, Reply, Wanted},
    refuse,
    replay::Named,
};
use crate::{
    config::PROCESS,
    domain::{
        OrderId, ProductCodeId,
        order::{Order, State},
        payment::Payment,
        product_code::ProductCode,
    },
    events,
    store::{as_kept, orders, product_codes},
};

/// WeChat waits five seconds, and the way there and back takes a part of them.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(4);
/// How long the provider may take of that.
const PREPAY_TIME: Duration = Duration::from_secs(3);
/// How soon a scan is looked at again that is being answered at this moment.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// As long as an order lives whose team does not say.
const ORDER_LIFE: SignedDuration = SignedDuration::from_mins(30);

/// Why a payer gets no cashier, in words that they read: at most 128 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum No {
    /// No such product, or not of this account.
    Unknown,
    /// Out of sale.
    Closed,
    /// The order of this scan can no longer be paid.
    Over,
    /// The merchant or the provider does not take it.
    Refused,
    /// Nobody knows yet, or nobody can now.
    Busy,
}

impl No {
    pub(crate) fn words(self) -> &'static str {
        match self {
            No::Unknown => "商品不存在",
            No::Closed => "商品已下架",
            No::Over => "本次扫码已失效，请重新扫码",
            No::Refused => "暂时无法支付，请联系商家",
            No::Busy => "系统繁忙，请稍后重新扫码",
        }
    }

    /// For metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            No::Unknown => "unknown",
            No::Closed => "closed",
            No::Over => "over",
            No::Refused => "refused",
            No::Busy => "busy",
        }
    }

    /// As the phone hears it.
    pub(crate) fn answer(self) -> NativeScanAnswer {
        NativeScanAnswer { answer: Some(Answer::Refusal(self.words().to_owned())) }
    }
}

/// The cashier of one scan, within [`ANSWER_TIME`]. What takes longer goes on, and the next repetition of the scan hears how it
/// ended.
pub(crate) async fn answer(api: &Api, terminal_ip: IpAddr, scan: &NativeScan) -> Result<NativeScanAnswer, No> {
    let deadline = Instant::now() + ANSWER_TIME;
    tokio::time::timeout_at(deadline, answer_slowly(api, terminal_ip, scan)).await.unwrap_or(Err(No::Busy))
}

async fn answer_slowly(api: &Api, terminal_ip: IpAddr, scan: &NativeScan) -> Result<NativeScanAnswer, No> {
    let product = product_of(api, scan).await?;
    let own = OwnName::of(scan);
    let order = order_of(api, &product, &own).await.map_err(|status| no(&status))?;
    loop {
        let wanted = Wanted::of_scan(own.request_id, order, terminal_ip, &product);
        let named = Named {
            app: product.app.clone(),
            request_id: own.request_id,
            rpc: "NativeScan",
            content_sha256: own.content_sha256,
        };
        match pay_order::pay(api, named, wanted, ToPhone).await {
            Err(status) if is(&status, ErrorReason::InProgress) => tokio::time::sleep(LOOK_AGAIN).await,
            answer => return answer.map_err(|status| no(&status)),
        }
    }
}

/// The product that was scanned, when it sells and everything about it agrees.
async fn product_of(api: &Api, scan: &NativeScan) -> Result<ProductCode, No> {
    let known = (fields::is_openid(&scan.openid) && !scan.nonce_str.is_empty())
        .then(|| ProductCodeId::from_product_id(&scan.product_id))
        .flatten()
        .ok_or(No::Unknown)?;
    let found = async {
        let mut conn = api.life.pool.acquire().await?;
        product_codes::find(&mut conn, known).await
    };
    let product = found.await.map_err(|error| no(&refuse::database(&error)))?.ok_or(No::Unknown)?;
    // Only what is known without asking: a payer waits, and the list is read every few seconds.
    let merchant = api.merchants.known_merchant(&product.merchant).ok_or(No::Busy)?;
    let agrees = scan.merchant == product.merchant
        && scan.provider == product.provider
        && scan.mch_id == product.mch_id
        && scan.app_id == product.app_id;
    if !agrees {
        tracing::error!(product_code = %product.id, merchant = scan.merchant, "scanned for another account or app");
        return Err(No::Unknown);
    }
    if product.close_time.is_some() {
        return Err(No::Closed);
    }
    let sells = merchant.mch_id == product.mch_id && merchant.provider == product.provider;
    if !sells || !merchant.sub_mch_id.is_empty() {
        tracing::error!(product_code = %product.id, merchant = product.merchant, "its account has changed: it sells nothing");
        return Err(No::Refused);
    }
    Ok(product)
}

/// What one scan is known by. Whoever reads it learns nothing about the payer: the hash takes in WeChat's random text.
struct OwnName {
    order_no: String,
    request_id: Uuid,
    content_sha256: [u8; 32],
}

impl OwnName {
    fn of(scan: &NativeScan) -> Self {
        let mut hash = Sha256::new();
        // None of them may hold a zero byte that would move the border between two.
        for part in [&scan.product_id, &scan.openid, &scan.nonce_str] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let content_sha256: [u8; 32] = hash.finalize().into();
        let (mut number, mut request_id) = ([0; 16], [0; 16]);
        number.copy_from_slice(&content_sha256[..16]);
        request_id.copy_from_slice(&content_sha256[16..]);
        Self {
            order_no: format!("scan:{}", Uuid::from_bytes(number).simple()),
            request_id: uuid::Builder::from_custom_bytes(request_id).into_uuid(),
            content_sha256,
        }
    }
}

/// The order of a scan: written now, or by the same scan before.
async fn order_of(api: &Api, product: &ProductCode, own: &OwnName) -> Result<OrderId, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let now = as_kept(api.life.clock.now());
    let expire_time =
        now.checked_add(ORDER_LIFE).map_or(now, |at| Timestamp::from_second(at.as_second()).unwrap_or(at));
    let order = Order {
        id: OrderId(api.life.clock.uuid_v7()),
        app: product.app.clone(),
        order_no: own.order_no.clone(),
        merchant: product.merchant.clone(),
        amount: product.amount,
        description: product.description.clone(),
        particulars: product.particulars.clone(),
        product_code: Some(product.id),
        state: State::Pending,
        create_time: now,
        expire_time,
        close_requested_at: None,
        version: Order::FIRST_VERSION,
    };
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    if orders::insert(&mut tx, &order, &own.content_sha256).await.map_err(failed)? {
        outbox::enqueue(&mut tx, &events::order_created(&order), PROCESS).await.map_err(failed)?;
        svc_kit::crash::point("order.scan.before_commit");
        tx.commit().await.map_err(failed)?;
        svc_kit::crash::point("order.scan.committed");
        api.life.relay.wake();
        tracing::info!(order.name = %order.id, merchant = order.merchant, "order created by a scan");
        return Ok(order.id);
    }
    let known = orders::by_order_no(&mut tx, &order.app, &order.order_no).await.map_err(failed)?;
    match known {
        Some((id, content)) if content == own.content_sha256 => Ok(OrderId(id)),
        Some((id, _)) => Err(refuse::order_no_reused(OrderId(id))),
        None => Err(refuse::in_progress()),
    }
}

/// The answer to a scan is the prepaid order itself.
struct ToPhone;

impl Reply for ToPhone {
    type Kept = NativeScanAnswer;

    const TIME: Duration = PREPAY_TIME;

    fn of(&self, _: &Payment, prepaid: Prepaid, _: Timestamp) -> Option<NativeScanAnswer> {
        let prepay_id = Some(prepaid.prepay_id).filter(|prepay_id| !prepay_id.is_empty())?;
        Some(NativeScanAnswer { answer: Some(Answer::PrepayId(prepay_id)) })
    }

    fn of_charge(&self, _: &Payment) -> Option<NativeScanAnswer> {
        None
    }
}

fn is(status: &Status, reason: ErrorReason) -> bool {
    refusal::reason_of(status).as_deref() == Some(reason.word())
}

/// What a refusal that a team would read means to a payer.
fn no(status: &Status) -> No {
    let of = |reasons: &[ErrorReason]| reasons.iter().any(|reason| is(status, *reason));
    if of(&[ErrorReason::OrderNotPayable, ErrorReason::OrderExpired, ErrorReason::TooManyPayments]) {
        No::Over
    } else if of(&[ErrorReason::ProviderRefused, ErrorReason::MethodNotAvailable, ErrorReason::OrderNoReused]) {
        No::Refused
    } else {
        No::Busy
    }
}

#[cfg(test)]
mod tests;

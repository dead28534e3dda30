//! Commands about refunds: what becomes of them, what the merchant platform refunds, what a merchant has left.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use bytes::Bytes;
use http::StatusCode;
use jiff::SignedDuration;
use merchants::{Merchant, NoticeKind};
use money::Fen;
use wechat_pay::v2::{Fields, limits};

use super::{Refused, bad, command, found, optional_command};
use crate::{
    control::{Balance, PlatformRefund, Refund, RefundSource, Settle, SettleDelay},
    ids,
    ledger::Refundable,
    platform::Platform,
};

/// Largest balance: ten billion yuan, so that no refund given back can leave the numbers.
const MAX_BALANCE_FEN: i64 = 1_000_000_000_000;

/// Longest delay: ten years, as far as the clock goes.
const MAX_DELAY_MS: u64 = 10 * 366 * 24 * 3600 * 1000;

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/_sandbox/payments/{out_trade_no}/refund", post(refund_at_platform))
        .route("/_sandbox/refunds/{out_refund_no}/settle", post(settle))
        .route("/_sandbox/settle_delay", post(set_settle_delay))
        .route("/_sandbox/merchants/{name}/balance", get(read_balance).post(set_balance))
}

async fn settle(
    State(platform): State<Arc<Platform>>,
    Path(out_refund_no): Path<String>,
    body: Bytes,
) -> Result<Json<Refund>, Refused> {
    settle_refund(&platform, &out_refund_no, &command(&body)?).map(Json)
}

/// Decides what becomes of a refund; the page's buttons come here too.
pub(crate) fn settle_refund(platform: &Platform, out_refund_no: &str, wanted: &Settle) -> Result<Refund, Refused> {
    let now = platform.clock.now();
    let mut ledger = platform.ledger();
    let lookup = ledger.look_up_refund(out_refund_no, wanted.merchant.as_deref());
    let id = found(lookup, "no refund has this number")?;
    ledger.settle(id, wanted.state, now).map_err(|refused| Refused::new(StatusCode::CONFLICT, refused.to_string()))?;
    platform.due_earlier.notify_one();
    Ok(ledger.refund_view(ledger.refund(id)))
}

async fn refund_at_platform(
    State(platform): State<Arc<Platform>>,
    Path(out_trade_no): Path<String>,
    body: Bytes,
) -> Result<Json<Refund>, Refused> {
    let PlatformRefund { merchant, amount_fen } = optional_command(&body)?;
    let now = platform.clock.now();
    let mut ledger = platform.ledger();
    let id = found(ledger.look_up(&out_trade_no, merchant.as_deref()), "no order has this number")?;
    let order = ledger.order(id);
    let (left, name) = (ledger.refundable(order), order.merchant.to_string());
    let amount = amount_fen.map_or(left, Fen::new);
    if amount_fen.is_some() && limits::check_total_fee(amount).is_err() {
        return Err(bad("amount_fen is 1 to 2147483647"));
    }
    let paid = order.payment.as_ref().map_or(Fen::ZERO, |payment| payment.amount);
    let merchant = known(&platform, &name)?;
    let wanted = Refundable {
        out_refund_no: ids::nonce(),
        total_fee: paid,
        amount,
        source: RefundSource::VendorPlatform,
        notify_url: merchant.notify_url(NoticeKind::Refund),
        requested: Fields::new(),
    };
    let accepted = ledger.accept_refund(id, wanted, now);
    let refund = accepted.map_err(|refused| Refused::new(StatusCode::CONFLICT, refused.to_string()))?;
    platform.due_earlier.notify_one();
    Ok(Json(ledger.refund_view(ledger.refund(refund))))
}

async fn set_settle_delay(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Json<SettleDelay>, Refused> {
    let wanted: SettleDelay = command(&body)?;
    if wanted.delay_ms.is_some_and(|delay_ms| MAX_DELAY_MS < delay_ms) {
        return Err(bad("delay_ms is at most ten years"));
    }
    let delay =
        wanted.delay_ms.map(|delay_ms| SignedDuration::from_millis(i64::try_from(delay_ms).expect("ten years fit")));
    platform.ledger().set_settle_delay(delay);
    Ok(Json(wanted))
}

async fn read_balance(
    State(platform): State<Arc<Platform>>,
    Path(name): Path<String>,
) -> Result<Json<Balance>, Refused> {
    let merchant = known(&platform, &name)?;
    Ok(Json(Balance { fen: platform.ledger().balance(account(&merchant)).map(Fen::get) }))
}

async fn set_balance(
    State(platform): State<Arc<Platform>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Balance>, Refused> {
    let merchant = known(&platform, &name)?;
    let wanted: Balance = command(&body)?;
    if wanted.fen.is_some_and(|fen| !(0..=MAX_BALANCE_FEN).contains(&fen)) {
        return Err(bad("fen is 0 to 1000000000000, or null"));
    }
    platform.ledger().set_balance(account(&merchant), wanted.fen.map(Fen::new));
    Ok(Json(wanted))
}

/// Whose money it is: sub-merchants of one service provider have their own.
fn account(merchant: &Merchant) -> &str {
    merchant.sub_mch_id().unwrap_or_else(|| merchant.mch_id())
}

pub(super) fn known(platform: &Platform, name: &str) -> Result<Arc<Merchant>, Refused> {
    let unknown = || Refused::new(StatusCode::NOT_FOUND, "no merchant has this name");
    platform.merchant_by_name(name).ok_or_else(unknown)
}

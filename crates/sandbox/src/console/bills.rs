//! Commands about bills: what they say otherwise than it happened, and money that moves without a trade.

mod given;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::post,
};
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use money::Fen;
use wechat_pay::v2::limits;

use super::{Refused, bad, command, found, optional_command, refunds::known};
use crate::{
    control::{Misbilled, NewMovement},
    fund_flow::Account,
    ids,
    ledger::{Misbilling, NoRoom, OtherMovement},
    platform::Platform,
};

/// Largest movement: ten billion yuan, so that no balance leaves the numbers.
const MAX_MOVEMENT_FEN: i64 = 1_000_000_000_000;

/// Longest kind and remark, in characters.
const MAX_KIND: usize = 32;
const MAX_REMARK: usize = 64;

/// Largest fee, in thousandths of a fen.
const MAX_FEE_MILLI_FEN: i64 = 1_000_000_000_000;

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/_sandbox/bills/payments/{out_trade_no}", post(misbill_payment))
        .route("/_sandbox/bills/refunds/{out_refund_no}", post(misbill_refund))
        .route("/_sandbox/merchants/{name}/movements", post(enter_movement))
        .merge(given::routes())
}

async fn misbill_payment(
    State(platform): State<Arc<Platform>>,
    Path(out_trade_no): Path<String>,
    body: Bytes,
) -> Result<Json<Misbilled>, Refused> {
    let wanted = checked(&body)?;
    let now = platform.clock.now();
    let mut ledger = platform.ledger();
    let lookup = ledger.look_up(&out_trade_no, wanted.merchant.as_deref());
    let id = found(lookup, "no order has this number")?;
    if ledger.order(id).payment.is_none() {
        return Err(Refused::new(StatusCode::CONFLICT, "the order is not paid, so no bill has it"));
    }
    ledger.misbill(id, Misbilling::new(&wanted, now));
    Ok(Json(wanted))
}

async fn misbill_refund(
    State(platform): State<Arc<Platform>>,
    Path(out_refund_no): Path<String>,
    body: Bytes,
) -> Result<Json<Misbilled>, Refused> {
    let wanted = checked(&body)?;
    if wanted.coupon_fen.is_some() || wanted.revoked {
        return Err(bad("coupon_fen and revoked are about payments"));
    }
    let now = platform.clock.now();
    let mut ledger = platform.ledger();
    let lookup = ledger.look_up_refund(&out_refund_no, wanted.merchant.as_deref());
    let id = found(lookup, "no refund has this number")?;
    ledger.misbill_refund(id, Misbilling::new(&wanted, now));
    Ok(Json(wanted))
}

fn checked(body: &Bytes) -> Result<Misbilled, Refused> {
    let wanted: Misbilled = optional_command(body)?;
    if wanted.amount_fen.is_some_and(|fen| limits::check_total_fee(Fen::new(fen)).is_err()) {
        return Err(bad("amount_fen is 1 to 2147483647"));
    }
    if wanted.coupon_fen.is_some_and(|fen| !(0..=i64::from(i32::MAX)).contains(&fen)) {
        return Err(bad("coupon_fen is 0 to 2147483647"));
    }
    if wanted.fee_milli_fen.is_some_and(|fee| MAX_FEE_MILLI_FEN < fee.saturating_abs()) {
        return Err(bad("fee_milli_fen is at most 1000000000000 either way"));
    }
    Ok(wanted)
}

async fn enter_movement(
    State(platform): State<Arc<Platform>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<NewMovement>, Refused> {
    let merchant = known(&platform, &name)?;
    let wanted: NewMovement = command(&body)?;
    let account = Account::ALL.into_iter().find(|account| account.as_str() == wanted.account);
    let account = account.ok_or_else(|| bad("account is Basic, Operation or Fees"))?;
    if wanted.amount_fen == 0 || MAX_MOVEMENT_FEN < wanted.amount_fen.saturating_abs() {
        return Err(bad("amount_fen is not 0, and at most 1000000000000 either way"));
    }
    if !(1..=MAX_KIND).contains(&wanted.kind.chars().count()) || MAX_REMARK < wanted.remark.chars().count() {
        return Err(bad("kind has 1 to 32 characters, remark at most 64"));
    }
    let now = platform.clock.now();
    let movement = OtherMovement {
        mch_id: merchant.mch_id().to_owned(),
        sub_mch_id: merchant.sub_mch_id().map(str::to_owned),
        account,
        at: Timestamp::from_second(now.as_second()).expect("an instant without its fraction fits"),
        number: ids::refund_id(now),
        kind: wanted.kind.clone(),
        amount: Fen::new(wanted.amount_fen),
        remark: wanted.remark.clone(),
        hidden: wanted.hidden,
    };
    let full = |error: NoRoom| Refused::new(StatusCode::CONFLICT, error.to_string());
    platform.ledger().enter_movement(movement).map_err(full)?;
    Ok(Json(wanted))
}

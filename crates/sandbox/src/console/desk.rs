//! Commands about what WeChat keeps beside the money, and about red packets.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::{get, post},
};
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;

use super::{Refused, bad, command, found};
use crate::{
    control::{Comment, LongUrl, NewComment, RedPacket, RedPackets, RefundRate, Reports, SettleRedPacket},
    platform::Platform,
};

/// Longest comment, in bytes.
const MAX_COMMENT: usize = 512;

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/_sandbox/reports", get(read_reports))
        .route("/_sandbox/comments", post(comment))
        .route("/_sandbox/short_urls", get(long_url))
        .route("/_sandbox/refund_rate", post(set_refund_rate))
        .route("/_sandbox/red-packets", get(read_red_packets))
        .route("/_sandbox/red-packets/{mch_billno}/settle", post(settle_red_packet))
}

async fn read_reports(State(platform): State<Arc<Platform>>) -> Json<Reports> {
    Json(Reports { reports: platform.ledger().desk.reports().cloned().collect() })
}

async fn comment(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Json<Comment>, Refused> {
    let wanted: NewComment = command(&body)?;
    if !(1..=5).contains(&wanted.score) {
        return Err(bad("score is 1 to 5"));
    }
    if MAX_COMMENT < wanted.text.len() {
        return Err(bad("text has at most 512 bytes"));
    }
    let now = platform.clock.now();
    let mut ledger = platform.ledger();
    let lookup = ledger.look_up(&wanted.out_trade_no, wanted.merchant.as_deref());
    let order = ledger.order(found(lookup, "no order has this number")?);
    let unpaid = || Refused::new(StatusCode::CONFLICT, "the order is not paid");
    let comment = Comment {
        transaction_id: order.payment.as_ref().ok_or_else(unpaid)?.transaction_id.clone(),
        at: Timestamp::from_second(now.as_second()).expect("an instant without its fraction fits"),
        score: wanted.score,
        text: wanted.text,
    };
    let account = order.account().to_owned();
    let full = |error: crate::ledger::NoRoom| Refused::new(StatusCode::CONFLICT, error.to_string());
    ledger.desk.comment(&account, comment.clone()).map_err(full)?;
    Ok(Json(comment))
}

#[derive(serde::Deserialize)]
struct ShortUrl {
    url: String,
}

async fn long_url(
    State(platform): State<Arc<Platform>>,
    Query(ShortUrl { url }): Query<ShortUrl>,
) -> Result<Json<LongUrl>, Refused> {
    let ledger = platform.ledger();
    let unknown = || Refused::new(StatusCode::NOT_FOUND, "no such short URL was made here");
    let long_url = ledger.desk.long_url(&url).ok_or_else(unknown)?.to_owned();
    Ok(Json(LongUrl { long_url }))
}

async fn set_refund_rate(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Json<RefundRate>, Refused> {
    let wanted: RefundRate = command(&body)?;
    platform.ledger().refund_rates.set(wanted);
    Ok(Json(wanted))
}

async fn read_red_packets(State(platform): State<Arc<Platform>>) -> Json<RedPackets> {
    let now = platform.clock.now();
    Json(RedPackets { red_packets: platform.ledger().red_packets.views(now) })
}

async fn settle_red_packet(
    State(platform): State<Arc<Platform>>,
    Path(mch_billno): Path<String>,
    body: Bytes,
) -> Result<Json<RedPacket>, Refused> {
    let SettleRedPacket { status, merchant } = command(&body)?;
    let now = platform.clock.now();
    let mut ledger = platform.ledger();
    let at = found(ledger.red_packets.look_up(&mch_billno, merchant.as_deref()), "no red packet has this number")?;
    let settled = ledger.red_packets.settle(at, status, now);
    let refused = |end: crate::control::RedPacketStatus| {
        Refused::new(StatusCode::CONFLICT, format!("the red packet is {} already", end.as_str()))
    };
    settled.map(Json).map_err(refused)
}

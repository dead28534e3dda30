//! The control API under `/_sandbox/`.

mod bills;
mod desk;
mod opened;
mod pay_codes;
mod refunds;

use std::{
    sync::{Arc, MutexGuard},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use money::Fen;
use serde::de::DeserializeOwned;
use wechat_pay::v2::limits;

use crate::{
    control::{
        ActiveFault, Advance, ClockState, FaultRule, Faults, Ledger, LoginCode, NewLoginCode, Paid, Pay, Problem,
    },
    ids,
    ledger::{CallbackId, Filter, Lookup, OrderId, Payable, Payment, PaymentRefused},
    login::CodeKind,
    platform::Platform,
};

/// Longest wait for the clock to move; shorter than any client's patience.
const CLOCK_POLL: Duration = Duration::from_secs(20);

/// Largest command.
const MAX_COMMAND_BYTES: usize = 64 * 1024;

/// Longest transaction id that may be chosen, in digits.
const MAX_TRANSACTION_ID: usize = 32;

pub(crate) use opened::pay_opened;
pub(crate) use pay_codes::show_pay_code;
pub(crate) use refunds::settle_refund;

pub(crate) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/_sandbox/clock", get(read_clock).post(advance_clock))
        .route("/_sandbox/login_codes", post(make_login_code))
        .route("/_sandbox/payments/{out_trade_no}/pay", post(pay))
        .merge(opened::routes())
        .merge(refunds::routes())
        .merge(bills::routes())
        .merge(pay_codes::routes())
        .merge(desk::routes())
        .route("/_sandbox/ledger", get(read_ledger))
        .route("/_sandbox/faults", get(list_faults).post(add_fault).delete(clear_faults))
        .layer(DefaultBodyLimit::max(MAX_COMMAND_BYTES))
}

/// Why a command was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    error: String,
}

impl Refused {
    fn new(status: StatusCode, error: impl Into<String>) -> Refused {
        Refused { status, error: error.into() }
    }

    /// One sentence for people.
    pub(crate) fn sentence(&self) -> &str {
        &self.error
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(Problem { error: self.error })).into_response()
    }
}

/// Reads a command; its content type does not matter, so that `curl -d` is enough.
fn command<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| bad(error.to_string()))
}

/// Reads a command that may be left out.
fn optional_command<T: DeserializeOwned + Default>(body: &Bytes) -> Result<T, Refused> {
    if body.is_empty() { Ok(T::default()) } else { command(body) }
}

fn bad(error: impl Into<String>) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, error)
}

#[derive(serde::Deserialize)]
struct After {
    after: Option<i64>,
}

async fn read_clock(State(platform): State<Arc<Platform>>, Query(query): Query<After>) -> Json<ClockState> {
    if let Some(after) = query.after {
        tokio::select! {
            () = platform.clock.moved_from(after) => {}
            () = tokio::time::sleep(CLOCK_POLL) => {}
            () = platform.stop.cancelled() => {}
        }
    }
    Json(platform.clock.read())
}

async fn advance_clock(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Json<ClockState>, Refused> {
    let Advance { advance_ms } = command(&body)?;
    platform.clock.advance(advance_ms).map(Json).map_err(|error| bad(error.to_string()))
}

async fn make_login_code(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Json<LoginCode>, Refused> {
    let NewLoginCode { app_id, openid } = command(&body)?;
    if platform.app(&app_id).is_none() {
        return Err(Refused::new(StatusCode::NOT_FOUND, "no merchant is paired with this app id"));
    }
    if openid.as_ref().is_some_and(|openid| limits::check_openid(openid).is_err()) {
        return Err(bad("an openid has 1 to 128 letters, digits, hyphens and underscores"));
    }
    let (code, openid) = platform.logins().make(CodeKind::Login, &app_id, openid, platform.clock.now());
    Ok(Json(LoginCode { code, openid }))
}

async fn pay(
    State(platform): State<Arc<Platform>>,
    Path(out_trade_no): Path<String>,
    body: Bytes,
) -> Result<Json<Paid>, Refused> {
    pay_order(&platform, &out_trade_no, optional_command(&body)?).map(Json)
}

/// Lets the user pay; the page's button comes here too.
pub(crate) fn pay_order(platform: &Platform, out_trade_no: &str, wanted: Pay) -> Result<Paid, Refused> {
    if wanted.amount_fen.is_some_and(|fen| limits::check_total_fee(Fen::new(fen)).is_err()) {
        return Err(bad("amount_fen is 1 to 2147483647"));
    }
    let is_number =
        |id: &String| (1..=MAX_TRANSACTION_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    if wanted.transaction_id.as_ref().is_some_and(|id| !is_number(id)) {
        return Err(bad("transaction_id is 1 to 32 digits"));
    }
    let ledger = platform.ledger();
    let id = found(ledger.look_up(out_trade_no, wanted.merchant.as_deref()), "no order has this number")?;
    pay_found(platform, ledger, id, wanted, None)
}

/// Lets the user pay an order that was found in this ledger: whom the order names, otherwise `payer` or a new user.
fn pay_found(
    platform: &Platform,
    mut ledger: MutexGuard<'_, crate::ledger::Ledger>,
    id: OrderId,
    wanted: Pay,
    payer: Option<String>,
) -> Result<Paid, Refused> {
    let now = platform.clock.now();
    // Messages and bills say whole seconds, and so does the ledger.
    let paid_at = Timestamp::from_second(now.as_second()).expect("an instant without its fraction fits");
    let order = ledger.order(id);
    let payment = Payment {
        transaction_id: wanted.transaction_id.unwrap_or_else(|| ids::transaction_id(paid_at)),
        amount: wanted.amount_fen.map_or(order.amount, Fen::new),
        fee_type: wanted.fee_type.unwrap_or_else(|| order.fee_type.clone()),
        app_id: wanted.app_id.unwrap_or_else(|| order.app_id.clone()),
        openid: ledger.payer(id).or(payer).unwrap_or_else(ids::openid),
        paid_at,
    };
    let (merchant, out_trade_no) = (order.merchant.to_string(), order.out_trade_no.clone());
    let (transaction_id, amount_fen) = (payment.transaction_id.clone(), payment.amount.get());
    let callback = ledger
        .pay(id, Payable { payment, now, in_cashier: wanted.in_cashier })
        .map_err(|refused: PaymentRefused| Refused::new(StatusCode::CONFLICT, refused.to_string()))?;
    drop(ledger);
    platform.due_earlier.notify_one();
    let callback_id = callback.map(CallbackId::number);
    Ok(Paid { merchant, out_trade_no, transaction_id, amount_fen, paid_at, callback_id })
}

/// The one that is meant, or why it is not clear which.
fn found<T>(lookup: Lookup<T>, unknown: &str) -> Result<T, Refused> {
    match lookup {
        Lookup::Found(id) => Ok(id),
        Lookup::Unknown => Err(Refused::new(StatusCode::NOT_FOUND, unknown)),
        Lookup::Ambiguous => Err(Refused::new(StatusCode::CONFLICT, "two merchants used this number: name one")),
    }
}

async fn read_ledger(State(platform): State<Arc<Platform>>, Query(filter): Query<Filter>) -> Json<Ledger> {
    let clock = platform.clock.read();
    Json(platform.ledger().view(clock, &filter))
}

async fn add_fault(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Json<ActiveFault>, Refused> {
    let rule: FaultRule = command(&body)?;
    platform.rules().add(rule).map(Json).map_err(|error| bad(error.to_string()))
}

async fn list_faults(State(platform): State<Arc<Platform>>) -> Json<Faults> {
    Json(platform.rules().list())
}

async fn clear_faults(State(platform): State<Arc<Platform>>) -> Json<Faults> {
    let mut rules = platform.rules();
    rules.clear();
    Json(rules.list())
}

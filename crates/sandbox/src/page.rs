//! The page at `/`: who waits to be paid, what was paid and refunded, what we were told about it. Rendered here, refreshed by the
//! browser every two seconds, without a script.

mod html;
mod pay_code;
mod phone;
mod sections;

use std::sync::Arc;

use axum::{
    Form, Router,
    extract::{Query, State},
    response::{Html, Redirect},
    routing::{get, post},
};
use jiff::{SignedDuration, ToSpan as _};
use wechat_pay::time;

use crate::{
    console::{pay_order, settle_refund},
    control::{Pay, RefundState, Settle},
    platform::Platform,
};

/// Orders, refunds and callbacks shown, newest first.
const SHOWN: usize = 50;

/// When the button "next morning" stops: bills can be fetched from 10:00 Beijing time on.
const MORNING: SignedDuration = SignedDuration::from_mins(10 * 60 + 5);

pub(crate) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/", get(show))
        .route("/pay", post(pay))
        .route("/settle", post(settle))
        .route("/advance", post(advance))
        .route("/clear_faults", post(clear_faults))
        .merge(phone::routes())
        .merge(pay_code::routes())
}

#[derive(serde::Deserialize)]
struct Said {
    said: Option<String>,
}

async fn show(State(platform): State<Arc<Platform>>, Query(Said { said }): Query<Said>) -> Html<String> {
    let clock = platform.clock.read();
    let (open, latest, refunds) = {
        let ledger = platform.ledger();
        (ledger.latest_open(clock.now, SHOWN), ledger.latest(clock, SHOWN), ledger.latest_refunds(SHOWN))
    };
    let faults = platform.rules().list();
    Html(sections::page(said.as_deref(), &open, &latest, &refunds, &faults))
}

#[derive(serde::Deserialize)]
struct PayForm {
    out_trade_no: String,
    merchant: String,
}

async fn pay(State(platform): State<Arc<Platform>>, Form(form): Form<PayForm>) -> Redirect {
    let command = Pay { merchant: Some(form.merchant), ..Pay::default() };
    match pay_order(&platform, &form.out_trade_no, command) {
        Ok(paid) => back(&format!("paid {}: transaction {}", paid.out_trade_no, paid.transaction_id)),
        Err(refused) => back(&format!("not paid: {}", refused.sentence())),
    }
}

#[derive(serde::Deserialize)]
struct SettleForm {
    out_refund_no: String,
    merchant: String,
    state: RefundState,
}

async fn settle(State(platform): State<Arc<Platform>>, Form(form): Form<SettleForm>) -> Redirect {
    let command = Settle { state: form.state, merchant: Some(form.merchant) };
    match settle_refund(&platform, &form.out_refund_no, &command) {
        Ok(refund) => back(&format!("refund {} is {}", refund.out_refund_no, refund.state.as_str())),
        Err(refused) => back(&format!("not settled: {}", refused.sentence())),
    }
}

#[derive(serde::Deserialize)]
struct AdvanceForm {
    /// Seconds, or `morning` for 10:05 Beijing time of the next day.
    by: String,
}

async fn advance(State(platform): State<Arc<Platform>>, Form(form): Form<AdvanceForm>) -> Redirect {
    let by_ms = match form.by.as_str() {
        "morning" => until_morning_ms(&platform),
        seconds => seconds.parse::<u64>().ok().and_then(|seconds| seconds.checked_mul(1000)),
    };
    match by_ms.map(|by_ms| platform.clock.advance(by_ms)) {
        Some(Ok(state)) => back(&format!("the clock says {}", time::print_spaced(state.now))),
        Some(Err(error)) => back(&error.to_string()),
        None => back("the clock did not move: not a number of seconds"),
    }
}

async fn clear_faults(State(platform): State<Arc<Platform>>) -> Redirect {
    platform.rules().clear();
    back("no fault is in force")
}

fn until_morning_ms(platform: &Platform) -> Option<u64> {
    let now = platform.clock.now();
    let tomorrow = time::bill_date(now).checked_add(1.day()).ok()?;
    let morning = time::day_start(tomorrow)?.checked_add(MORNING).ok()?;
    u64::try_from(morning.duration_since(now).as_millis()).ok()
}

/// Back to the page, with what came of it in words. A reload then repeats nothing.
fn back(said: &str) -> Redirect {
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("said", said).finish();
    Redirect::to(&format!("/?{query}"))
}

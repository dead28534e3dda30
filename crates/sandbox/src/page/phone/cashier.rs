//! The cashier of one order: pay, pay with a card that is declined, or leave.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Query, State},
    response::{Html, Redirect},
};
use money::Fen;
use url::Url;

use super::{home, view};
use crate::{console::pay_opened, control::Shown, platform::Platform, scan};

#[derive(serde::Deserialize)]
pub(super) struct Opened {
    prepay_id: String,
}

pub(super) async fn show(State(platform): State<Arc<Platform>>, Query(opened): Query<Opened>) -> Html<String> {
    Html(page(&platform, &opened.prepay_id, None))
}

/// The page of an order's cashier, or why it does not open. `back` is where an H5 payer returns to.
pub(super) fn page(platform: &Platform, prepay_id: &str, back: Option<&str>) -> String {
    let now = platform.clock.now();
    let ledger = platform.ledger();
    let shown = ledger.prepay(prepay_id).map(|prepay| scan::cashier(&ledger, prepay, now));
    match shown {
        Some(Shown::Cashier(cashier)) => view::cashier(&cashier, back),
        Some(Shown::Refusal { refusal: why } | Shown::Nothing { why }) => view::sentence("Nothing to pay", &why),
        None => view::sentence("Nothing to pay", "WeChat does not know this prepay id"),
    }
}

/// Where the cashier of a prepay id is.
pub(super) fn at(prepay_id: &str) -> Redirect {
    let query: String =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("prepay_id", prepay_id).finish();
    Redirect::to(&format!("/phone/cashier?{query}"))
}

/// What the user does in the cashier.
#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum How {
    Pay,
    Declined,
    Cancel,
}

#[derive(serde::Deserialize)]
pub(super) struct PayForm {
    prepay_id: String,
    how: How,
    /// The form stands in a cashier that opened.
    #[serde(default)]
    in_cashier: bool,
    #[serde(default)]
    redirect_url: String,
}

/// Pays or does not. An H5 payer returns to the shop whichever it was.
pub(super) async fn pay(State(platform): State<Arc<Platform>>, Form(form): Form<PayForm>) -> Redirect {
    let said = match form.how {
        How::Pay => pay_as_owner(&platform, &form),
        // The order knows nothing of it and can still be paid.
        How::Declined => "the bank declined the card: nothing was paid".to_owned(),
        How::Cancel => "left the cashier: nothing was paid".to_owned(),
    };
    match back_to_shop(&form.redirect_url) {
        Some(shop) => Redirect::to(shop.as_str()),
        None => home(&said),
    }
}

fn pay_as_owner(platform: &Platform, form: &PayForm) -> String {
    let app_id = {
        let ledger = platform.ledger();
        ledger.prepay(&form.prepay_id).map(|prepay| ledger.order(prepay.order).app_id.clone())
    };
    let payer = app_id.map(|app_id| platform.phone_openid(&app_id));
    match pay_opened(platform, &form.prepay_id, payer, form.in_cashier) {
        Ok(paid) => format!(
            "paid ¥{} for {}: transaction {}",
            Fen::new(paid.amount_fen),
            paid.out_trade_no,
            paid.transaction_id
        ),
        Err(refused) => format!("not paid: {}", refused.sentence()),
    }
}

/// Where an H5 payer returns to, when that is a web address.
pub(super) fn back_to_shop(redirect_url: &str) -> Option<Url> {
    Url::parse(redirect_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

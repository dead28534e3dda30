//! The phone at `/phone`: whoever holds it scans codes, opens cashiers, pays or does not, and agrees to OAuth. Forms alone, no
//! script.

mod cashier;
mod consent;
mod h5;
mod view;

use std::sync::Arc;

use axum::{
    Form, Router,
    extract::{Query, State},
    response::{Html, IntoResponse as _, Redirect, Response},
    routing::{get, post},
};

use super::Said;
use crate::{
    control::{Scan, Shown},
    platform::Platform,
    scan,
    wire::H5_PATH,
};

/// Open orders shown, newest first.
const SHOWN: usize = 20;

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/phone", get(show))
        .route("/phone/scan", post(scan))
        .route("/phone/cashier", get(cashier::show))
        .route("/phone/pay", post(cashier::pay))
        .route(H5_PATH, get(h5::show))
        .route(consent::PATH, get(consent::show).post(consent::agree))
}

async fn show(State(platform): State<Arc<Platform>>, Query(Said { said }): Query<Said>) -> Html<String> {
    let open = platform.ledger().latest_openable(platform.clock.now(), SHOWN);
    Html(view::home(said.as_deref(), &open))
}

#[derive(serde::Deserialize)]
struct ScanForm {
    text: String,
}

async fn scan(State(platform): State<Arc<Platform>>, Form(form): Form<ScanForm>) -> Response {
    let wanted = Scan { code_url: form.text, ..Scan::default() };
    match scan::scan(&platform, &wanted).await.shown {
        Shown::Cashier(cashier) => cashier::at(&cashier.prepay_id).into_response(),
        Shown::Refusal { refusal } => Html(view::sentence("The merchant says", &refusal)).into_response(),
        Shown::Nothing { why } => Html(view::sentence("Nothing to pay", &why)).into_response(),
    }
}

/// Back to the phone's first page, with what came of it in words. A reload then repeats nothing.
fn home(said: &str) -> Redirect {
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("said", said).finish();
    Redirect::to(&format!("/phone?{query}"))
}

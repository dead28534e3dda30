//! The page at `/phone/pay-code`: a phone that shows its pay code to a cashier's scanner.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Form, Router,
    extract::{Query, State},
    response::{Html, Redirect},
    routing::get,
};

use super::html::{STYLE, text};
use crate::{
    console::show_pay_code,
    control::{NewPayCode, PayBehaviour},
    platform::Platform,
};

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new().route("/phone/pay-code", get(show).post(make))
}

#[derive(serde::Deserialize)]
struct Shown {
    code: Option<String>,
    behaviour: Option<PayBehaviour>,
    said: Option<String>,
}

async fn show(Query(shown): Query<Shown>) -> Html<String> {
    let code = match (&shown.code, &shown.said) {
        (_, Some(said)) => format!("<p class=\"said\">{}</p>", text(said)),
        (Some(code), None) => {
            format!("<p id=\"code\" style=\"font: min(2rem, 7vw) ui-monospace, monospace\">{}</p>", text(code))
        }
        (None, None) => "<p class=\"soft\">A code works once, for a minute.</p>".to_owned(),
    };
    let chosen = shown.behaviour.unwrap_or_default();
    let mut options = String::new();
    for behaviour in PayBehaviour::ALL {
        let selected = if behaviour == chosen { " selected" } else { "" };
        let _ = write!(options, "<option{selected}>{}</option>", behaviour.as_str());
    }
    Html(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Pay code</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\
         <header><h1>Pay code</h1><a href=\"/phone\">Phone</a></header>{code}<form method=\"post\" action=\"/phone/pay-code\">\
         <p><label>The user <select name=\"behaviour\">{options}</select></label></p>\
         <p><label>pays_late: after <input name=\"after_s\" type=\"number\" value=\"5\" min=\"0\" max=\"86400\"> s\
         </label></p><button class=\"pay\">Show a code</button></form></body></html>"
    ))
}

#[derive(serde::Deserialize)]
struct NewCode {
    behaviour: PayBehaviour,
    after_s: u32,
}

async fn make(State(platform): State<Arc<Platform>>, Form(NewCode { behaviour, after_s }): Form<NewCode>) -> Redirect {
    let wanted = NewPayCode { openid: None, behaviour, after_s };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    match show_pay_code(&platform, wanted) {
        Ok(code) => query.append_pair("code", &code.auth_code).append_pair("behaviour", behaviour.as_str()),
        Err(refused) => query.append_pair("said", refused.sentence()),
    };
    Redirect::to(&format!("/phone/pay-code?{}", query.finish()))
}

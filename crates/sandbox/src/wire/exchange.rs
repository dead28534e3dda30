use std::time::Duration;

use axum::{body::Body, response::Response};
use http::{StatusCode, header};

use crate::{accept::hang_up, control::Fault, platform::Platform};

/// What WeChat writes above every answer of its payment calls.
const CONTENT_TYPE: &str = "text/plain;charset=utf-8";

/// An answer that is no answer: what a gateway in between would say.
const GARBAGE: &str = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body>";

/// Carries a call out as the fault wants it. `execute` does the work and answers; `refuse` answers with an error code.
pub(super) async fn with_fault(
    platform: &Platform,
    fault: Option<Fault>,
    path: &str,
    execute: impl FnOnce(Option<&Fault>) -> Response,
    refuse: impl FnOnce(&str) -> Response,
) -> Response {
    match &fault {
        Some(Fault::NotExecuted) => hang_up(),
        Some(Fault::Lost) => {
            execute(None);
            hang_up()
        }
        Some(Fault::Late { delay_ms }) => {
            let response = execute(None);
            tokio::select! {
                () = platform.stop.cancelled() => {}
                () = tokio::time::sleep(Duration::from_millis(*delay_ms)) => {}
            }
            response
        }
        Some(Fault::Status { status, executed }) => {
            if *executed {
                execute(None);
            }
            let status = StatusCode::from_u16(*status).expect("the rule was checked");
            with_status(status, format!("<html><body><h1>{status}</h1></body></html>"))
        }
        Some(Fault::Garbage) => {
            execute(None);
            text(GARBAGE)
        }
        Some(Fault::ErrorCode { code, executed }) => {
            if *executed {
                execute(None);
            }
            refuse(code)
        }
        Some(Fault::Redirect) => {
            let mut response = with_status(StatusCode::TEMPORARY_REDIRECT, String::new());
            // A path that came in as a header line can go out as one.
            let location = path.parse().expect("a request path is a header value");
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        other => execute(other.as_ref()),
    }
}

/// An answer with HTTP 200, which is also how failures are answered.
pub(super) fn text(body: impl Into<Body>) -> Response {
    with_status(StatusCode::OK, body)
}

/// An answer with another status.
pub(super) fn with_status(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(CONTENT_TYPE));
    response
}

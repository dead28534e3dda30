use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use wechat_pay::v2::notice;

use crate::outcome::{Kind, Outcome};

/// `SUCCESS` when the provider need not come again, `FAIL` with the reason's word otherwise.
///
/// WeChat reads XML only and takes anything but `SUCCESS` for a failure, whatever the status; a callback that we could not
/// keep is 503, so that whoever watches the ingress sees the difference.
///
/// Source: WeChat Pay v2 docs, "Payment result notification", read 2026-08.
pub(crate) fn answer(outcome: Outcome) -> Response<Full<Bytes>> {
    let status = match outcome.kind() {
        Kind::Taken => return xml(notice::SUCCESS),
        Kind::Refused | Kind::Unread => StatusCode::OK,
        Kind::Later => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = xml(notice::fail(outcome.word()));
    *response.status_mut() = status;
    response
}

/// An answer with this text.
pub(super) fn xml(text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn said(outcome: Outcome) -> (u16, String) {
        let response = answer(outcome);
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("it is whole").to_bytes();
        (status, String::from_utf8(body.to_vec()).expect("it is text"))
    }

    #[tokio::test]
    async fn a_recorded_notice_is_answered_in_the_words_of_the_documentation() {
        let text = "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";
        assert_eq!(said(Outcome::Recorded).await, (200, text.to_owned()));
        assert_eq!(said(Outcome::NotPaid).await, (200, text.to_owned()));
    }

    #[tokio::test]
    async fn nothing_else_is_answered_with_success() {
        for outcome in Outcome::ALL.into_iter().filter(|outcome| outcome.kind() != Kind::Taken) {
            let (status, text) = said(outcome).await;
            let later = outcome.kind() == Kind::Later;
            assert_eq!(status, if later { 503 } else { 200 }, "{outcome:?}");
            assert!(text.starts_with("<xml><return_code><![CDATA[FAIL]]></return_code>"), "{outcome:?}: {text}");
            assert!(!text.contains("SUCCESS"), "{outcome:?}: {text}");
        }
    }
}

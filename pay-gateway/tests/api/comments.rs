use jiff::{SignedDuration, ToSpan as _};
use proto::gateway::v1::{self, list_comments_response::Outcome, not_done::Kind};
use svc_kit::refusal::reason_of;
use tonic::Code;
use wechat_pay::v2::{ApiKey, SignType, sign};

use crate::{
    counter::{certified, named, plain},
    fake::{Fake, Reply},
    harness::{APP_ID, Gateway, KEY, MERCHANT, TRANSACTION, logs},
};

const WORDS: &str = "水果很新鲜,下次再来";

fn page() -> Reply {
    Reply::ok(format!("`7\n`2026-11-20 10:00:05,`{TRANSACTION},`5,`{WORDS}\n"))
}

fn request(gateway: &Gateway) -> v1::ListCommentsRequest {
    let ago = |hours: i64| Some(proto::time::to_wire(gateway.ahead(SignedDuration::from_hours(-hours))));
    v1::ListCommentsRequest {
        merchant: MERCHANT.into(),
        app_id: APP_ID.into(),
        begin_time: ago(48),
        end_time: ago(24),
        offset: 3,
        limit: 0,
    }
}

async fn outcome(reply: Reply) -> Outcome {
    let gateway = certified(&Fake::always(reply).await).await;
    let response = gateway.tools.clone().list_comments(request(&gateway)).await.expect("an outcome");
    response.into_inner().outcome.expect("an outcome is set")
}

#[tokio::test]
async fn comments_are_listed_and_stay_out_of_the_log() {
    let fake = Fake::always(page()).await;
    let gateway = certified(&fake).await;
    let response = gateway.tools.clone().list_comments(request(&gateway)).await.expect("an outcome").into_inner();
    let Some(Outcome::Done(comments)) = response.outcome else { panic!("they are listed") };
    assert_eq!((comments.next_offset, comments.comments.len()), (7, 1));
    let comment = &comments.comments[0];
    assert_eq!((comment.transaction_id.as_str(), comment.score.as_str()), (TRANSACTION, "5"));
    assert_eq!(comment.text, WORDS);
    assert_eq!(comment.time, Some(proto::time::to_wire("2026-11-20T02:00:05Z".parse().expect("an instant"))));

    let sent = fake.only();
    assert!(sent.line().starts_with("POST /billcommentsp/batchquerycomment HTTP/1.1"));
    let key = ApiKey::parse(KEY).expect("a key");
    assert_eq!(sign::verify(&sent.fields, &key, SignType::HmacSha256), Ok(()));
    assert_eq!((sent.fields.get("offset"), sent.fields.get("limit")), (Some("3"), Some("200")));
    let log = logs().text();
    assert!(log.contains("list_comments for acme-mini: done (done)") && !log.contains(WORDS));
}

#[tokio::test]
async fn a_failure_is_told_and_what_cannot_be_read_is_unknown() {
    let failure = |code| plain(&[("return_code", "SUCCESS"), ("result_code", "FAIL"), ("err_code", code)]);
    for (code, kind) in [("SIGNERROR", Kind::Configuration), ("FREQUENCY_LIMITED", Kind::RateLimited)] {
        let Outcome::NotDone(no) = outcome(failure(code)).await else { panic!("{code} is a no") };
        assert_eq!((no.kind(), no.provider_code.as_str()), (kind, code));
    }
    for (reply, why) in [
        (failure("SYSTEMERROR"), "system_error"),
        (failure("A_NEW_CODE"), "unlisted_code"),
        (plain(&[("return_code", "FAIL"), ("return_msg", "系统繁忙")]), "unsigned_failure"),
        (Reply::ok("<html>"), "bad_answer"),
        (Reply::ok("nothing\n"), "bad_answer"),
        (Reply::status("502 Bad Gateway", "", ""), "http_status"),
        (Reply::HangUp, "transport"),
    ] {
        let Outcome::Unknown(unknown) = outcome(reply).await else { panic!("{why} is unknown") };
        assert_eq!(unknown.why, why);
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_sent() {
    let fake = Fake::always(page()).await;
    let gateway = certified(&fake).await;
    let refused = async |request: v1::ListCommentsRequest| {
        named(&gateway.tools.clone().list_comments(request).await.expect_err("refused"))
    };
    let all = ["merchant", "app_id", "begin_time", "end_time"];
    assert_eq!(refused(v1::ListCommentsRequest::default()).await, all);
    let good = request(&gateway);
    let long_ago = wechat_pay::time::bill_date(gateway.clock.now()).checked_sub(3.months()).expect("in the calendar");
    let long_ago = wechat_pay::time::day_start(long_ago).expect("in the calendar") - SignedDuration::from_secs(1);
    for (field, request) in [
        ("begin_time", v1::ListCommentsRequest { begin_time: Some(proto::time::to_wire(long_ago)), ..good.clone() }),
        ("end_time", v1::ListCommentsRequest { end_time: good.begin_time, ..good.clone() }),
        ("offset", v1::ListCommentsRequest { offset: -1, ..good.clone() }),
        ("limit", v1::ListCommentsRequest { limit: 201, ..good.clone() }),
        ("limit", v1::ListCommentsRequest { limit: -1, ..good.clone() }),
    ] {
        assert_eq!(refused(request).await, [field]);
    }
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn a_merchant_without_client_certificate_is_told_so() {
    let fake = Fake::always(page()).await;
    let gateway = Gateway::before(&fake).await;
    let status = gateway.tools.clone().list_comments(request(&gateway)).await.expect_err("refused");
    assert_eq!(
        (status.code(), reason_of(&status).as_deref()),
        (Code::FailedPrecondition, Some("METHOD_NOT_AVAILABLE"))
    );
    assert!(fake.received().is_empty());
}

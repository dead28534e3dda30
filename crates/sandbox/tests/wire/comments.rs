use sandbox::control::{Comment, NewComment};
use serde_json::json;
use wechat_pay::{time, v2::xml};

use crate::harness::{ACME, Account, Bench, TEA, outcome};

const PATH: &str = "/billcommentsp/batchquerycomment";

async fn comment(bench: &Bench, out_trade_no: &str, score: u8, text: &str) -> Comment {
    let wanted = NewComment { out_trade_no: out_trade_no.into(), merchant: None, score, text: text.into() };
    bench.command("comments", &wanted).await.json().await.unwrap()
}

/// Comments of [`ACME`] about today, or with these changes.
async fn ask(bench: &Bench, changes: &[(&str, &str)]) -> String {
    let now = bench.clock().await.now;
    let (from, to) = (now - jiff::SignedDuration::from_hours(1), now + jiff::SignedDuration::from_hours(1));
    let (from, to) = (time::print_14(from), time::print_14(to));
    let mut fields = vec![("begin_time", &*from), ("end_time", &*to), ("offset", "0"), ("limit", "200")];
    fields.extend_from_slice(changes);
    let response = bench.send_certified(&ACME, PATH, &ACME.signed(&fields)).await;
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

#[tokio::test]
async fn comments_come_in_pages_whose_offset_is_no_count() {
    let bench = Bench::start().await;
    bench.sell(&TEA, "T00000001", 100).await;
    comment(&bench, "T00000001", 5, "of another merchant").await;
    let mut written = Vec::new();
    for (number, score, text) in [("A00000001", 5, "好,很好"), ("A00000002", 1, "")] {
        bench.sell(&ACME, number, 100).await;
        written.push(comment(&bench, number, score, text).await);
    }
    let line = |comment: &Comment| {
        let (at, id, score, text) =
            (time::print_spaced(comment.at), &comment.transaction_id, comment.score, &comment.text);
        format!("`{at},`{id},`{score},`{text}\n")
    };
    assert_eq!(ask(&bench, &[]).await, format!("`3\n{}{}", line(&written[0]), line(&written[1])));
    let first = ask(&bench, &[("limit", "1")]).await;
    assert_eq!(first, format!("`2\n{}", line(&written[0])));
    assert_eq!(ask(&bench, &[("offset", "2")]).await, format!("`3\n{}", line(&written[1])));
    assert_eq!(ask(&bench, &[("offset", "3")]).await, "`3\n");
}

#[tokio::test]
async fn a_question_that_is_none_is_refused_in_xml() {
    let bench = Bench::start().await;
    for (changes, code) in [
        (vec![("begin_time", "")], "LACK_PARAMS"),
        (vec![("end_time", "")], "LACK_PARAMS"),
        (vec![("offset", "")], "LACK_PARAMS"),
        (vec![("limit", "201")], "PARAM_ERROR"),
        (vec![("limit", "0")], "PARAM_ERROR"),
        (vec![("begin_time", "yesterday")], "PARAM_ERROR"),
        (vec![("begin_time", "20200101000000")], "PARAM_ERROR"),
        (vec![("end_time", "20200101000000")], "PARAM_ERROR"),
        // No signature is right without it.
        (vec![("limit", "")], "签名错误"),
    ] {
        let answer = xml::parse("xml", ask(&bench, &changes).await.as_bytes()).unwrap();
        assert_eq!((outcome(&answer).as_str(), answer.text("sign")), (code, None), "{changes:?}");
    }
}

#[tokio::test]
async fn it_needs_the_certificate_and_hmac() {
    let bench = Bench::start().await;
    let without = xml::write("xml", &ACME.signed(&[("limit", "1")])).into_bytes();
    assert_eq!(bench.send(PATH, without).await.unwrap().status(), 400);
    let md5: Account = TEA;
    assert_eq!(outcome(&bench.post_certified(&md5, PATH, &[("limit", "1")]).await), "签名错误");
}

#[tokio::test]
async fn only_who_paid_writes_and_only_stars() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    for (command, status) in [
        (json!({ "out_trade_no": "A00000001", "score": 5 }), 409),
        (json!({ "out_trade_no": "A00000009", "score": 5 }), 404),
        (json!({ "out_trade_no": "A00000001", "score": 6 }), 400),
        (json!({ "out_trade_no": "A00000001", "score": 0 }), 400),
    ] {
        assert_eq!(bench.command("comments", &command).await.status(), status, "{command}");
    }
}

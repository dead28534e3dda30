use proto::gateway::v1::{self, not_done::Kind, query_refund_response::Outcome, refund_status::State};
use tonic_types::StatusExt as _;

use crate::{
    fake::{Fake, Reply, signed, text},
    harness::{
        Gateway, KEY, MCH_ID, NUMBER, REFUND, SIGN_TYPE, TRANSACTION, answered, is_signed, logs, refund_query, refusal,
        success,
    },
};

const REFUND_ID: &str = "50300002026112100000000000001";

/// A refund that is back, as WeChat tells it.
const BACK: [(&str, &str); 12] = [
    ("transaction_id", TRANSACTION),
    ("out_trade_no", NUMBER),
    ("total_fee", "4599"),
    ("refund_count", "1"),
    // Production answers have these beside the numbered ones.
    ("refund_fee", "9999"),
    ("cash_refund_fee", "9999"),
    ("out_refund_no_0", REFUND),
    ("refund_id_0", REFUND_ID),
    ("refund_fee_0", "1500"),
    ("refund_status_0", "SUCCESS"),
    ("refund_recv_accout_0", "支付用户零钱"),
    ("refund_success_time_0", "2026-11-21 10:00:00"),
];

/// `BACK` with another value in one field.
fn with(name: &str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    BACK.map(|pair| if pair.0 == name { (pair.0, value) } else { pair }).to_vec()
}

/// What is told without a client certificate: asking needs none.
async fn outcome(reply: Reply) -> Outcome {
    Gateway::before(&Fake::always(reply).await).await.query_refund().await
}

async fn status(fields: &[(&str, &str)]) -> v1::RefundStatus {
    match outcome(success(fields)).await {
        Outcome::Done(status) => status,
        other => panic!("a status was expected: {other:?}"),
    }
}

async fn why(reply: Reply) -> String {
    match outcome(reply).await {
        Outcome::Unknown(unknown) => unknown.why,
        other => panic!("unknown was expected: {other:?}"),
    }
}

#[tokio::test]
async fn a_refund_that_is_back_is_told_with_everything_that_proves_it() {
    let fake = Fake::always(success(&BACK)).await;
    let gateway = Gateway::before(&fake).await;
    let Outcome::Done(status) = gateway.query_refund().await else { panic!("it is an answer") };
    let success_time = "2026-11-21T02:00:00Z".parse().expect("an instant");
    let expected = v1::RefundStatus {
        state: State::Succeeded.into(),
        provider_state: "SUCCESS".into(),
        refund_id: REFUND_ID.into(),
        mch_id: MCH_ID.into(),
        out_refund_no: REFUND.into(),
        transaction_id: TRANSACTION.into(),
        out_trade_no: NUMBER.into(),
        amount_fen: 1500,
        success_time: Some(proto::time::to_wire(success_time)),
    };
    assert_eq!(status, expected);
    let received = fake.only();
    assert!(is_signed(&received));
    assert!(received.line().starts_with("POST /pay/refundquery HTTP/1.1"));
    assert_eq!(received.fields.get("out_refund_no"), Some(REFUND));
    for other in ["refund_id", "transaction_id", "out_trade_no", "offset"] {
        assert_eq!(received.fields.get(other), None, "one number is asked for");
    }
    gateway.measures("provider_calls_total{operation=\"query_refund\",outcome=\"done\",detail=\"done\"} 1").await;
    let log = logs().text();
    let line = log.lines().find(|line| line.contains("query_refund for acme-mini: done (done)")).expect("it is logged");
    assert!(line.contains(&format!("out_refund_no=\"{REFUND}\"")), "{line}");
}

#[tokio::test]
async fn every_refund_status_has_its_meaning() {
    for (word, state) in [
        ("SUCCESS", State::Succeeded),
        ("PROCESSING", State::Processing),
        ("CHANGE", State::Abnormal),
        ("REFUNDCLOSE", State::Closed),
        ("SOMETHING_NEW", State::Other),
    ] {
        let status = status(&with("refund_status_0", word)).await;
        assert_eq!((status.state(), status.provider_state.as_str()), (state, word));
        assert_eq!(status.success_time.is_some(), state == State::Succeeded, "{word}");
    }
    let untimed = status(&with("refund_success_time_0", "")).await;
    assert_eq!((untimed.state(), untimed.success_time), (State::Succeeded, None), "the money is back all the same");
}

#[tokio::test]
async fn the_refund_is_found_among_others_by_its_number() {
    let mut fields = with("refund_count", "2");
    fields.retain(|(name, _)| !name.ends_with("_0"));
    fields.extend([
        ("out_refund_no_0", "made-in-the-merchant-platform"),
        ("refund_id_0", "50300002026112100000000000009"),
        ("refund_fee_0", "1"),
        ("refund_status_0", "SUCCESS"),
        ("out_refund_no_10", REFUND),
        ("refund_id_10", REFUND_ID),
        ("refund_fee_10", "1500"),
        ("refund_status_10", "PROCESSING"),
    ]);
    let status = status(&fields).await;
    assert_eq!((status.state(), status.refund_id.as_str(), status.amount_fen), (State::Processing, REFUND_ID, 1500));
}

#[tokio::test]
async fn a_refund_that_was_made_in_the_console_is_asked_about_by_its_number_or_by_wechats() {
    let console = with("out_refund_no_0", "console|2026_1-a*b@c");
    let by_number = v1::QueryRefundRequest { out_refund_no: "console|2026_1-a*b@c".into(), ..refund_query() };
    let by_id = v1::QueryRefundRequest { out_refund_no: String::new(), refund_id: REFUND_ID.into(), ..refund_query() };
    for (request, asked_by) in [(by_number, "out_refund_no"), (by_id, "refund_id")] {
        let fake = Fake::always(success(&console)).await;
        let gateway = Gateway::before(&fake).await;
        let response = gateway.client.clone().query_refund(request).await.expect("an outcome").into_inner();
        let Some(Outcome::Done(status)) = response.outcome else { panic!("it is an answer: {response:?}") };
        assert_eq!((status.out_refund_no.as_str(), status.amount_fen), ("console|2026_1-a*b@c", 1500));
        let received = fake.only();
        let numbers: Vec<_> = ["out_refund_no", "refund_id", "transaction_id", "out_trade_no"]
            .into_iter()
            .filter(|name| received.fields.get(name).is_some())
            .collect();
        assert_eq!(numbers, [asked_by]);
    }
    let other = v1::QueryRefundRequest { out_refund_no: String::new(), refund_id: "5031".into(), ..refund_query() };
    let gateway = Gateway::before(&Fake::always(success(&console)).await).await;
    let response = gateway.client.clone().query_refund(other).await.expect("an outcome").into_inner();
    let Some(Outcome::Unknown(unknown)) = response.outcome else { panic!("it is about another refund: {response:?}") };
    assert_eq!(unknown.why, "bad_answer");
}

#[tokio::test]
async fn another_amount_and_payment_are_told_as_they_are() {
    let mut fields = with("refund_fee_0", "1");
    fields[0] = ("transaction_id", "4200002026112100000000000002");
    let status = status(&fields).await;
    assert_eq!((status.amount_fen, status.transaction_id.as_str()), (1, "4200002026112100000000000002"));
}

#[tokio::test]
async fn a_number_that_wechat_does_not_know_is_an_answer() {
    let Outcome::Done(status) = outcome(refusal("REFUNDNOTEXIST", "退款不存在")).await else {
        panic!("it is an answer")
    };
    assert_eq!((status.state(), status.provider_state.as_str()), (State::NotFound, "REFUNDNOTEXIST"));
    assert_eq!((status.refund_id.as_str(), status.amount_fen), ("", 0));
}

#[tokio::test]
async fn a_success_without_the_refund_or_its_proof_is_unknown() {
    assert_eq!(why(success(&with("out_refund_no_0", "ffffffffffffffffffffffffffffffff"))).await, "bad_answer");
    assert_eq!(why(success(&with("out_refund_no_0", &REFUND[1..]))).await, "bad_answer");
    assert_eq!(why(success(&BACK[..6])).await, "bad_answer", "no refund at all");
    let twice = [
        &BACK[..],
        &[("out_refund_no_1", REFUND), ("refund_id_1", "5"), ("refund_fee_1", "1"), ("refund_status_1", "REFUNDCLOSE")],
    ]
    .concat();
    assert_eq!(why(success(&twice)).await, "bad_answer", "two of one number");
    for (name, value) in [
        ("transaction_id", ""),
        ("out_trade_no", ""),
        ("refund_id_0", ""),
        ("refund_fee_0", ""),
        ("refund_fee_0", "-1"),
        ("refund_fee_0", "15.00"),
        ("refund_status_0", ""),
        ("refund_success_time_0", "yesterday"),
    ] {
        assert_eq!(why(success(&with(name, value))).await, "bad_answer", "{name} {value:?}");
    }
    let mut anonymous = answered(&[&[("result_code", "SUCCESS")][..], &BACK].concat());
    anonymous.retain(|(name, _)| *name != "mch_id");
    assert_eq!(why(Reply::ok(text(&signed(&anonymous, KEY, SIGN_TYPE)))).await, "bad_answer", "whose refund?");
}

#[tokio::test]
async fn a_refused_question_says_nothing_about_the_refund() {
    for (code, expected) in [
        ("SYSTEMERROR", "system_error"),
        ("INVALID_TRANSACTIONID", "unlisted_code"),
        ("INVALID_REQUEST", "unlisted_code"),
        ("A_NEW_CODE", "unlisted_code"),
    ] {
        assert_eq!(why(refusal(code, "")).await, expected, "{code}");
    }
    for (code, kind) in [
        ("FREQUENCY_LIMITED", Kind::RateLimited),
        ("PARAM_ERROR", Kind::Configuration),
        ("SIGNERROR", Kind::Configuration),
    ] {
        let Outcome::NotDone(no) = outcome(refusal(code, "")).await else { panic!("{code} is a no") };
        assert_eq!(no.kind(), kind, "{code}");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_broken_or_not_wechats_is_unknown() {
    let fields = answered(&[&[("result_code", "SUCCESS")][..], &BACK].concat());
    let unsigned_not_found = "<xml><return_code>FAIL</return_code><err_code>REFUNDNOTEXIST</err_code></xml>";
    for (reply, expected) in [
        (Reply::HangUp, "transport"),
        (Reply::status("500 Internal Server Error", "", ""), "http_status"),
        (Reply::ok("garbage"), "not_xml"),
        (Reply::ok(text(&signed(&fields, &"x".repeat(32), SIGN_TYPE))), "bad_signature"),
        (Reply::ok(unsigned_not_found), "unsigned_failure"),
    ] {
        assert_eq!(why(reply).await, expected);
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_sent() {
    let fake = Fake::always(success(&BACK)).await;
    let gateway = Gateway::before(&fake).await;
    let refused = async |request: v1::QueryRefundRequest| {
        let status = gateway.client.clone().query_refund(request).await.expect_err("it is refused");
        let told = status.get_details_bad_request().expect("the fields are named").field_violations;
        told.into_iter().map(|violation| violation.field).collect::<Vec<_>>()
    };
    assert_eq!(refused(v1::QueryRefundRequest::default()).await, ["merchant", "mch_id", "app_id", "out_refund_no"]);
    let other = v1::QueryRefundRequest { mch_id: "1900000999".into(), ..refund_query() };
    assert_eq!(refused(other).await, ["mch_id"]);
    let spaced = v1::QueryRefundRequest { out_refund_no: "made in the console".into(), ..refund_query() };
    assert_eq!(refused(spaced).await, ["out_refund_no"]);
    let both = v1::QueryRefundRequest { refund_id: REFUND_ID.into(), ..refund_query() };
    assert_eq!(refused(both).await, ["refund_id"]);
    let no = String::new();
    let goods =
        v1::QueryRefundRequest { refund_id: "5 0".into(), out_refund_no: no, with_goods: true, ..refund_query() };
    assert_eq!(refused(goods).await, ["refund_id", "with_goods"]);
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn a_refund_of_goods_is_asked_about_at_its_own_path_and_read_in_both_spellings() {
    let plain = [
        ("transaction_id", TRANSACTION),
        ("out_trade_no", NUMBER),
        ("out_refund_no", REFUND),
        ("refund_id", "50300002026112100000000000001"),
        ("refund_fee", "1500"),
        ("refund_status", "SUCCESS"),
        ("refund_success_time", "2026-11-21 10:00:00"),
    ];
    let numbered = plain.map(|(name, value)| match name {
        "transaction_id" | "out_trade_no" => (name.to_owned(), value),
        name => (format!("{name}_0"), value),
    });
    let numbered: Vec<_> = numbered.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    for fields in [&plain[..], &numbered] {
        let fake = Fake::always(success(fields)).await;
        let gateway = Gateway::before(&fake).await;
        let request = v1::QueryRefundRequest { with_goods: true, ..refund_query() };
        let response = gateway.client.clone().query_refund(request).await.expect("an outcome").into_inner();
        let Some(Outcome::Done(status)) = response.outcome else { panic!("it is an answer: {response:?}") };
        assert_eq!((status.state(), status.amount_fen, status.out_trade_no.as_str()), (State::Succeeded, 1500, NUMBER));
        assert!(status.success_time.is_some());
        let received = fake.only();
        assert!(received.line().starts_with("POST /pay/refundqueryv2 HTTP/1.1"));
        assert_eq!(received.fields.get("out_refund_no"), Some(REFUND));
    }
}

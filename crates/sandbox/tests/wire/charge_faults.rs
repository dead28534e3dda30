use std::time::Duration;

use sandbox::control::PayBehaviour;
use serde_json::{Value, json};
use wechat_pay::v2::{
    Answer, Identity, Unknown,
    action::{Action, Api, after},
    answer::judge,
    sign::SignError,
    xml,
};

use crate::harness::{ACME, Bench, charge_fields, outcome, rule};

const REVERSE: &str = "/secapi/pay/reverse";

/// What a charge met under a fault: HTTP status and body, or nothing when the connection ended.
async fn charge(bench: &Bench, number: &str, fault: Value) -> Option<(u16, Vec<u8>)> {
    let active = bench.fault(rule("micropay", number, fault)).await;
    let code = bench.pay_code(PayBehaviour::Pays).await;
    let mut fields = charge_fields(number);
    fields.push(("auth_code", &code.auth_code));
    let body = xml::write("xml", &ACME.signed(&fields)).into_bytes();
    let answer = match bench.send("/pay/micropay", body).await {
        Ok(response) => Some((response.status().as_u16(), response.bytes().await.unwrap().to_vec())),
        Err(_) => None,
    };
    assert_eq!(bench.hits(&active).await, 1);
    answer
}

fn judged(status: u16, body: &[u8]) -> Answer {
    judge(status, body, &Identity::direct(ACME.app_id, ACME.mch_id), &ACME.api_key(), ACME.sign_type)
}

#[tokio::test]
async fn the_answer_to_a_charge_gets_lost_in_every_way_and_the_query_tells() {
    let bench = Bench::start().await;
    for (at, (fault, status, state)) in [
        (json!({ "do": "lost" }), None, "SUCCESS"),
        (json!({ "do": "not_executed" }), None, "ORDERNOTEXIST"),
        (json!({ "do": "status", "status": 502, "executed": true }), Some(502), "SUCCESS"),
        (json!({ "do": "status", "status": 502 }), Some(502), "ORDERNOTEXIST"),
        (json!({ "do": "garbage" }), Some(200), "SUCCESS"),
        (json!({ "do": "late", "delay_ms": 20 }), Some(200), "SUCCESS"),
        (json!({ "do": "redirect" }), Some(307), "ORDERNOTEXIST"),
    ]
    .into_iter()
    .enumerate()
    {
        let number = format!("A{at:08}");
        let answer = charge(&bench, &number, fault.clone()).await;
        assert_eq!(answer.map(|(status, _)| status), status, "{fault}");
        assert_eq!(bench.trade_state(&ACME, &number).await, state, "{fault}");
    }
}

#[tokio::test]
async fn a_charge_is_answered_with_a_bad_signature_or_a_code() {
    let bench = Bench::start().await;
    let (status, body) = charge(&bench, "A00000001", json!({ "do": "bad_signature" })).await.unwrap();
    assert_eq!(judged(status, &body), Answer::Unknown(Unknown::BadSign(SignError::Mismatch)));
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "SUCCESS");
    let fault = json!({ "do": "error_code", "code": "SYSTEMERROR", "executed": true });
    let (status, body) = charge(&bench, "A00000002", fault).await.unwrap();
    assert_eq!(after(Api::Micropay, &judged(status, &body)), Action::Query);
    assert_eq!(bench.trade_state(&ACME, "A00000002").await, "SUCCESS");
}

#[tokio::test]
async fn a_reversal_asks_to_be_called_again_as_often_as_told() {
    let bench = Bench::start().await;
    for (number, executed, success) in
        [("A00000001", false, false), ("A00000002", true, false), ("A00000003", false, true)]
    {
        bench.charged(number, PayBehaviour::Pays).await;
        bench.advance(Duration::from_secs(15)).await;
        let fault = json!({ "do": "recall", "executed": executed, "success": success, "times": 2 });
        let active = bench.fault(rule("reverse", number, fault)).await;
        for _ in 0..2 {
            let response = bench.send_certified(&ACME, REVERSE, &ACME.signed(&[("out_trade_no", number)])).await;
            let (status, body) = (response.status().as_u16(), response.bytes().await.unwrap());
            let answer = judged(status, &body);
            assert_eq!(after(Api::Reverse, &answer), Action::RetrySameParams, "{answer:?}");
            assert_eq!(matches!(answer, Answer::Success(_)), success);
        }
        assert_eq!(bench.hits(&active).await, 2);
        let state = if executed { "REVOKED" } else { "SUCCESS" };
        assert_eq!(bench.trade_state(&ACME, number).await, state);
        let answer = bench.reverse(number).await;
        assert_eq!((outcome(&answer).as_str(), answer.text("recall")), ("SUCCESS", Some("N")));
    }
}

#[tokio::test]
async fn a_reversal_whose_answer_is_lost_was_made_and_one_that_was_not_executed_was_not() {
    let bench = Bench::start().await;
    for (number, word, state) in [("A00000001", "lost", "REVOKED"), ("A00000002", "not_executed", "SUCCESS")] {
        bench.charged(number, PayBehaviour::Pays).await;
        bench.advance(Duration::from_secs(15)).await;
        bench.fault(rule("reverse", number, json!({ "do": word }))).await;
        let request = bench.https(&ACME).post(format!("{}{REVERSE}", bench.tls_url));
        let body = xml::write("xml", &ACME.signed(&[("out_trade_no", number)]));
        assert!(request.body(body).send().await.is_err());
        assert_eq!(bench.trade_state(&ACME, number).await, state);
    }
}

#[tokio::test]
async fn every_new_call_takes_faults_by_the_end_of_its_path() {
    let bench = Bench::start().await;
    for (path, is_signed) in [
        ("/pay/micropay", true),
        ("/pay/facepay", true),
        ("/pay/facepayquery", true),
        ("/pay/refundqueryv2", true),
        ("/face/get_wxpayface_authinfo", true),
        ("/tools/shorturl", true),
        ("/tools/authcodetoopenid", true),
        ("/payitil/report", false),
        ("/secapi/pay/reverse", true),
        ("/secapi/pay/facepayreverse", true),
        ("/secapi/pay/refundv2", true),
        ("/billcommentsp/batchquerycomment", false),
        ("/pay/downloadfundflow", false),
        ("/mmpaymkttransfers/sendredpack", false),
        ("/mmpaymkttransfers/sendgroupredpack", false),
        ("/mmpaymkttransfers/sendminiprogramhb", false),
        ("/mmpaymkttransfers/gethbinfo", false),
    ] {
        let name = path.rsplit('/').next().unwrap();
        let fault = json!({ "on": name, "merchant": ACME.name, "do": "error_code", "code": "SYSTEMERROR" });
        let active = bench.fault(fault).await;
        let needs_md5 = path.starts_with("/mmpay") || matches!(name, "report" | "authcodetoopenid");
        let account = crate::harness::Account {
            sign_type: if needs_md5 { wechat_pay::v2::SignType::Md5 } else { ACME.sign_type },
            ..ACME
        };
        let answer = bench.post_certified(&account, path, &[("limit", "1")]).await;
        assert_eq!(outcome(&answer), "SYSTEMERROR", "{path}");
        assert_eq!(answer.text("sign").is_some(), is_signed, "{path}");
        assert_eq!(bench.hits(&active).await, 1, "{path}");
    }
}

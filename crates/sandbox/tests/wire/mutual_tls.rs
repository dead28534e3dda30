use std::fs;

use sandbox::app::{Sandbox, Settings};
use wechat_pay::v2::{Answer, Identity, Unknown, answer::judge, xml};

use crate::{
    authority::Authority,
    harness::{ACME, Bench, REFUND, TEA, client, merchants, outcome},
};

const REFUND_OF_A_YUAN: [(&str, &str); 4] =
    [("out_trade_no", "A00000001"), ("out_refund_no", "R1"), ("total_fee", "100"), ("refund_fee", "100")];

#[tokio::test]
async fn the_merchants_own_certificate_opens_the_call() {
    let bench = Bench::start().await;
    bench.sell(&ACME, "A00000001", 100).await;
    assert_eq!(outcome(&bench.refund(&ACME, &REFUND_OF_A_YUAN).await), "SUCCESS");
}

#[tokio::test]
async fn without_a_certificate_or_on_the_plain_port_the_web_server_answers() {
    let bench = Bench::start().await;
    bench.sell(&ACME, "A00000001", 100).await;
    let request = ACME.signed(&REFUND_OF_A_YUAN);
    let body = xml::write("xml", &request).into_bytes();
    for response in [bench.send_refund(&bench.http, &request).await, bench.send(REFUND, body).await] {
        let response = response.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()["content-type"].as_bytes()),
            (400, &b"text/html"[..])
        );
        let page = response.text().await.unwrap();
        assert!(page.contains("<title>400 No required SSL certificate was sent</title>"), "{page}");
        let identity = Identity::direct(ACME.app_id, ACME.mch_id);
        let answer = judge(400, page.as_bytes(), &identity, &ACME.api_key(), ACME.sign_type);
        assert!(matches!(answer, Answer::Unknown(Unknown::HttpStatus(400))), "{answer:?}");
    }
    assert_eq!(bench.known_refund("R1").await, None);
}

#[tokio::test]
async fn another_merchants_certificate_is_refused_whoever_signs() {
    let bench = Bench::start().await;
    bench.sell(&ACME, "A00000001", 100).await;
    let response = bench.send_refund(bench.https(&TEA), &ACME.signed(&REFUND_OF_A_YUAN)).await.unwrap();
    let answer = xml::parse("xml", &response.bytes().await.unwrap()).unwrap();
    assert_eq!((answer.text("return_code"), answer.text("return_msg")), (Some("FAIL"), Some("证书验证失败")));
    assert_eq!(answer.text("sign"), None);
    // A number that merely begins or ends like the merchant's is another merchant's.
    for mch_id in ["19000001090", "190000010", "900000109", "1900000109.1900000110"] {
        let shown = bench.authority.issue_for_merchant(mch_id).unwrap();
        let client = client(&bench.authority, Some(shown));
        let response = bench.send_refund(&client, &ACME.signed(&REFUND_OF_A_YUAN)).await.unwrap();
        let answer = xml::parse("xml", &response.bytes().await.unwrap()).unwrap();
        assert_eq!(outcome(&answer), "证书验证失败", "{mch_id}");
    }
    assert_eq!(bench.known_refund("R1").await, None);
}

#[tokio::test]
async fn a_certificate_of_another_authority_does_not_get_through_the_handshake() {
    let bench = Bench::start().await;
    bench.sell(&ACME, "A00000001", 100).await;
    let stranger = Authority::new("Somebody else").unwrap();
    let client = client(&bench.authority, Some(stranger.issue_for_merchant(ACME.mch_id).unwrap()));
    assert!(bench.send_refund(&client, &ACME.signed(&REFUND_OF_A_YUAN)).await.is_err());
    assert_eq!(bench.known_refund("R1").await, None);
}

#[tokio::test]
async fn a_client_that_trusts_another_authority_does_not_talk_to_the_sandbox() {
    let bench = Bench::start().await;
    let client = client(&Authority::new("Somebody else").unwrap(), None);
    assert!(client.get(format!("{}/_sandbox/clock", bench.tls_url)).send().await.is_err());
}

#[tokio::test]
async fn the_other_calls_need_no_certificate_and_are_served_on_both_ports() {
    let bench = Bench::start().await;
    let body = xml::write("xml", &ACME.order("A00000001", &[]));
    let response = bench.http.post(format!("{}/pay/unifiedorder", bench.tls_url)).body(body).send().await.unwrap();
    assert_eq!(outcome(&xml::parse("xml", &response.bytes().await.unwrap()).unwrap()), "SUCCESS");
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "NOTPAY");
}

#[tokio::test]
async fn without_a_folder_of_certificates_there_is_no_second_listener() {
    let bench = Bench::with(|settings| settings.tls_dir = None).await;
    assert_eq!(bench.tls_url, "");
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "ORDERNOTEXIST");
}

#[tokio::test]
async fn a_folder_that_lacks_a_file_stops_the_start_with_the_files_name() {
    let (merchants, tls) = (merchants(), tempfile::tempdir().unwrap());
    let authority = Authority::new("Sandbox of a test").unwrap();
    fs::write(tls.path().join("ca.pem"), authority.certificate()).unwrap();
    let settings = Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls_listen: "127.0.0.1:0".parse().unwrap(),
        tls_dir: Some(tls.path().to_owned()),
        merchants_dir: merchants.path().to_owned(),
        notify_url: None,
        callback_timeout_ms: 5_000,
    };
    let error = format!("{:#}", Sandbox::start(settings).await.unwrap_err());
    assert!(error.contains("server.key") && error.contains("SANDBOX_TLS_DIR"), "{error}");
}

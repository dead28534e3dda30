use std::{fs, path::Path, time::Duration};

use merchants::Merchants;
use reqwest::{Certificate, Client, Identity};
use sandbox::app::{Sandbox, Settings};
use secrecy::ExposeSecret as _;
use wechat_pay::v2::{
    Fields,
    sign::{SIGN, sign},
    xml,
};

use crate::harness::{REFUND, outcome};

#[tokio::test]
async fn the_committed_certificates_open_the_call_to_each_development_merchant() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/dev");
    let (merchants_dir, tls_dir) = (deploy.join("merchants"), deploy.join("sandbox"));
    let merchants = Merchants::load(&merchants_dir).unwrap().list();
    let settings = Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls_listen: "127.0.0.1:0".parse().unwrap(),
        tls_dir: Some(tls_dir.clone()),
        merchants_dir,
        notify_url: None,
        callback_timeout_ms: 5_000,
    };
    let running = Sandbox::start(settings).await.unwrap();
    let port = running.tls_addr.unwrap().port();
    let authority = fs::read(tls_dir.join("ca.pem")).unwrap();
    for merchant in &merchants {
        let account = merchant.wechat_v2().unwrap();
        let shown = account.client_identity.as_ref().expect("every development merchant has a certificate");
        let pem = format!("{}\n{}\n", shown.certificate_pem, shown.key_pem.expose_secret());
        let client = Client::builder()
            .timeout(Duration::from_mins(2))
            .tls_certs_only([Certificate::from_pem(&authority).unwrap()])
            .identity(Identity::from_pem(pem.as_bytes()).unwrap())
            .no_proxy()
            .build()
            .unwrap();
        for host in ["127.0.0.1", "localhost"] {
            let identity = account.identity(&merchant.apps()[0].app_id);
            let mut fields: Fields = [
                ("appid", identity.appid.as_str()),
                ("mch_id", &identity.mch_id),
                ("sub_appid", identity.sub_appid.as_deref().unwrap_or_default()),
                ("sub_mch_id", identity.sub_mch_id.as_deref().unwrap_or_default()),
                ("nonce_str", "5K8264ILTKCH16CQ"),
                ("sign_type", account.sign_type.as_str()),
                ("out_trade_no", "A00000001"),
                ("out_refund_no", "R1"),
                ("total_fee", "100"),
                ("refund_fee", "100"),
            ]
            .into_iter()
            .collect();
            let signature = sign(&fields, &account.api_key, account.sign_type);
            fields.insert(SIGN, signature);
            let call = client.post(format!("https://{host}:{port}{REFUND}")).body(xml::write("xml", &fields));
            let answer = call.send().await.unwrap().bytes().await.unwrap();
            // Past certificate and signature, there is nothing to refund.
            assert_eq!(outcome(&xml::parse("xml", &answer).unwrap()), "ORDERNOTEXIST", "{} {host}", merchant.name);
        }
    }
    assert_eq!(merchants.len(), 3);
    running.stop().await;
}

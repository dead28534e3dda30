use proto::gateway::v1::{self, AppKind};

use crate::{
    fake::Fake,
    harness::{APP_ID, Gateway, MCH_ID, MERCHANT, NATIVE, NO_SECRET, OFFICIAL, not_paid, refunding},
};

#[tokio::test]
async fn merchants_are_listed_with_what_they_can_do_and_without_their_keys() {
    let gateway = Gateway::before(&Fake::always(not_paid()).await).await;
    let listed = gateway.client.clone().list_merchants(v1::ListMerchantsRequest {}).await.expect("a list").into_inner();
    let app = |app_id: &str, kind: AppKind, can_resolve_openid| v1::App {
        app_id: app_id.into(),
        kind: kind.into(),
        can_resolve_openid,
    };
    let expected = v1::Merchant {
        name: MERCHANT.into(),
        provider: "wechat-v2".into(),
        mch_id: MCH_ID.into(),
        apps: vec![
            app(APP_ID, AppKind::MiniProgram, true),
            app(NO_SECRET, AppKind::MiniProgram, false),
            app(OFFICIAL, AppKind::OfficialAccount, false),
            app(NATIVE, AppKind::App, false),
        ],
        methods: ["mini_program", "jsapi", "native", "app", "h5"].map(String::from).to_vec(),
        can_refund: false,
        surplus: v1::SurplusPolicy::Refund.into(),
        ..Default::default()
    };
    assert_eq!(listed.merchants, [expected]);
}

#[tokio::test]
async fn who_has_a_client_certificate_can_refund_and_the_file_says_what_surplus_money_does() {
    let dir = refunding();
    let file = dir.path().join("acme-mini.toml");
    let text = std::fs::read_to_string(&file).expect("the file is there");
    std::fs::write(&file, format!("surplus = \"hold\"\n{text}")).expect("the file can be written");
    let gateway = Gateway::of(dir, &Fake::always(not_paid()).await.url, &[]).await;
    let listed = gateway.client.clone().list_merchants(v1::ListMerchantsRequest {}).await.expect("a list").into_inner();
    assert_eq!((listed.merchants[0].can_refund, listed.merchants[0].surplus()), (true, v1::SurplusPolicy::Hold));
}

#[tokio::test]
async fn a_merchant_that_is_added_while_we_run_is_served() {
    let gateway = Gateway::before(&Fake::always(not_paid()).await).await;
    let dir = gateway.merchants.path();
    let file = std::fs::read_to_string(dir.join("acme-mini.toml")).expect("the file is there");
    let second =
        file.replace(MCH_ID, "1900000110").replace("acme-mini.key", "b.key").replace("acme-mini.old.key", "b.old.key");
    std::fs::write(dir.join("b.key"), "b".repeat(32)).expect("the directory takes a file");
    std::fs::write(dir.join("b.old.key"), "c".repeat(32)).expect("the directory takes a file");
    std::fs::write(dir.join("acme-b.toml"), second).expect("the directory takes a file");
    gateway.lists(|merchants| merchants.iter().map(|merchant| merchant.name.as_str()).eq(["acme-b", MERCHANT])).await;
    gateway.measures("merchants_loaded 2").await;
}

#[tokio::test]
async fn a_broken_change_is_measured_and_the_last_good_version_serves_on() {
    let gateway = Gateway::before(&Fake::always(not_paid()).await).await;
    gateway.measures("merchants_reload_failed_total 0").await;
    std::fs::write(gateway.merchants.path().join("acme-mini.key"), "too short").expect("the file can be written");
    gateway.measures("merchants_broken 1").await;
    let (status, body) = gateway.page("/readyz").await;
    assert_eq!((status, body.as_str()), (200, r#"{"ready":true,"not_ready":[]}"#));
    let (_, metrics) = gateway.page("/metrics").await;
    assert!(metrics.contains("merchants_loaded 1\n"), "{metrics}");
    assert!(!metrics.contains("merchants_reload_failed_total 0\n"), "{metrics}");
    gateway.query().await;
}

#[tokio::test]
async fn a_pay_code_needs_the_certificate_and_the_file_says_which_call_takes_a_face() {
    for (line, face) in [("", "face"), ("face_api = \"micropay\"\n", "face"), ("face_api = \"facepay\"\n", "facepay")] {
        let dir = refunding();
        let file = dir.path().join("acme-mini.toml");
        let text = std::fs::read_to_string(&file).expect("the file is there");
        std::fs::write(&file, format!("{line}{text}")).expect("the file can be written");
        let gateway = Gateway::of(dir, &Fake::always(not_paid()).await.url, &[]).await;
        let answer = gateway.client.clone().list_merchants(v1::ListMerchantsRequest {}).await.expect("a list");
        let methods = answer.into_inner().merchants.remove(0).methods;
        assert_eq!(methods, ["mini_program", "jsapi", "native", "app", "h5", "pay_code", face]);
    }
}

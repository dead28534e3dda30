use proto::gateway::v1::{
    self, get_red_packet_response::Outcome as Found, not_done::Kind, send_red_packet_request::Kind as Packet,
    send_red_packet_response::Outcome,
};
use svc_kit::refusal::reason_of;
use tonic::Code;
use wechat_pay::v2::{ApiKey, Fields, SignType, sign};

use crate::{
    counter::{OPENID, PROVIDER_APP, SUB_MCH_ID, certified, named, plain, providing},
    fake::{Fake, Reply},
    harness::{APP_ID, Gateway, KEY, MCH_ID, MERCHANT, OFFICIAL, logs},
};

const SENT: [(&str, &str); 7] = [
    ("return_code", "SUCCESS"),
    ("result_code", "SUCCESS"),
    ("mch_id", MCH_ID),
    ("wxappid", APP_ID),
    ("mch_billno", "B20261121"),
    ("total_amount", "100"),
    ("send_listid", "1000041701202611213000000000001"),
];

fn packet() -> v1::SendRedPacketRequest {
    v1::SendRedPacketRequest {
        merchant: MERCHANT.into(),
        app_id: APP_ID.into(),
        mch_billno: "B20261121".into(),
        kind: Packet::Normal.into(),
        send_name: "通宝小店".into(),
        openid: OPENID.into(),
        total_fen: 100,
        total_num: 1,
        wishing: "恭喜发财".into(),
        activity_name: "新年".into(),
        remark: "谢谢".into(),
        client_ip: "203.0.113.9".into(),
        scene_id: String::new(),
    }
}

fn lookup() -> v1::GetRedPacketRequest {
    v1::GetRedPacketRequest { merchant: MERCHANT.into(), app_id: APP_ID.into(), mch_billno: "B20261121".into() }
}

async fn send(gateway: &Gateway, request: v1::SendRedPacketRequest) -> Outcome {
    let response = gateway.tools.clone().send_red_packet(request).await.expect("an outcome");
    response.into_inner().outcome.expect("an outcome is set")
}

async fn outcome(reply: Reply) -> Outcome {
    let fake = Fake::always(reply).await;
    let outcome = send(&certified(&fake).await, packet()).await;
    assert_eq!(fake.received().len(), 1);
    outcome
}

async fn found(reply: Reply) -> Found {
    let gateway = certified(&Fake::always(reply).await).await;
    let response = gateway.tools.clone().get_red_packet(lookup()).await.expect("an outcome");
    response.into_inner().outcome.expect("an outcome is set")
}

fn is_signed_with_md5(fields: &Fields) -> bool {
    sign::verify(fields, &ApiKey::parse(KEY).expect("a key"), SignType::Md5).is_ok()
}

#[tokio::test]
async fn each_kind_is_sent_to_its_own_path() {
    for (kind, parts, path) in [
        (Packet::Normal, 1, "/mmpaymkttransfers/sendredpack"),
        (Packet::Group, 3, "/mmpaymkttransfers/sendgroupredpack"),
        (Packet::MiniProgram, 1, "/mmpaymkttransfers/sendminiprogramhb"),
    ] {
        let fake = Fake::always(plain(&[&SENT[..], &[("package", "sendid=a&ver=8")]].concat())).await;
        let gateway = certified(&fake).await;
        let request = v1::SendRedPacketRequest { kind: kind.into(), total_num: parts, ..packet() };
        let Outcome::Done(sent) = send(&gateway, request).await else { panic!("it is sent") };
        assert_eq!(sent.send_listid, "1000041701202611213000000000001");
        let received = fake.only();
        assert!(received.line().starts_with(&format!("POST {path} HTTP/1.1")), "{}", received.line());
        assert!(is_signed_with_md5(&received.fields));
        for (name, value) in [
            ("wxappid", APP_ID),
            ("mch_id", MCH_ID),
            ("mch_billno", "B20261121"),
            ("send_name", "通宝小店"),
            ("re_openid", OPENID),
            ("total_amount", "100"),
            ("total_num", &parts.to_string()),
            ("wishing", "恭喜发财"),
            ("act_name", "新年"),
            ("remark", "谢谢"),
            ("client_ip", "203.0.113.9"),
        ] {
            assert_eq!(received.fields.get(name), Some(value), "{name}");
        }
        if kind == Packet::MiniProgram {
            assert_eq!((sent.package.as_str(), sent.sign_type.as_str()), ("sendid%3Da%26ver%3D8", "MD5"));
            let client = Fields::from_iter([
                ("appId", APP_ID),
                ("timeStamp", &sent.time_stamp),
                ("nonceStr", &sent.nonce_str),
                ("package", &sent.package),
            ]);
            let signature = sign::sign(&client, &ApiKey::parse(KEY).expect("a key"), SignType::Md5);
            assert_eq!(sent.pay_sign, signature.to_lowercase());
        } else {
            assert_eq!((sent.package.as_str(), sent.pay_sign.as_str()), ("", ""));
        }
    }
    let log = logs().text();
    assert!(log.contains("mch_billno=\"B20261121\"") && !log.contains(OPENID));
}

#[tokio::test]
async fn only_what_frees_no_other_number_is_a_no() {
    let refused = |code| plain(&[("return_code", "SUCCESS"), ("result_code", "FAIL"), ("err_code", code)]);
    for (code, kind) in [
        ("NOTENOUGH", Kind::InsufficientBalance),
        ("FREQUENCY_LIMITED", Kind::RateLimited),
        ("PARAM_ERROR", Kind::Configuration),
        ("SIGNERROR", Kind::Configuration),
        ("NOAUTH", Kind::Configuration),
    ] {
        let Outcome::NotDone(no) = outcome(refused(code)).await else { panic!("{code} is a no") };
        assert_eq!((no.kind(), no.provider_code.as_str()), (kind, code));
    }
    for (code, why) in [
        ("SYSTEMERROR", "system_error"),
        ("INVALID_REQUEST", "unlisted_code"),
        ("SEND_FAILED", "unlisted_code"),
        ("A_NEW_CODE", "unlisted_code"),
    ] {
        let Outcome::Unknown(unknown) = outcome(refused(code)).await else { panic!("{code} is unknown") };
        assert_eq!((unknown.why.as_str(), unknown.provider_code.as_str()), (why, code));
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_or_is_about_another_packet_is_unknown() {
    let with =
        |name: &str, value: &'static str| plain(&SENT.map(|pair| if pair.0 == name { (pair.0, value) } else { pair }));
    for (reply, why) in [
        (Reply::HangUp, "transport"),
        (Reply::status("502 Bad Gateway", "", ""), "http_status"),
        (Reply::ok("<html>"), "not_xml"),
        (plain(&[("return_code", "FAIL"), ("return_msg", "SIGNERROR")]), "unsigned_failure"),
        (plain(&[("return_code", "FAIL"), ("err_code", "NOTENOUGH")]), "unsigned_failure"),
        (with("result_code", ""), "bad_answer"),
        (with("mch_billno", "B2"), "bad_answer"),
        (with("mch_billno", ""), "bad_answer"),
        (with("total_amount", "101"), "bad_answer"),
        (with("mch_id", "1900000999"), "wrong_identity"),
        (with("wxappid", "wx0000000000000999"), "wrong_identity"),
    ] {
        let Outcome::Unknown(unknown) = outcome(reply).await else { panic!("{why} is unknown") };
        assert_eq!(unknown.why, why);
    }
}

#[tokio::test]
async fn a_packet_is_found_although_its_answer_nests_a_list_and_names_who_opened_it() {
    let body = format!(
        "<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code><mch_id>{MCH_ID}</mch_id>\
         <mch_billno>B20261121</mch_billno><detail_id>10000417</detail_id><status>RFUND_ING</status>\
         <total_num>3</total_num><total_amount>100</total_amount><reason>余额不足</reason>\
         <send_time>2026-11-21 10:00:00</send_time><refund_time>2026-11-22 10:00:00</refund_time>\
         <refund_amount>40</refund_amount>\
         <hblist><hbinfo><openid>{OPENID}</openid><amount>60</amount></hbinfo></hblist></xml>"
    );
    let Found::Done(packet) = found(Reply::ok(body)).await else { panic!("it is found") };
    let instant = |text: &str| Some(proto::time::to_wire(text.parse().expect("an instant")));
    let expected = v1::RedPacket {
        mch_billno: "B20261121".into(),
        detail_id: "10000417".into(),
        status: "RFUND_ING".into(),
        total_fen: 100,
        total_num: 3,
        reason: "余额不足".into(),
        send_time: instant("2026-11-21T02:00:00Z"),
        refund_time: instant("2026-11-22T02:00:00Z"),
        refund_fen: 40,
    };
    assert_eq!(packet, expected);
    assert!(!logs().text().contains(OPENID));
}

#[tokio::test]
async fn a_lookup_that_is_refused_decides_nothing() {
    let refused = |code| plain(&[("return_code", "SUCCESS"), ("result_code", "FAIL"), ("err_code", code)]);
    for (reply, why, code) in [
        (refused("NOT_FOUND"), "unlisted_code", "NOT_FOUND"),
        (refused("SYSTEMERROR"), "system_error", "SYSTEMERROR"),
        (refused("A_NEW_CODE"), "unlisted_code", "A_NEW_CODE"),
        (plain(&[("return_code", "SUCCESS"), ("result_code", "SUCCESS"), ("mch_billno", "B2")]), "bad_answer", ""),
        (Reply::ok("<xml><a><b/></a></xml>"), "not_xml", ""),
    ] {
        let Found::Unknown(unknown) = found(reply).await else { panic!("{why} is unknown") };
        assert_eq!((unknown.why.as_str(), unknown.provider_code.as_str()), (why, code));
    }
    let Found::NotDone(no) = found(refused("NOAUTH")).await else { panic!("it is a no") };
    assert_eq!(no.kind(), Kind::Configuration);
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_sent() {
    let fake = Fake::always(plain(&SENT)).await;
    let gateway = certified(&fake).await;
    let refused = async |request: v1::SendRedPacketRequest| {
        named(&gateway.tools.clone().send_red_packet(request).await.expect_err("refused"))
    };
    let all = [
        "merchant",
        "app_id",
        "mch_billno",
        "kind",
        "send_name",
        "openid",
        "total_fen",
        "wishing",
        "activity_name",
        "remark",
        "client_ip",
    ];
    assert_eq!(refused(v1::SendRedPacketRequest::default()).await, all);
    let good = packet();
    for (field, request) in [
        ("mch_billno", v1::SendRedPacketRequest { mch_billno: "B-1".into(), ..good.clone() }),
        ("total_fen", v1::SendRedPacketRequest { total_fen: 2_000_001, ..good.clone() }),
        ("total_num", v1::SendRedPacketRequest { total_num: 2, ..good.clone() }),
        ("total_num", v1::SendRedPacketRequest { kind: Packet::Group.into(), total_num: 21, ..good.clone() }),
        ("total_num", v1::SendRedPacketRequest { total_num: -1, ..good.clone() }),
        ("client_ip", v1::SendRedPacketRequest { client_ip: "2001:db8::1".into(), ..good.clone() }),
        ("scene_id", v1::SendRedPacketRequest { total_fen: 99, ..good.clone() }),
        ("scene_id", v1::SendRedPacketRequest { scene_id: "PRODUCT_9".into(), ..good.clone() }),
    ] {
        assert_eq!(refused(request).await, [field]);
    }
    let status = gateway.tools.clone().get_red_packet(v1::GetRedPacketRequest::default()).await.expect_err("refused");
    assert_eq!(named(&status), ["merchant", "app_id", "mch_billno"]);
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn who_cannot_send_one_is_told_so() {
    let fake = Fake::always(plain(&SENT)).await;
    let uncertified = Gateway::before(&fake).await;
    let certified = certified(&fake).await;
    let elsewhere = v1::SendRedPacketRequest { kind: Packet::MiniProgram.into(), app_id: OFFICIAL.into(), ..packet() };
    let refusals = [
        uncertified.tools.clone().send_red_packet(packet()).await.map(drop),
        uncertified.tools.clone().get_red_packet(lookup()).await.map(drop),
        certified.tools.clone().send_red_packet(elsewhere).await.map(drop),
    ];
    for refused in refusals {
        let status = refused.expect_err("refused");
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(reason_of(&status).as_deref(), Some("METHOD_NOT_AVAILABLE"));
    }
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn a_service_providers_packet_names_for_whom_and_under_which_app() {
    let told = SENT.map(|pair| if pair.0 == "wxappid" { (pair.0, PROVIDER_APP) } else { pair });
    let fake = Fake::always(plain(&told)).await;
    let gateway = Gateway::of(providing(), &fake.url, &[]).await;
    assert!(matches!(send(&gateway, packet()).await, Outcome::Done(_)));
    let sent = fake.only().fields;
    for (name, value) in [("wxappid", PROVIDER_APP), ("sub_mch_id", SUB_MCH_ID), ("msgappid", APP_ID)] {
        assert_eq!(sent.get(name), Some(value), "{name}");
    }
}

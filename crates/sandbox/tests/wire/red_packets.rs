use std::time::Duration;

use sandbox::control::{RedPacketStatus, RedPackets};
use serde_json::json;
use wechat_pay::v2::Fields;

use crate::harness::{ACME, Bench, TEA, outcome};

const NORMAL: &str = "/mmpaymkttransfers/sendredpack";
const GROUP: &str = "/mmpaymkttransfers/sendgroupredpack";
const MINI_PROGRAM: &str = "/mmpaymkttransfers/sendminiprogramhb";
const GET: &str = "/mmpaymkttransfers/gethbinfo";

/// The fields of a red packet of one yuan, for any of the calls.
fn fields<'a>(mch_billno: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        // Red packets name the app differently.
        ("appid", ""),
        ("wxappid", TEA.app_id),
        ("mch_billno", mch_billno),
        ("send_name", "茶馆"),
        ("re_openid", "oUser1"),
        ("total_amount", "100"),
        ("total_num", "1"),
        ("wishing", "恭喜发财"),
        ("client_ip", "203.0.113.7"),
        ("act_name", "新年"),
        ("remark", "多买多送"),
    ];
    fields.extend_from_slice(changes);
    fields
}

async fn send(bench: &Bench, path: &str, mch_billno: &str, changes: &[(&str, &str)]) -> Fields {
    bench.post_certified(&TEA, path, &fields(mch_billno, changes)).await
}

/// What gethbinfo answers, which nests.
async fn get(bench: &Bench, mch_billno: &str) -> String {
    let fields = TEA.signed(&[("mch_billno", mch_billno), ("bill_type", "MCHT")]);
    let response = bench.send_certified(&TEA, GET, &fields).await;
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

#[tokio::test]
async fn a_red_packet_is_sent_once_for_its_number_in_an_unsigned_answer() {
    let bench = Bench::start().await;
    let first = send(&bench, NORMAL, "B1", &[]).await;
    assert_eq!(
        (outcome(&first).as_str(), first.text("err_code"), first.text("sign")),
        ("SUCCESS", Some("SUCCESS"), None)
    );
    bench.advance(Duration::from_secs(1)).await;
    let again = send(&bench, NORMAL, "B1", &[]).await;
    assert_eq!(again.text("send_listid"), first.text("send_listid"));
    bench.advance(Duration::from_secs(1)).await;
    assert_eq!(outcome(&send(&bench, NORMAL, "B1", &[("total_amount", "101")]).await), "PARAM_ERROR");
    let url = format!("{}/_sandbox/red-packets", bench.url);
    let known: RedPackets = bench.http.get(url).send().await.unwrap().json().await.unwrap();
    let [packet] = known.red_packets.as_slice() else { panic!("{known:?}") };
    assert_eq!((packet.total_fen, packet.requests, packet.status), (100, 2, RedPacketStatus::Sent));
}

#[tokio::test]
async fn the_same_number_again_at_once_is_too_soon() {
    let bench = Bench::start().await;
    // The sandbox's clock runs: of many repetitions without a pause, one at least comes within a second.
    send(&bench, NORMAL, "B1", &[]).await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(outcome(&send(&bench, NORMAL, "B1", &[]).await));
    }
    assert!(answers.iter().any(|answer| answer == "FREQ_LIMIT"), "{answers:?}");
}

#[tokio::test]
async fn each_kind_has_its_own_fields() {
    let bench = Bench::start().await;
    let group = [("total_num", "3"), ("total_amount", "300"), ("amt_type", "ALL_RAND")];
    assert_eq!(outcome(&send(&bench, GROUP, "B1", &group).await), "SUCCESS");
    assert_eq!(
        outcome(&send(&bench, GROUP, "B2", &[("total_num", "3"), ("total_amount", "300")]).await),
        "LACK_PARAMS"
    );
    assert_eq!(outcome(&send(&bench, GROUP, "B2", &[("amt_type", "ALL_RAND")]).await), "PARAM_ERROR");
    let mini = send(&bench, MINI_PROGRAM, "B3", &[("notify_way", "MINI_PROGRAM_JSAPI")]).await;
    assert!(mini.text("package").unwrap().starts_with("sendid="));
    assert_eq!(outcome(&send(&bench, MINI_PROGRAM, "B4", &[]).await), "LACK_PARAMS");
    assert_eq!(send(&bench, NORMAL, "B5", &[]).await.text("package"), None);
}

#[tokio::test]
async fn outside_one_to_200_yuan_a_scene_is_needed() {
    let bench = Bench::start().await;
    for (at, (amount, scene, answer)) in [
        ("99", "", "AMOUNT_LIMIT"),
        ("99", "PRODUCT_1", "SUCCESS"),
        ("20000", "", "SUCCESS"),
        ("20001", "", "AMOUNT_LIMIT"),
        ("20001", "PRODUCT_8", "SUCCESS"),
        ("20001", "PRODUCT_9", "PARAM_ERROR"),
        ("2000001", "PRODUCT_2", "AMOUNT_LIMIT"),
    ]
    .into_iter()
    .enumerate()
    {
        let sent = send(&bench, NORMAL, &format!("B{at}"), &[("total_amount", amount), ("scene_id", scene)]).await;
        assert_eq!(outcome(&sent), answer, "{amount} {scene}");
    }
}

#[tokio::test]
async fn what_a_red_packet_must_have_and_may_not_have_is_checked() {
    let bench = Bench::start().await;
    let long = "x".repeat(33);
    for (change, code) in [
        (("mch_billno", ""), "LACK_PARAMS"),
        (("wxappid", ""), "LACK_PARAMS"),
        (("client_ip", ""), "LACK_PARAMS"),
        (("wishing", ""), "LACK_PARAMS"),
        (("mch_billno", "B-1"), "PARAM_ERROR"),
        (("mch_billno", "12345678901234567890123456789"), "PARAM_ERROR"),
        (("send_name", &*long), "PARAM_ERROR"),
        (("re_openid", "o 1"), "PARAM_ERROR"),
        (("client_ip", "::1"), "PARAM_ERROR"),
        (("total_num", "2"), "PARAM_ERROR"),
        (("total_amount", "1.00"), "PARAM_ERROR"),
        (("wxappid", ACME.app_id), "APPID_MCHID_NOT_MATCH"),
        (("wxappid", "wx0000000000000000"), "APPID_NOT_EXIST"),
    ] {
        assert_eq!(outcome(&send(&bench, NORMAL, "B1", &[change]).await), code, "{change:?}");
    }
    let signed = TEA.signed(&fields("B1", &[]));
    let without = wechat_pay::v2::xml::write("xml", &signed).into_bytes();
    assert_eq!(bench.send(NORMAL, without).await.unwrap().status(), 400);
    assert_eq!(outcome(&bench.post_certified(&ACME, NORMAL, &fields("B1", &[])).await), "sign_type参数格式错误");
}

#[tokio::test]
async fn its_state_nests_who_opened_it() {
    let bench = Bench::start().await;
    send(&bench, NORMAL, "B1", &[]).await;
    let sent = get(&bench, "B1").await;
    assert!(sent.contains("<status><![CDATA[SENT]]></status>") && sent.contains("<hblist></hblist></xml>"), "{sent}");
    let settled = bench.command("red-packets/B1/settle", &json!({ "status": "RECEIVED" })).await;
    assert_eq!(settled.status(), 200);
    let received = get(&bench, "B1").await;
    assert!(received.contains("<status><![CDATA[RECEIVED]]></status>"), "{received}");
    assert!(received.contains("<hblist><hbinfo><openid><![CDATA[oUser1]]></openid>"), "{received}");
    let again = bench.command("red-packets/B1/settle", &json!({ "status": "REFUND" })).await;
    assert_eq!(again.status(), 409);
    bench.advance(Duration::from_hours(25)).await;
    assert!(get(&bench, "B1").await.contains("RECEIVED"));
}

#[tokio::test]
async fn what_nobody_opens_goes_back_after_a_day() {
    let bench = Bench::start().await;
    send(&bench, NORMAL, "B1", &[]).await;
    bench.advance(Duration::from_hours(24)).await;
    let back = get(&bench, "B1").await;
    assert!(
        back.contains("<status><![CDATA[REFUND]]></status>") && back.contains("<refund_amount><![CDATA[100]]>"),
        "{back}"
    );
}

#[tokio::test]
async fn an_unknown_number_is_not_found() {
    let bench = Bench::start().await;
    send(&bench, NORMAL, "B1", &[]).await;
    assert!(get(&bench, "B2").await.contains("<err_code><![CDATA[NOT_FOUND]]>"));
    for (fields, code) in [
        (vec![("bill_type", "MCHT")], "LACK_PARAMS"),
        (vec![("mch_billno", "B1")], "LACK_PARAMS"),
        (vec![("mch_billno", "B1"), ("bill_type", "ALL")], "PARAM_ERROR"),
    ] {
        assert_eq!(outcome(&bench.post_certified(&TEA, GET, &fields).await), code, "{fields:?}");
    }
}

use money::Fen;
use wechat_pay::v2::limits::{self, LimitError};
use wechat_pay::v2::xml::{self, XmlError};
use wechat_pay::v2::{
    Answer, FieldProblem, Fields, Identity, OpenId, RedpackKind, RedpackQuery, RedpackStatus, SendRedpack, SignType,
    Unknown, judge_redpack, sign,
};

use crate::{identity, key, published};

fn packet(kind: RedpackKind) -> SendRedpack {
    SendRedpack {
        identity: identity(),
        kind,
        mch_billno: "B1".to_owned(),
        send_name: "茶店".to_owned(),
        re_openid: OpenId::new("oABC"),
        total_amount: Fen::new(100),
        total_num: 1,
        wishing: "恭喜发财".to_owned(),
        act_name: "新年".to_owned(),
        remark: "茶".to_owned(),
        client_ip: "203.0.113.9".parse().expect("an address"),
        scene_id: None,
        risk_info: None,
    }
}

#[test]
fn the_published_red_packet_signs_as_published() {
    let (told, key, signature) = published("sign-sendredpack");
    let text = |name: &str| told.required(name).expect("it is told").to_owned();
    let packet = SendRedpack {
        identity: Identity::direct(text("wxappid"), text("mch_id")),
        kind: RedpackKind::Normal,
        mch_billno: text("mch_billno"),
        send_name: text("send_name"),
        re_openid: OpenId::new(text("re_openid")),
        total_amount: told.required_fen("total_amount").expect("an amount"),
        total_num: 1,
        wishing: text("wishing"),
        act_name: text("act_name"),
        remark: text("remark"),
        client_ip: text("client_ip").parse().expect("an address"),
        scene_id: Some(text("scene_id")),
        risk_info: Some(text("risk_info")),
    };
    let mut fields = packet.signed(&text("nonce_str"), &key);
    assert_eq!(sign::verify(&fields, &key, SignType::Md5), Ok(()));
    // The sample names the type, which WeChat takes for granted.
    fields.insert("sign_type", "MD5");
    assert_eq!(sign::sign(&fields, &key, SignType::Md5), signature);
    assert_eq!(fields.len(), told.len() + 1);
}

#[test]
fn each_kind_has_its_path_and_its_own_field() {
    for (kind, path, name, value) in [
        (RedpackKind::Normal, "/mmpaymkttransfers/sendredpack", "amt_type", None),
        (RedpackKind::Group, "/mmpaymkttransfers/sendgroupredpack", "amt_type", Some("ALL_RAND")),
        (RedpackKind::MiniProgram, "/mmpaymkttransfers/sendminiprogramhb", "notify_way", Some("MINI_PROGRAM_JSAPI")),
    ] {
        let fields = packet(kind).signed("n", &key());
        assert_eq!((SendRedpack::path(kind), fields.get(name)), (path, value));
        assert_eq!((fields.get("wxappid"), fields.get("appid")), (Some("wx0000000000000001"), None));
        assert_eq!(sign::verify(&fields, &key(), SignType::Md5), Ok(()));
    }
}

#[test]
fn a_service_provider_says_for_whom_and_whose_user() {
    let identity =
        Identity { sub_appid: Some("wxsub".to_owned()), sub_mch_id: Some("1900000098".to_owned()), ..identity() };
    let fields = SendRedpack { identity, ..packet(RedpackKind::Normal) }.signed("n", &key());
    assert_eq!((fields.get("sub_mch_id"), fields.get("msgappid")), (Some("1900000098"), Some("wxsub")));
    assert_eq!(packet(RedpackKind::Normal).signed("n", &key()).get("msgappid"), None);
}

#[test]
fn nothing_that_is_printed_holds_an_openid() {
    assert!(!format!("{:?}", packet(RedpackKind::Normal)).contains("oABC"));
}

fn answer(more: &[(&str, &str)]) -> Vec<u8> {
    let mut fields = Fields::from_iter([("return_code", "SUCCESS"), ("mch_id", "1900000001")]);
    for (name, value) in more {
        fields.insert(*name, *value);
    }
    xml::write("xml", &fields).into_bytes()
}

#[test]
fn an_unsigned_answer_is_judged_by_what_it_says_and_about_whom() {
    let judged = |more: &[(&str, &str)]| judge_redpack(&answer(more), &identity());
    assert!(matches!(judged(&[("result_code", "SUCCESS")]), Answer::Success(_)));
    let refused = judged(&[("result_code", "FAIL"), ("err_code", "NOTENOUGH"), ("err_code_des", "余额不足")]);
    assert!(matches!(refused, Answer::Refused { err_code, .. } if err_code == "NOTENOUGH"));
    assert_eq!(judged(&[]), Answer::Unknown(Unknown::NoResult));
    for (name, value) in [("mch_id", "1900000002"), ("wxappid", "wx2")] {
        let other = judged(&[("result_code", "SUCCESS"), (name, value)]);
        assert_eq!(other, Answer::Unknown(Unknown::Foreign { field: name }));
    }
    let failed = judged(&[("return_code", "FAIL"), ("result_code", "SUCCESS"), ("err_code", "SYSTEMERROR")]);
    assert!(matches!(failed, Answer::Unknown(Unknown::NotSigned { .. })));
    assert!(matches!(judge_redpack(b"<html>", &identity()), Answer::Unknown(Unknown::Unreadable(_))));
}

#[test]
fn a_sent_packet_is_the_one_that_was_asked_for() {
    let told = Fields::from_iter([("mch_billno", "B1"), ("total_amount", "100"), ("send_listid", "S1")]);
    let normal = packet(RedpackKind::Normal);
    assert_eq!(normal.sent(&told).expect("it is sent").send_listid, "S1");
    for (name, value) in [("mch_billno", "B2"), ("total_amount", "101")] {
        let mut other = told.clone();
        other.insert(name, value);
        assert_eq!(normal.sent(&other).unwrap_err().problem, FieldProblem::Mismatch, "{name}");
    }
    let in_app = packet(RedpackKind::MiniProgram);
    assert_eq!(in_app.sent(&told).unwrap_err().field, "package");
    let mut with_package = told.clone();
    with_package.insert("package", "sendid=1");
    assert_eq!(in_app.sent(&with_package).expect("it is sent").package.as_deref(), Some("sendid=1"));
}

const INFO: &str = "<xml><return_code><![CDATA[SUCCESS]]></return_code><result_code>SUCCESS</result_code>\
    <mch_id>1900000001</mch_id><mch_billno>B1</mch_billno><detail_id>1000000000201503283103439304</detail_id>\
    <status>RECEIVED</status><total_num>1</total_num><total_amount>100</total_amount>\
    <send_time>2015-04-21 20:00:00</send_time><reason/>\
    <hblist><hbinfo><openid>oABC</openid><amount>100</amount><rcv_time>2015-04-21 20:00:00</rcv_time></hbinfo>\
    <hbinfo><openid>a&amp;b</openid><note><![CDATA[</hblist>]]></note><empty/></hbinfo></hblist>\
    <act_name>新年</act_name></xml>";

#[test]
fn a_lookup_is_read_although_it_nests_a_list() {
    let Answer::Success(fields) = judge_redpack(INFO.as_bytes(), &identity()) else { panic!("it is a success") };
    let status = RedpackStatus::parse(&fields, "B1").expect("it is whole");
    assert_eq!((status.status.as_str(), status.total_amount, status.total_num), ("RECEIVED", Fen::new(100), 1));
    assert_eq!(status.send_time, Some("2015-04-21T12:00:00Z".parse().expect("an instant")));
    assert_eq!((status.reason, status.refund_time, status.refund_amount), (None, None, None));
    assert_eq!((fields.get("hblist"), fields.get("act_name")), (Some(""), Some("新年")));
    assert_eq!(RedpackStatus::parse(&fields, "B2").unwrap_err().problem, FieldProblem::Mismatch);
}

#[test]
fn only_that_one_list_may_nest_and_not_for_ever() {
    assert_eq!(xml::parse("xml", INFO.as_bytes()), Err(XmlError::Nested), "a signed message may not");
    assert_eq!(xml::parse_leaving_out("xml", INFO.as_bytes(), "reason"), Err(XmlError::Nested));
    let deep = |levels: usize| format!("<xml><l>{}{}</l></xml>", "<a>".repeat(levels), "</a>".repeat(levels));
    let deepest = usize::from(xml::MAX_DEPTH);
    assert!(xml::parse_leaving_out("xml", deep(deepest).as_bytes(), "l").is_ok());
    assert_eq!(xml::parse_leaving_out("xml", deep(deepest + 1).as_bytes(), "l"), Err(XmlError::Nested));
    for (text, error) in [
        ("<xml><l><a>&b;</a></l></xml>", XmlError::Malformed),
        ("<xml><l><a></l></a></xml>", XmlError::Malformed),
        ("<xml><l><a></a></xml>", XmlError::Malformed),
        ("<xml><l></l><l></l></xml>", XmlError::Duplicate),
    ] {
        assert_eq!(xml::parse_leaving_out("xml", text.as_bytes(), "l"), Err(error), "{text}");
    }
}

#[test]
fn a_lookup_asks_by_our_number() {
    let fields = RedpackQuery { identity: identity(), mch_billno: "B1".to_owned() }.signed("n", &key());
    assert_eq!((fields.get("bill_type"), fields.get("mch_billno")), (Some("MCHT"), Some("B1")));
    assert_eq!(fields.get("appid"), Some("wx0000000000000001"));
    assert_eq!(sign::verify(&fields, &key(), SignType::Md5), Ok(()));
}

#[test]
fn red_packets_have_their_limits() {
    assert_eq!(limits::check_mch_billno(&"1a".repeat(14)), Ok(()));
    assert_eq!(limits::check_mch_billno(&"1".repeat(29)), Err(LimitError::TooLong { max: 28 }));
    assert!(limits::check_mch_billno("1-2").is_err());
    for (check, most) in [
        (limits::check_send_name as fn(&str) -> Result<(), LimitError>, 32),
        (limits::check_wishing, 128),
        (limits::check_act_name, 32),
        (limits::check_remark, 256),
    ] {
        assert_eq!(check(&"x".repeat(most)), Ok(()));
        assert_eq!(check(&"x".repeat(most + 1)), Err(LimitError::TooLong { max: most }));
        assert_eq!(check(""), Err(LimitError::Empty));
    }
    for (fen, fits) in [(0, false), (1, true), (2_000_000, true), (2_000_001, false), (-1, false)] {
        assert_eq!(limits::check_redpack_amount(Fen::new(fen)).is_ok(), fits, "{fen}");
    }
    for (scene, fen, fits) in [
        ("", 100, true),
        ("", 20_000, true),
        ("", 99, false),
        ("", 20_001, false),
        ("PRODUCT_1", 20_001, true),
        ("PRODUCT_8", 1, true),
        ("PRODUCT_9", 100, false),
        ("PRODUCT_0", 100, false),
        ("PRODUCT_10", 100, false),
        ("product_1", 100, false),
    ] {
        assert_eq!(limits::check_scene_id(scene, Fen::new(fen)).is_ok(), fits, "{scene} {fen}");
    }
}

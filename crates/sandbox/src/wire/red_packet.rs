//! Red packets: certificate, MD5, and answers that nobody signs.

use std::{net::Ipv4Addr, sync::Arc};

use axum::{Router, extract::State, response::Response, routing::any};
use money::Fen;
use wechat_pay::{
    time,
    v2::{Fields, SignType, limits, xml},
};

use super::{
    Refusal, Request,
    exchange::{text, with_fault},
    more::certified,
    plain,
    request::{Reading, Signing, refusal},
    unified_order::{malformed, required},
};
use crate::{
    control::{FaultPoint, RedPacketStatus},
    identity::{self, Meant},
    ledger::{NewRedPacket, RedPacket, RedPacketKind, RedPacketRefused},
    platform::Platform,
};

/// The texts that must be there, with their longest form in bytes.
const TEXTS: [(&str, usize); 6] =
    [("mch_billno", 28), ("send_name", 32), ("re_openid", 32), ("wishing", 128), ("act_name", 32), ("remark", 256)];

/// What one person gets without a scene, in fen.
const USUAL: std::ops::RangeInclusive<i64> = 100..=20_000;

/// The largest red packet of any scene, in fen.
const MAX_FEN: i64 = 2_000_000;

/// How many people share a group's red packet.
const GROUP: std::ops::RangeInclusive<u32> = 3..=20;

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/mmpaymkttransfers/sendredpack", any(send_normal))
        .route("/mmpaymkttransfers/sendgroupredpack", any(send_group))
        .route("/mmpaymkttransfers/sendminiprogramhb", any(send_mini_program))
        .route("/mmpaymkttransfers/gethbinfo", any(get))
}

async fn send_normal(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    serve(&platform, FaultPoint::SendRedpack, request, |platform, request| {
        send(platform, request, RedPacketKind::Normal)
    })
    .await
}

async fn send_group(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    serve(&platform, FaultPoint::SendGroupRedpack, request, |platform, request| {
        send(platform, request, RedPacketKind::Group)
    })
    .await
}

async fn send_mini_program(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    serve(&platform, FaultPoint::SendMiniProgramHb, request, |platform, request| {
        send(platform, request, RedPacketKind::MiniProgram)
    })
    .await
}

async fn get(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    serve(&platform, FaultPoint::GetHbInfo, request, found).await
}

/// Serves a call about red packets, as the fault that strikes it wants.
async fn serve(
    platform: &Platform,
    on: FaultPoint,
    request: axum::extract::Request,
    execute: fn(&Platform, &Request) -> Result<String, Refusal>,
) -> Response {
    let path = request.uri().path().to_owned();
    let reading = Reading { signing: Signing::Always(SignType::Md5), decoded: None };
    let request = match certified(platform, request, reading).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    let fault = platform.rules().strike(on, Some(request.merchant.name.as_str()), None);
    with_fault(
        platform,
        fault,
        &path,
        |_| execute(platform, &request).map_or_else(|refusal| plain::answer(Err(refusal)), text),
        |code| plain::answer(Err(Refusal::named(code))),
    )
    .await
}

fn send(platform: &Platform, request: &Request, kind: RedPacketKind) -> Result<String, Refusal> {
    let wanted = read(request, kind)?;
    check_app(platform, request, "wxappid")?;
    let now = platform.clock.now();
    let mut ledger = platform.ledger();
    let sent = ledger.red_packets.send(&request.merchant.name, request.mch_id(), wanted, now);
    let packet = sent.map_err(|refused| match refused {
        RedPacketRefused::OtherContent => Refusal::new("PARAM_ERROR", "mch_billno已使用，参数不一致"),
        RedPacketRefused::TooSoon | RedPacketRefused::TooMany => Refusal::named("FREQ_LIMIT"),
        RedPacketRefused::Full => Refusal::named("SYSTEMERROR"),
    })?;
    let amount = packet.content.amount.get().to_string();
    let mut fields: Fields = [
        ("err_code", "SUCCESS"),
        ("err_code_des", "发放成功"),
        ("mch_billno", packet.content.mch_billno.as_str()),
        ("mch_id", request.mch_id()),
        ("wxappid", &packet.content.app_id),
        ("re_openid", &packet.content.openid),
        ("total_amount", &amount),
        ("send_listid", &packet.detail_id),
    ]
    .into_iter()
    .collect();
    if kind == RedPacketKind::MiniProgram {
        // The same packet is the same text.
        let (id, mch_id) = (&packet.detail_id, request.mch_id());
        fields.insert("package", format!("sendid={id}&ver=8&mchid={mch_id}"));
    }
    Ok(xml::write("xml", &plain::fields(Ok(fields))))
}

fn read(request: &Request, kind: RedPacketKind) -> Result<NewRedPacket, Refusal> {
    let fields = &request.fields;
    let by_kind = match kind {
        RedPacketKind::Normal => "client_ip",
        RedPacketKind::Group => "amt_type",
        RedPacketKind::MiniProgram => "notify_way",
    };
    for field in TEXTS.iter().map(|(field, _)| *field).chain(["wxappid", "total_amount", "total_num", by_kind]) {
        required(fields, field)?;
    }
    for (field, max) in TEXTS {
        if max < required(fields, field)?.len() {
            return Err(malformed(field));
        }
    }
    let mch_billno = required(fields, "mch_billno")?;
    if !mch_billno.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(malformed("mch_billno"));
    }
    let openid = required(fields, "re_openid")?;
    limits::check_openid(openid).map_err(|_| malformed("re_openid"))?;
    if fields.text("client_ip").is_some_and(|ip| ip.parse::<Ipv4Addr>().is_err()) {
        return Err(malformed("client_ip"));
    }
    if fields.text("risk_info").is_some_and(|info| 128 < info.len()) {
        return Err(malformed("risk_info"));
    }
    let word = match kind {
        RedPacketKind::Normal => None,
        RedPacketKind::Group => Some(("amt_type", "ALL_RAND")),
        RedPacketKind::MiniProgram => Some(("notify_way", "MINI_PROGRAM_JSAPI")),
    };
    if word.is_some_and(|(field, word)| fields.text(field) != Some(word)) {
        return Err(malformed(by_kind));
    }
    let people = fields.count("total_num").map_err(|_| malformed("total_num"))?.unwrap_or_default();
    let fits = if kind == RedPacketKind::Group { GROUP.contains(&people) } else { people == 1 };
    if !fits {
        return Err(malformed("total_num"));
    }
    let amount = fields.required_fen("total_amount").map_err(|_| malformed("total_amount"))?;
    check_amount(fields, amount, people)?;
    Ok(NewRedPacket {
        kind,
        mch_billno: mch_billno.to_owned(),
        app_id: required(fields, "wxappid")?.to_owned(),
        openid: openid.to_owned(),
        amount,
        people,
        wishing: required(fields, "wishing")?.to_owned(),
        act_name: required(fields, "act_name")?.to_owned(),
        remark: required(fields, "remark")?.to_owned(),
        bound: ["send_name", "scene_id", "sub_mch_id", "msgappid"]
            .into_iter()
            .filter_map(|field| Some((field.to_owned(), fields.text(field)?.to_owned())))
            .collect(),
    })
}

/// One to 200 yuan for each; anything else needs a scene.
fn check_amount(fields: &Fields, amount: Fen, people: u32) -> Result<(), Refusal> {
    let scene = fields.text("scene_id");
    let is_scene = |scene: &str| matches!(scene.strip_prefix("PRODUCT_").map(str::as_bytes), Some([b'1'..=b'8']));
    if scene.is_some_and(|scene| !is_scene(scene)) {
        return Err(malformed("scene_id"));
    }
    let (fen, people) = (amount.get(), i64::from(people));
    let least = if scene.is_some() { 1 } else { *USUAL.start() };
    let most = if scene.is_some() { MAX_FEN } else { *USUAL.end() };
    let fits = least * people <= fen && fen <= most * people && fen <= MAX_FEN;
    if fits { Ok(()) } else { Err(Refusal::named("AMOUNT_LIMIT")) }
}

/// The app must be one of the merchant's; a service provider names its own beside the sub-merchant, and the app of the user
/// as `msgappid`.
fn check_app(platform: &Platform, request: &Request, field: &'static str) -> Result<(), Refusal> {
    let app_id = required(&request.fields, field)?;
    let user_app = request.fields.text("msgappid").filter(|user_app| *user_app != app_id);
    let named: Fields = [
        ("mch_id", Some(request.mch_id())),
        ("appid", Some(app_id)),
        ("sub_mch_id", request.sub_mch_id()),
        ("sub_appid", user_app),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    identity::check(platform, &named, Meant::OneSubMerchant).map(|_| ()).map_err(refusal)
}

/// Tells how far a red packet is. Who opened it is nested, unlike everything else of this interface.
fn found(platform: &Platform, request: &Request) -> Result<String, Refusal> {
    let fields = &request.fields;
    let mch_billno = required(fields, "mch_billno")?;
    required(fields, "appid")?;
    if required(fields, "bill_type")? != "MCHT" {
        return Err(malformed("bill_type"));
    }
    check_app(platform, request, "appid")?;
    let now = platform.clock.now();
    let ledger = platform.ledger();
    let packet = ledger.red_packets.find(request.mch_id(), mch_billno);
    let packet = packet.ok_or_else(|| Refusal::new("NOT_FOUND", "指定单号数据不存在"))?;
    let status = packet.status(now);
    let (amount, people) = (packet.content.amount.get().to_string(), packet.content.people.to_string());
    let hb_type = if packet.content.kind == RedPacketKind::Group { "GROUP" } else { "NORMAL" };
    let sent_at = time::print_spaced(packet.sent_at);
    let mut told: Fields = [
        ("err_code", "SUCCESS"),
        ("err_code_des", "OK"),
        ("mch_billno", mch_billno),
        ("mch_id", request.mch_id()),
        ("detail_id", &packet.detail_id),
        ("status", status.as_str()),
        ("send_type", "API"),
        ("hb_type", hb_type),
        ("total_num", &people),
        ("total_amount", &amount),
        ("send_time", &sent_at),
        ("wishing", &packet.content.wishing),
        ("remark", &packet.content.remark),
        ("act_name", &packet.content.act_name),
    ]
    .into_iter()
    .collect();
    match (status, packet.back_at(now)) {
        (RedPacketStatus::Failed, _) => drop(told.insert("reason", "用户账号异常，拒绝领取")),
        (_, Some(at)) => {
            told.insert("refund_time", time::print_spaced(at));
            told.insert("refund_amount", amount.as_str());
        }
        _ => {}
    }
    let text = xml::write("xml", &plain::fields(Ok(told)));
    let end = text.strip_suffix("</xml>").expect("a message ends with its root");
    Ok(format!("{end}{}</xml>", openings(packet, packet.received_at(now).map(time::print_spaced))))
}

/// Who opened it, and when.
fn openings(packet: &RedPacket, opened: Option<String>) -> String {
    let Some(opened) = opened else { return "<hblist></hblist>".to_owned() };
    let amount = packet.content.amount.get().to_string();
    let hbinfo: Fields =
        [("openid", packet.content.openid.as_str()), ("amount", &amount), ("rcv_time", &opened)].into_iter().collect();
    format!("<hblist>{}</hblist>", xml::write("hbinfo", &hbinfo))
}

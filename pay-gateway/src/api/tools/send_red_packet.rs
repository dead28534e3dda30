use merchants::{AppKind, Merchant};
use money::Fen;
use proto::{
    error::ErrorReason,
    gateway::v1::{self, send_red_packet_request::Kind},
};
use secrecy::SecretString;
use svc_kit::refusal;
use tonic::{Code, Request, Response, Status};
use wechat_pay::v2::limits;

use super::{
    super::{Api, deadline, fields::Fields},
    needs_certificate,
};
use crate::{
    calls::{About, Number, Operation},
    providers::{RedPacketKind, RedPacketOrder},
};

/// Sends a red packet.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::SendRedPacketRequest>,
) -> Result<Response<v1::SendRedPacketResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let asked = request.into_inner();
    let mut fields = Fields::of_merchant(&asked.merchant, &api.merchants);
    fields.paired_app_id(&asked.app_id);
    fields.limit("mch_billno", limits::check_mch_billno(&asked.mch_billno));
    let kind = match asked.kind() {
        Kind::Unspecified => None,
        Kind::Normal => Some(RedPacketKind::Normal),
        Kind::Group => Some(RedPacketKind::Group),
        Kind::MiniProgram => Some(RedPacketKind::MiniProgram),
    };
    fields.check(kind.is_some(), "kind", "must be KIND_NORMAL, KIND_GROUP or KIND_MINI_PROGRAM");
    fields.limit("send_name", limits::check_send_name(&asked.send_name));
    fields.openid(&asked.openid);
    let total = Fen::new(asked.total_fen);
    let amount_fits = limits::check_redpack_amount(total);
    fields.limit("total_fen", amount_fits);
    let parts = u32::try_from(asked.total_num).ok().filter(|parts| match kind {
        Some(RedPacketKind::Group) => (3..=20).contains(parts),
        Some(RedPacketKind::Normal | RedPacketKind::MiniProgram) => *parts == 1,
        None => true,
    });
    fields.check(parts.is_some(), "total_num", "must be 1, and 3 to 20 for KIND_GROUP");
    fields.limit("wishing", limits::check_wishing(&asked.wishing));
    fields.limit("activity_name", limits::check_act_name(&asked.activity_name));
    fields.limit("remark", limits::check_remark(&asked.remark));
    let client_ip = asked.client_ip.parse().ok();
    fields.check(client_ip.is_some(), "client_ip", "must be an IPv4 address");
    if amount_fits.is_ok() {
        fields.limit("scene_id", limits::check_scene_id(&asked.scene_id, total));
    }
    let merchant = fields.finish()?;
    needs_certificate(&merchant)?;
    let (Some(kind), Some(parts), Some(client_ip)) = (kind, parts, client_ip) else {
        unreachable!("a field that cannot be read is a violation")
    };
    opens_there(kind, &merchant, &asked.app_id)?;

    let route = api.providers.route(&merchant);
    let about =
        About { operation: Operation::SendRedPacket, merchant, number: Number::MchBillno(asked.mch_billno.clone()) };
    let order = RedPacketOrder {
        app_id: asked.app_id,
        kind,
        mch_billno: asked.mch_billno,
        send_name: asked.send_name,
        openid: SecretString::from(asked.openid),
        total,
        parts,
        wishing: asked.wishing,
        activity_name: asked.activity_name,
        remark: asked.remark,
        client_ip,
        scene_id: Some(asked.scene_id).filter(|scene| !scene.is_empty()),
    };
    let work = async move { route.send_red_packet(&order).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}

/// A mini program's packet is opened in that mini program.
fn opens_there(kind: RedPacketKind, merchant: &Merchant, app_id: &str) -> Result<(), Status> {
    let in_mini_program = merchant.app(app_id).is_some_and(|app| app.kind == AppKind::MiniProgram);
    if kind != RedPacketKind::MiniProgram || in_mini_program {
        return Ok(());
    }
    Err(refusal::refuse(
        Code::FailedPrecondition,
        ErrorReason::MethodNotAvailable.word(),
        format!("{app_id} is no mini program; nothing was sent"),
        [("merchant", merchant.name.to_string()), ("app_id", app_id.to_owned())],
    ))
}

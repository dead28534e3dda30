use proto::{gateway::v1, time::to_wire};
use secrecy::ExposeSecret as _;
use wechat_pay::v2::{
    Answer, Fields, Identity, OpenId, RedpackInvocation, RedpackKind, RedpackQuery, RedpackStatus, SendRedpack,
    action::Api, judge_redpack, xml,
};

use super::super::{Session, hosts::Endpoint, http, nonce, verdict};
use crate::{
    outcome::{Failure, Outcome},
    providers::{RedPacketKind, RedPacketOrder},
};

impl Session {
    /// Sends a red packet. What is not definite stays unknown, and its number with it: another number is another packet.
    pub(crate) async fn send_red_packet(&self, order: &RedPacketOrder) -> Outcome<v1::RedPacketSent> {
        self.give(order).await.into()
    }

    /// Asks what has become of a red packet.
    pub(crate) async fn red_packet(&self, app_id: &str, mch_billno: String) -> Outcome<v1::RedPacket> {
        self.ask_about_red_packet(app_id, mch_billno).await.into()
    }

    async fn give(&self, order: &RedPacketOrder) -> Result<v1::RedPacketSent, Failure> {
        let urls = &self.wechat.urls.tools;
        let (kind, url) = match order.kind {
            RedPacketKind::Normal => (RedpackKind::Normal, &urls.red_packet),
            RedPacketKind::Group => (RedpackKind::Group, &urls.group_red_packet),
            RedPacketKind::MiniProgram => (RedpackKind::MiniProgram, &urls.mini_program_red_packet),
        };
        let packet = packet(self.identity(&order.app_id), kind, order);
        let signed = packet.signed(&nonce(), &self.account.api_key);
        let fields = match self.unsigned_answer(url, &packet.identity, &signed).await? {
            Answer::Success(fields) => fields,
            other => return Err(verdict::of(Api::SendRedpack, &other)),
        };
        let sent = packet.sent(&fields).map_err(|error| verdict::incomplete(&error))?;
        let done = v1::RedPacketSent { send_listid: sent.send_listid, ..Default::default() };
        let Some(package) = sent.package else { return Ok(done) };
        let (app_id, now) = (packet.identity.launching_appid(), self.wechat.clock.now());
        let client = RedpackInvocation::new(app_id, &package, &nonce(), now, &self.account.api_key);
        Ok(v1::RedPacketSent {
            time_stamp: client.time_stamp,
            nonce_str: client.nonce_str,
            package: client.package,
            sign_type: client.sign_type.as_str().to_owned(),
            pay_sign: client.pay_sign,
            ..done
        })
    }

    async fn ask_about_red_packet(&self, app_id: &str, mch_billno: String) -> Result<v1::RedPacket, Failure> {
        let query = RedpackQuery { identity: self.identity(app_id), mch_billno };
        let signed = query.signed(&nonce(), &self.account.api_key);
        let url = &self.wechat.urls.tools.red_packet_query;
        let fields = match self.unsigned_answer(url, &query.identity, &signed).await? {
            Answer::Success(fields) => fields,
            other => return Err(verdict::of(Api::RedpackQuery, &other)),
        };
        let told = RedpackStatus::parse(&fields, &query.mch_billno).map_err(|error| verdict::incomplete(&error))?;
        Ok(v1::RedPacket {
            mch_billno: told.mch_billno,
            detail_id: told.detail_id.unwrap_or_default(),
            status: told.status,
            total_fen: told.total_amount.get(),
            total_num: i32::try_from(told.total_num).unwrap_or(i32::MAX),
            reason: told.reason.unwrap_or_default(),
            send_time: told.send_time.map(to_wire),
            refund_time: told.refund_time.map(to_wire),
            refund_fen: told.refund_amount.map_or(0, money::Fen::get),
        })
    }

    /// Red packet calls are answered without a signature: TLS is the only proof.
    async fn unsigned_answer(&self, url: &Endpoint, identity: &Identity, signed: &Fields) -> Result<Answer, Failure> {
        let client = self.client()?;
        let body = http::post_xml(&client, url, &xml::write("xml", signed)).await?;
        Ok(judge_redpack(&body, identity))
    }
}

fn packet(identity: Identity, kind: RedpackKind, order: &RedPacketOrder) -> SendRedpack {
    SendRedpack {
        identity,
        kind,
        mch_billno: order.mch_billno.clone(),
        send_name: order.send_name.clone(),
        re_openid: OpenId::new(order.openid.expose_secret()),
        total_amount: order.total,
        total_num: order.parts,
        wishing: order.wishing.clone(),
        act_name: order.activity_name.clone(),
        remark: order.remark.clone(),
        client_ip: order.client_ip,
        scene_id: order.scene_id.clone(),
        risk_info: None,
    }
}

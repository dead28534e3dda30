//! Calls that only WeChat has. Their requests are the service's own messages, checked.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use money::Fen;
use proto::gateway::v1;
use secrecy::SecretString;

use super::Route;
use crate::outcome::Outcome;

/// Which comments are asked for.
#[derive(Debug)]
pub(crate) struct CommentPage {
    pub(crate) app_id: String,
    pub(crate) begin_time: Timestamp,
    pub(crate) end_time: Timestamp,
    pub(crate) offset: u64,
    pub(crate) limit: u32,
}

/// A red packet to be sent. The same packet always carries the same content, so repeating it is safe.
pub(crate) struct RedPacketOrder {
    pub(crate) app_id: String,
    pub(crate) kind: RedPacketKind,
    pub(crate) mch_billno: String,
    pub(crate) send_name: String,
    /// Who gets it, under that app.
    pub(crate) openid: SecretString,
    pub(crate) total: Fen,
    /// Into how many parts.
    pub(crate) parts: u32,
    pub(crate) wishing: String,
    pub(crate) activity_name: String,
    pub(crate) remark: String,
    pub(crate) client_ip: Ipv4Addr,
    pub(crate) scene_id: Option<String>,
}

/// Which kind of red packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedPacketKind {
    Normal,
    Group,
    MiniProgram,
}

impl Route {
    /// Tells who shows a pay code.
    pub(crate) async fn resolve_pay_code(&self, app_id: &str, auth_code: &SecretString) -> Outcome<v1::Resolved> {
        match self {
            Route::WechatV2(session) => session.resolve_pay_code(app_id, auth_code).await,
        }
    }

    /// Gives a face device what it starts with.
    pub(crate) async fn face_credential(&self, asked: v1::GetFaceCredentialRequest) -> Outcome<v1::FaceCredential> {
        match self {
            Route::WechatV2(session) => session.face_credential(asked).await,
        }
    }

    /// Shortens the text of a QR code.
    pub(crate) async fn shorten_url(&self, app_id: &str, long_url: String) -> Outcome<v1::ShortUrl> {
        match self {
            Route::WechatV2(session) => session.shorten_url(app_id, long_url).await,
        }
    }

    /// Lists the refunds of a payment.
    pub(crate) async fn list_refunds(
        &self,
        app_id: &str,
        transaction_id: &str,
        offset: u32,
    ) -> Outcome<v1::ProviderRefunds> {
        match self {
            Route::WechatV2(session) => session.list_refunds(app_id, transaction_id, offset).await,
        }
    }

    /// Lists what payers wrote.
    pub(crate) async fn list_comments(&self, page: &CommentPage) -> Outcome<v1::Comments> {
        match self {
            Route::WechatV2(session) => session.list_comments(page).await,
        }
    }

    /// Sends a red packet.
    pub(crate) async fn send_red_packet(&self, order: &RedPacketOrder) -> Outcome<v1::RedPacketSent> {
        match self {
            Route::WechatV2(session) => session.send_red_packet(order).await,
        }
    }

    /// Asks what has become of a red packet.
    pub(crate) async fn red_packet(&self, app_id: &str, mch_billno: String) -> Outcome<v1::RedPacket> {
        match self {
            Route::WechatV2(session) => session.red_packet(app_id, mch_billno).await,
        }
    }
}

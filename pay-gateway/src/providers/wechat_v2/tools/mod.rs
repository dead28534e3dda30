//! The calls behind `WechatTools`.

mod comments;
mod face_credential;
mod pay_code;
mod red_packet;
mod refunds;
mod short_url;

use std::sync::Arc;

use wechat_pay::v2::{
    AuthCodeToOpenid, CommentQuery, FaceCredentialRequest, RedpackKind, RedpackQuery, SendRedpack, ShortUrl,
};

use super::hosts::{Endpoint, Hosts};

/// Where these calls go.
#[derive(Debug)]
pub(super) struct Urls {
    pay_code: Endpoint,
    face_credential: Endpoint,
    short_url: Endpoint,
    comments: Endpoint,
    red_packet: Endpoint,
    group_red_packet: Endpoint,
    mini_program_red_packet: Endpoint,
    red_packet_query: Endpoint,
}

impl Urls {
    /// # Errors
    /// When base and path are no URL together.
    pub(super) fn below(pay: &Arc<Hosts>, with_cert: &Arc<Hosts>, face: &Arc<Hosts>) -> anyhow::Result<Urls> {
        Ok(Urls {
            pay_code: Endpoint::below(pay, AuthCodeToOpenid::PATH)?,
            face_credential: Endpoint::below(face, FaceCredentialRequest::PATH)?,
            short_url: Endpoint::below(pay, ShortUrl::PATH)?,
            comments: Endpoint::below(with_cert, CommentQuery::PATH)?,
            red_packet: Endpoint::below(with_cert, SendRedpack::path(RedpackKind::Normal))?,
            group_red_packet: Endpoint::below(with_cert, SendRedpack::path(RedpackKind::Group))?,
            mini_program_red_packet: Endpoint::below(with_cert, SendRedpack::path(RedpackKind::MiniProgram))?,
            red_packet_query: Endpoint::below(with_cert, RedpackQuery::PATH)?,
        })
    }
}

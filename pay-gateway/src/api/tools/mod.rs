//! The gRPC service `WechatTools`: one RPC per file. Its calls are admitted, bounded, counted and logged like all others.

mod get_face_credential;
mod get_red_packet;
mod list_comments;
mod list_provider_refunds;
mod resolve_pay_code;
mod send_red_packet;
mod shorten_url;

use merchants::Merchant;
use proto::{
    error::ErrorReason,
    gateway::v1::{self, wechat_tools_server::WechatTools},
};
use svc_kit::refusal;
use tonic::{Code, Request, Response, Status};

use super::Api;

#[tonic::async_trait]
impl WechatTools for Api {
    async fn resolve_pay_code(
        &self,
        request: Request<v1::ResolvePayCodeRequest>,
    ) -> Result<Response<v1::ResolveOpenidResponse>, Status> {
        resolve_pay_code::handle(self, request).await
    }

    async fn get_face_credential(
        &self,
        request: Request<v1::GetFaceCredentialRequest>,
    ) -> Result<Response<v1::GetFaceCredentialResponse>, Status> {
        get_face_credential::handle(self, request).await
    }

    async fn shorten_url(
        &self,
        request: Request<v1::ShortenUrlRequest>,
    ) -> Result<Response<v1::ShortenUrlResponse>, Status> {
        shorten_url::handle(self, request).await
    }

    async fn list_provider_refunds(
        &self,
        request: Request<v1::ListProviderRefundsRequest>,
    ) -> Result<Response<v1::ListProviderRefundsResponse>, Status> {
        list_provider_refunds::handle(self, request).await
    }

    async fn list_comments(
        &self,
        request: Request<v1::ListCommentsRequest>,
    ) -> Result<Response<v1::ListCommentsResponse>, Status> {
        list_comments::handle(self, request).await
    }

    async fn send_red_packet(
        &self,
        request: Request<v1::SendRedPacketRequest>,
    ) -> Result<Response<v1::SendRedPacketResponse>, Status> {
        send_red_packet::handle(self, request).await
    }

    async fn get_red_packet(
        &self,
        request: Request<v1::GetRedPacketRequest>,
    ) -> Result<Response<v1::GetRedPacketResponse>, Status> {
        get_red_packet::handle(self, request).await
    }
}

/// WeChat answers a call without certificate with a page for people.
///
/// # Errors
/// `FAILED_PRECONDITION`, with nothing sent, when the merchant has none.
fn needs_certificate(merchant: &Merchant) -> Result<(), Status> {
    if merchant.wechat_v2().is_some_and(|account| account.client_identity.is_some()) {
        return Ok(());
    }
    Err(refusal::refuse(
        Code::FailedPrecondition,
        ErrorReason::MethodNotAvailable.word(),
        format!("{} has no client certificate, which this call needs; nothing was sent", merchant.name),
        [("merchant", merchant.name.to_string())],
    ))
}

//! The gRPC service: one RPC per file. What is common to them: fields are checked all at once (`fields`), the merchant is
//! looked up, the deadline is worked out (`deadline`), and the call goes through [`Calls`](crate::calls::Calls).

mod charge;
mod close_payment;
mod create_refund;
mod deadline;
mod download_bill;
mod fields;
mod list_merchants;
mod particulars;
mod prepay;
mod query_payment;
mod query_refund;
mod resolve_openid;
mod reverse_payment;
mod sign_product_code;
mod tools;

use std::{sync::Arc, time::Duration};

use merchants::Merchants;
use proto::gateway::v1::{self, payment_gateway_server::PaymentGateway};
use svc_kit::clock::Clock;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::{calls::Calls, providers::Providers};

/// Everything an RPC needs.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub(crate) merchants: Merchants,
    pub(crate) providers: Arc<Providers>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) clock: Clock,
    /// Tells the real time, whatever the clock of the business is told.
    pub(crate) real: Clock,
    /// Longest call to a provider.
    pub(crate) provider_timeout: Duration,
    /// Fires when the process is to stop.
    pub(crate) stop: CancellationToken,
}

#[tonic::async_trait]
impl PaymentGateway for Api {
    async fn prepay(&self, request: Request<v1::PrepayRequest>) -> Result<Response<v1::PrepayResponse>, Status> {
        prepay::handle(self, request).await
    }

    async fn charge(&self, request: Request<v1::ChargeRequest>) -> Result<Response<v1::ChargeResponse>, Status> {
        charge::handle(self, request).await
    }

    async fn reverse_payment(
        &self,
        request: Request<v1::ReversePaymentRequest>,
    ) -> Result<Response<v1::ReversePaymentResponse>, Status> {
        reverse_payment::handle(self, request).await
    }

    async fn sign_product_code(
        &self,
        request: Request<v1::SignProductCodeRequest>,
    ) -> Result<Response<v1::SignProductCodeResponse>, Status> {
        sign_product_code::handle(self, request)
    }

    async fn query_payment(
        &self,
        request: Request<v1::QueryPaymentRequest>,
    ) -> Result<Response<v1::QueryPaymentResponse>, Status> {
        query_payment::handle(self, request).await
    }

    async fn close_payment(
        &self,
        request: Request<v1::ClosePaymentRequest>,
    ) -> Result<Response<v1::ClosePaymentResponse>, Status> {
        close_payment::handle(self, request).await
    }

    async fn create_refund(
        &self,
        request: Request<v1::CreateRefundRequest>,
    ) -> Result<Response<v1::CreateRefundResponse>, Status> {
        create_refund::handle(self, request).await
    }

    async fn query_refund(
        &self,
        request: Request<v1::QueryRefundRequest>,
    ) -> Result<Response<v1::QueryRefundResponse>, Status> {
        query_refund::handle(self, request).await
    }

    async fn resolve_openid(
        &self,
        request: Request<v1::ResolveOpenidRequest>,
    ) -> Result<Response<v1::ResolveOpenidResponse>, Status> {
        resolve_openid::handle(self, request).await
    }

    type DownloadBillStream = download_bill::Parts;

    async fn download_bill(
        &self,
        request: Request<v1::DownloadBillRequest>,
    ) -> Result<Response<Self::DownloadBillStream>, Status> {
        download_bill::handle(self, request).await
    }

    async fn list_merchants(
        &self,
        _request: Request<v1::ListMerchantsRequest>,
    ) -> Result<Response<v1::ListMerchantsResponse>, Status> {
        Ok(Response::new(list_merchants::answer(&self.merchants)))
    }
}

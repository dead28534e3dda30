//! `tongbao.order.v1.OrderService`: one RPC per file. Each checks the caller, then every field, and only then acts.

mod answer;
mod close_order;
mod close_product_code;
pub mod create_order;
mod create_product_code;
mod create_refund;
mod fields;
mod get_order;
mod get_product_code;
mod get_refund;
mod images;
mod list_orders;
mod list_product_codes;
mod list_refunds;
pub(crate) mod native_scan;
mod pages;
mod particulars;
mod pay_order;
mod product_code;
mod refuse;
mod replay;
pub mod watch;
mod watch_order;

use std::{pin::Pin, sync::Arc};

use proto::order::v1::{
    CloseOrderRequest, CloseProductCodeRequest, CreateOrderRequest, CreateProductCodeRequest, CreateRefundRequest,
    GetOrderRequest, GetProductCodeRequest, GetRefundRequest, ListOrdersRequest, ListOrdersResponse,
    ListProductCodesRequest, ListProductCodesResponse, ListRefundsRequest, ListRefundsResponse, Order, PayOrderRequest,
    PayOrderResponse, ProductCode, Refund, WatchOrderRequest, order_service_server::OrderService,
};
use svc_kit::callers::Callers;
use tonic::{Request, Response, Status, codegen::tokio_stream::Stream};

use crate::{gateway::Merchants, life::Life};
use watch::Watchers;

/// The API of the internal teams.
#[derive(Clone, Debug)]
pub struct Api {
    pub(crate) life: Life,
    pub(crate) merchants: Merchants,
    pub(crate) apps: Arc<Callers>,
    pub(crate) watchers: Watchers,
    creating: create_order::Queue,
}

impl Api {
    /// Serves the teams in `apps`. New orders wait in `creating`.
    pub fn new(
        life: Life,
        merchants: Merchants,
        apps: Callers,
        watchers: Watchers,
        creating: create_order::Queue,
    ) -> Self {
        Self { life, merchants, apps: Arc::new(apps), watchers, creating }
    }

    fn counted<T>(&self, rpc: &'static str, answer: Result<T, Status>) -> Result<Response<T>, Status> {
        let outcome = answer.as_ref().map_or_else(|status| refuse::code_word(status.code()), |_| "ok");
        self.life.measured.called(rpc, outcome);
        answer.map(Response::new)
    }
}

#[tonic::async_trait]
impl OrderService for Api {
    async fn create_order(&self, request: Request<CreateOrderRequest>) -> Result<Response<Order>, Status> {
        self.counted("CreateOrder", create_order::handle(self, request).await)
    }

    async fn get_order(&self, request: Request<GetOrderRequest>) -> Result<Response<Order>, Status> {
        self.counted("GetOrder", get_order::handle(self, request).await)
    }

    async fn list_orders(&self, request: Request<ListOrdersRequest>) -> Result<Response<ListOrdersResponse>, Status> {
        self.counted("ListOrders", list_orders::handle(self, request).await)
    }

    async fn pay_order(&self, request: Request<PayOrderRequest>) -> Result<Response<PayOrderResponse>, Status> {
        self.counted("PayOrder", pay_order::handle(self, request).await)
    }

    async fn close_order(&self, request: Request<CloseOrderRequest>) -> Result<Response<Order>, Status> {
        self.counted("CloseOrder", close_order::handle(self, request).await)
    }

    async fn create_refund(&self, request: Request<CreateRefundRequest>) -> Result<Response<Refund>, Status> {
        self.counted("CreateRefund", create_refund::handle(self, request).await)
    }

    async fn get_refund(&self, request: Request<GetRefundRequest>) -> Result<Response<Refund>, Status> {
        self.counted("GetRefund", get_refund::handle(self, request).await)
    }

    async fn list_refunds(
        &self,
        request: Request<ListRefundsRequest>,
    ) -> Result<Response<ListRefundsResponse>, Status> {
        self.counted("ListRefunds", list_refunds::handle(self, request).await)
    }

    type WatchOrderStream = Pin<Box<dyn Stream<Item = Result<Order, Status>> + Send>>;

    async fn watch_order(
        &self,
        request: Request<WatchOrderRequest>,
    ) -> Result<Response<Self::WatchOrderStream>, Status> {
        self.counted("WatchOrder", watch_order::handle(self, request).await)
    }

    async fn create_product_code(
        &self,
        request: Request<CreateProductCodeRequest>,
    ) -> Result<Response<ProductCode>, Status> {
        self.counted("CreateProductCode", create_product_code::handle(self, request).await)
    }

    async fn get_product_code(&self, request: Request<GetProductCodeRequest>) -> Result<Response<ProductCode>, Status> {
        self.counted("GetProductCode", get_product_code::handle(self, request).await)
    }

    async fn list_product_codes(
        &self,
        request: Request<ListProductCodesRequest>,
    ) -> Result<Response<ListProductCodesResponse>, Status> {
        self.counted("ListProductCodes", list_product_codes::handle(self, request).await)
    }

    async fn close_product_code(
        &self,
        request: Request<CloseProductCodeRequest>,
    ) -> Result<Response<ProductCode>, Status> {
        self.counted("CloseProductCode", close_product_code::handle(self, request).await)
    }
}

//! pay-gateway, played by the test: it says what the test tells it to say, and counts downloads.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{Stream, stream};
use proto::error::ErrorReason;
use proto::gateway::v1::download_bill_request::Kind;
use proto::gateway::v1::download_bill_response::Part;
use proto::gateway::v1::payment_gateway_server::{PaymentGateway, PaymentGatewayServer};
use proto::gateway::v1::*;
use svc_kit::refusal::refuse;
use tonic::{Code, Request, Response, Status};

/// What the provider has for a day.
#[derive(Clone, Debug)]
pub(crate) enum Bill {
    /// Still being made.
    NotReady,
    /// A bill.
    Whole(Vec<u8>),
    /// A bill whose download breaks off.
    CutOff(Vec<u8>),
}

#[derive(Debug, Default)]
struct State {
    bills: HashMap<(String, String), Bill>,
    funds: HashMap<(Kind, String), Bill>,
    has_certificate: bool,
    sub_mch_id: String,
    downloads: usize,
}

/// The gateway. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeGateway {
    state: Arc<Mutex<State>>,
}

impl FakeGateway {
    /// From now on the provider has this for the day. A day that was never set has no bill.
    pub(crate) fn set_bill(&self, merchant: &str, day: jiff::civil::Date, bill: Bill) {
        self.state().bills.insert((merchant.to_owned(), day.to_string()), bill);
    }

    /// From now on the account has a client certificate, without which nobody fetches a fund flow.
    pub(crate) fn set_certificate(&self) {
        self.state().has_certificate = true;
    }

    /// From now on the provider has this fund flow of our merchant for the day; without one nothing moved.
    pub(crate) fn set_fund_flow(&self, kind: Kind, day: jiff::civil::Date, bill: Bill) {
        self.state().funds.insert((kind, day.to_string()), bill);
    }

    /// From now on the account is a sub-merchant's with this number, or with none a direct merchant's.
    pub(crate) fn set_sub_mch_id(&self, sub_mch_id: &str) {
        sub_mch_id.clone_into(&mut self.state().sub_mch_id);
    }

    /// Downloads so far.
    pub(crate) fn downloads(&self) -> usize {
        self.state().downloads
    }

    pub(crate) async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        let server = tonic::transport::Server::builder().add_service(PaymentGatewayServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(incoming));
        format!("http://{address}")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl PaymentGateway for FakeGateway {
    type DownloadBillStream = Pin<Box<dyn Stream<Item = Result<DownloadBillResponse, Status>> + Send>>;

    async fn list_merchants(
        &self,
        _: Request<ListMerchantsRequest>,
    ) -> Result<Response<ListMerchantsResponse>, Status> {
        let merchant = |name: &str, mch_id: &str| Merchant {
            name: name.to_owned(),
            provider: "wechat-v2".to_owned(),
            mch_id: mch_id.to_owned(),
            ..Merchant::default()
        };
        let (sub_mch_id, can_refund) = {
            let state = self.state();
            (state.sub_mch_id.clone(), state.has_certificate)
        };
        let ours = Merchant { sub_mch_id, can_refund, ..merchant(crate::bill::MERCHANT, crate::bill::MCH_ID) };
        let merchants = vec![ours, merchant("other", "1900000009")];
        Ok(Response::new(ListMerchantsResponse { merchants }))
    }

    async fn charge(&self, _: Request<ChargeRequest>) -> Result<Response<ChargeResponse>, Status> {
        Err(Status::unimplemented("reconciliation charges nobody"))
    }

    async fn reverse_payment(
        &self,
        _: Request<ReversePaymentRequest>,
    ) -> Result<Response<ReversePaymentResponse>, Status> {
        Err(Status::unimplemented("reconciliation takes nothing back"))
    }

    async fn sign_product_code(
        &self,
        _: Request<SignProductCodeRequest>,
    ) -> Result<Response<SignProductCodeResponse>, Status> {
        Err(Status::unimplemented("reconciliation sells nothing"))
    }

    async fn download_bill(
        &self,
        request: Request<DownloadBillRequest>,
    ) -> Result<Response<Self::DownloadBillStream>, Status> {
        let request = request.into_inner();
        let kind = request.kind();
        let DownloadBillRequest { merchant, bill_date, .. } = request;
        let bill = {
            let mut state = self.state();
            state.downloads += 1;
            match kind {
                Kind::TradeAll => state.bills.get(&(merchant, bill_date)).cloned(),
                _ => state.funds.get(&(kind, bill_date)).cloned(),
            }
        };
        let refused = |code, reason: ErrorReason| Err(refuse(code, reason.word(), "no bill", []));
        let (bytes, ends) = match bill {
            None => return refused(Code::NotFound, ErrorReason::NoBill),
            Some(Bill::NotReady) => return refused(Code::FailedPrecondition, ErrorReason::BillNotReady),
            Some(Bill::Whole(bytes)) => (bytes, true),
            Some(Bill::CutOff(bytes)) => (bytes, false),
        };
        // Small chunks, so that rows and characters are cut in the middle.
        let mut parts: Vec<Part> = bytes.chunks(100).map(|chunk| Part::Chunk(chunk.to_vec())).collect();
        if ends {
            parts.push(Part::End(BillEnd { bytes: bytes.len().try_into().expect("a small bill") }));
        }
        let messages = parts.into_iter().map(|part| Ok(DownloadBillResponse { part: Some(part) }));
        Ok(Response::new(Box::pin(stream::iter(messages.collect::<Vec<_>>()))))
    }

    async fn query_payment(&self, _: Request<QueryPaymentRequest>) -> Result<Response<QueryPaymentResponse>, Status> {
        Err(Status::unimplemented("reconcile-svc asks about no payment: order-svc does"))
    }

    async fn prepay(&self, _: Request<PrepayRequest>) -> Result<Response<PrepayResponse>, Status> {
        Err(Status::unimplemented("reconciliation never pays"))
    }

    async fn close_payment(&self, _: Request<ClosePaymentRequest>) -> Result<Response<ClosePaymentResponse>, Status> {
        Err(Status::unimplemented("reconciliation never closes"))
    }

    async fn create_refund(&self, _: Request<CreateRefundRequest>) -> Result<Response<CreateRefundResponse>, Status> {
        Err(Status::unimplemented("reconcile-svc refunds nothing"))
    }

    async fn query_refund(&self, _: Request<QueryRefundRequest>) -> Result<Response<QueryRefundResponse>, Status> {
        Err(Status::unimplemented("reconcile-svc asks about no refund"))
    }

    async fn resolve_openid(
        &self,
        _: Request<ResolveOpenidRequest>,
    ) -> Result<Response<ResolveOpenidResponse>, Status> {
        Err(Status::unimplemented("reconciliation knows no payers"))
    }
}

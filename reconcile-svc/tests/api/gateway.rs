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
use tokio::sync::Semaphore;
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
    more_merchants: Vec<(String, String)>,
    downloads: usize,
    gate: Option<Arc<Semaphore>>,
    held: usize,
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

    /// From now on there is one merchant more.
    pub(crate) fn add_merchant(&self, name: &str, mch_id: &str) {
        self.state().more_merchants.push((name.to_owned(), mch_id.to_owned()));
    }

    /// From now on every download is asked for and does not begin, until it is let through.
    pub(crate) fn hold_downloads(&self) {
        self.state().gate = Some(Arc::new(Semaphore::new(0)));
    }

    /// Lets so many downloads begin, those that wait first.
    pub(crate) fn let_through(&self, count: usize) {
        self.state().gate.as_ref().expect("downloads are held").add_permits(count);
    }

    /// Lets all begin.
    pub(crate) fn let_all_through(&self) {
        if let Some(gate) = self.state().gate.take() {
            gate.close();
        }
    }

    /// Downloads that somebody waits for at this moment.
    pub(crate) fn held(&self) -> usize {
        self.state().held
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

    /// Waits at the gate, where there is one.
    async fn pass(&self) {
        let Some(gate) = self.state().gate.clone() else { return };
        self.state().held += 1;
        // Counted down as well when the caller dies.
        let _held = Held(self);
        if let Ok(permit) = gate.acquire().await {
            permit.forget();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that waits at the gate.
struct Held<'a>(&'a FakeGateway);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.state().held -= 1;
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
        let (sub_mch_id, can_refund, more) = {
            let state = self.state();
            (state.sub_mch_id.clone(), state.has_certificate, state.more_merchants.clone())
        };
        let ours = Merchant { sub_mch_id, can_refund, ..merchant(crate::bill::MERCHANT, crate::bill::MCH_ID) };
        let mut merchants = vec![ours, merchant("other", "1900000009")];
        merchants.extend(more.iter().map(|(name, mch_id)| merchant(name, mch_id)));
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
        self.pass().await;
        let refused = |code, reason: ErrorReason| Err(refuse(code, reason.word(), "no bill", []));
        let (bytes, ends) = match bill {
            None => return refused(Code::NotFound, ErrorReason::NoBill),
            Some(Bill::NotReady) => return refused(Code::FailedPrecondition, ErrorReason::BillNotReady),
            Some(Bill::Whole(bytes)) => (bytes, true),
            Some(Bill::CutOff(bytes)) => (bytes, false),
        };
        // Small chunks, so that rows and characters are cut in the middle.
        let chunk = (bytes.len() / 1000).max(100);
        let mut parts: Vec<Part> = bytes.chunks(chunk).map(|chunk| Part::Chunk(chunk.to_vec())).collect();
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

//! pay-gateway, played by the test: it says what the test tells it to say, and keeps what it was asked.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{Stream, stream};
use proto::gateway::v1::payment_gateway_server::{PaymentGateway, PaymentGatewayServer};
use proto::gateway::v1::*;
use proto::order::v1::AppInvocation;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

/// A merchant with an app of each kind.
pub(crate) const MERCHANT: &str = "acme";
pub(crate) const MCH_ID: &str = "1900000001";
pub(crate) const MINI: &str = "wxmini";
pub(crate) const WEB: &str = "wxweb";
/// One in service-provider mode, with one app.
pub(crate) const SUB_MERCHANT: &str = "acme-tea";
pub(crate) const PROVIDER_MCH_ID: &str = "1900000002";
pub(crate) const SUB_MCH_ID: &str = "1900000003";
pub(crate) const SUB_APP: &str = "wxsub";

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a test may say, whatever the others are")]
struct State {
    prepays: Vec<PrepayRequest>,
    /// What the next prepays are answered; accepted when empty.
    answers: VecDeque<prepay_response::Outcome>,
    refunds: Vec<CreateRefundRequest>,
    refund_queries: Vec<QueryRefundRequest>,
    payment_queries: Vec<QueryPaymentRequest>,
    signatures: u64,
    charges: Vec<ChargeRequest>,
    reversals: Vec<ReversePaymentRequest>,
    /// What the provider says of every attempt; not paid when nothing is set.
    status: Option<PaymentStatus>,
    /// Whether questions about attempts find nobody.
    is_silent: bool,
    /// What the provider says of every refund; nothing when it is not set.
    refund_status: Option<RefundStatus>,
    /// Whether answers to refunds are lost.
    loses_refunds: bool,
    /// What the merchants' files have changed to.
    certificates_missing: bool,
    surplus_is_held: bool,
    listings: usize,
}

/// The gateway. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct FakeGateway {
    state: Arc<Mutex<State>>,
    /// While it is true, prepays are taken and not answered.
    holding: Arc<watch::Sender<bool>>,
}

impl FakeGateway {
    pub(crate) fn new() -> Self {
        Self { state: Arc::default(), holding: Arc::new(watch::Sender::new(false)) }
    }

    /// The next prepay is answered so.
    pub(crate) fn answer_next(&self, outcome: prepay_response::Outcome) {
        self.state().answers.push_back(outcome);
    }

    /// The answer to the next prepay is lost.
    pub(crate) fn lose_next(&self) {
        self.answer_next(prepay_response::Outcome::Unknown(Unknown { why: "timeout".into(), ..Unknown::default() }));
    }

    /// Whether prepays wait for their answers.
    pub(crate) fn hold(&self, holding: bool) {
        self.holding.send_replace(holding);
    }

    pub(crate) fn prepays(&self) -> Vec<PrepayRequest> {
        self.state().prepays.clone()
    }

    pub(crate) fn refunds(&self) -> Vec<CreateRefundRequest> {
        self.state().refunds.clone()
    }

    pub(crate) fn refund_queries(&self) -> Vec<QueryRefundRequest> {
        self.state().refund_queries.clone()
    }

    pub(crate) fn payment_queries(&self) -> Vec<QueryPaymentRequest> {
        self.state().payment_queries.clone()
    }

    /// Charges that arrived; each is answered with "the payer enters a password".
    pub(crate) fn charges(&self) -> Vec<ChargeRequest> {
        self.state().charges.clone()
    }

    /// Reversals that arrived; each is answered with a definite no.
    pub(crate) fn reversals(&self) -> Vec<ReversePaymentRequest> {
        self.state().reversals.clone()
    }

    /// The provider says so of every attempt that it is asked about from now on.
    pub(crate) fn says(&self, status: PaymentStatus) {
        self.state().status = Some(status);
    }

    /// The provider says from now on that the newest charge was paid; its word for the state is `provider_state`.
    pub(crate) fn says_paid(&self, provider_state: &str) {
        let charge = self.charges().pop().expect("something was charged");
        let paid = PaidStatus {
            transaction_id: format!("42{}", charge.out_trade_no),
            amount_fen: charge.amount_fen,
            payer_amount_fen: charge.amount_fen,
            currency: "CNY".to_owned(),
            mch_id: charge.mch_id,
            app_id: charge.app_id,
            out_trade_no: charge.out_trade_no,
            paid_time: Some(pbjson_types::Timestamp { seconds: 1_795_000_000, nanos: 0 }),
            ..PaidStatus::default()
        };
        let state = payment_status::State::Paid.into();
        self.says(PaymentStatus { state, paid: Some(paid), provider_state: provider_state.to_owned() });
    }

    /// Whether the provider answers no question, about whatever, from now on.
    pub(crate) fn silent(&self, silent: bool) {
        let mut state = self.state();
        (state.is_silent, state.refund_status) = (silent, None);
    }

    /// The provider says so of every refund that it is asked about from now on.
    pub(crate) fn says_of_refunds(&self, status: RefundStatus) {
        self.state().refund_status = Some(status);
    }

    /// Whether the answers to refunds are lost.
    pub(crate) fn loses_refunds(&self, lost: bool) {
        self.state().loses_refunds = lost;
    }

    /// Whether surplus money waits for a person.
    pub(crate) fn hold_surplus(&self, held: bool) {
        self.state().surplus_is_held = held;
    }

    /// How often the merchants were listed.
    pub(crate) fn listings(&self) -> usize {
        self.state().listings
    }

    /// Whether the merchants' files name no client certificates.
    pub(crate) fn miss_certificates(&self, missing: bool) {
        self.state().certificates_missing = missing;
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

fn nobody() -> Unknown {
    Unknown { why: "timeout".into(), ..Unknown::default() }
}

fn merchants() -> Vec<Merchant> {
    let app =
        |app_id: &str, kind: AppKind| App { app_id: app_id.to_owned(), kind: kind.into(), can_resolve_openid: true };
    let merchant = |name: &str, mch_id: &str, apps| Merchant {
        name: name.to_owned(),
        provider: "wechat-v2".to_owned(),
        mch_id: mch_id.to_owned(),
        apps,
        can_refund: true,
        methods: vec!["pay_code".to_owned()],
        surplus: SurplusPolicy::Refund.into(),
        ..Merchant::default()
    };
    let every_kind = vec![
        app(MINI, AppKind::MiniProgram),
        app("wxaccount", AppKind::OfficialAccount),
        app("wxapp", AppKind::App),
        app(WEB, AppKind::Web),
    ];
    let sub = merchant(SUB_MERCHANT, PROVIDER_MCH_ID, vec![app(SUB_APP, AppKind::MiniProgram)]);
    vec![merchant(MERCHANT, MCH_ID, every_kind), Merchant { sub_mch_id: SUB_MCH_ID.to_owned(), ..sub }]
}

/// As the real one: what it holds depends on the method, and on the number alone.
fn accepted(request: &PrepayRequest) -> Prepaid {
    let mut prepaid = Prepaid { prepay_id: format!("wx{}", request.out_trade_no), ..Prepaid::default() };
    match request.method() {
        PaymentMethod::Native => prepaid.code_url = format!("weixin://wxpay/bizpayurl?pr={}", request.out_trade_no),
        PaymentMethod::H5 => prepaid.h5_url = format!("https://wx.tenpay.invalid/?prepay_id={}", request.out_trade_no),
        PaymentMethod::App => {
            prepaid.app = Some(AppInvocation { prepayid: prepaid.prepay_id.clone(), ..AppInvocation::default() });
        }
        _ => (prepaid.app_id, prepaid.pay_sign) = (request.app_id.clone(), "SIGN".to_owned()),
    }
    prepaid
}

#[tonic::async_trait]
impl PaymentGateway for FakeGateway {
    type DownloadBillStream = Pin<Box<dyn Stream<Item = Result<DownloadBillResponse, Status>> + Send>>;

    async fn list_merchants(
        &self,
        _: Request<ListMerchantsRequest>,
    ) -> Result<Response<ListMerchantsResponse>, Status> {
        let mut merchants = merchants();
        let (missing, held) = {
            let mut state = self.state();
            state.listings += 1;
            (state.certificates_missing, state.surplus_is_held)
        };
        for merchant in &mut merchants {
            merchant.can_refund = !missing;
            if held {
                merchant.surplus = SurplusPolicy::Hold.into();
            }
        }
        Ok(Response::new(ListMerchantsResponse { merchants }))
    }

    async fn prepay(&self, request: Request<PrepayRequest>) -> Result<Response<PrepayResponse>, Status> {
        let mut request = request.into_inner();
        // Each sending has its own, so what is compared is the rest.
        assert!(request.leave_before.take().is_some(), "it leaves in time or never");
        let outcome = {
            let mut state = self.state();
            state.prepays.push(request.clone());
            state.answers.pop_front()
        };
        let mut holding = self.holding.subscribe();
        // The sender lives as long as this gateway, so this ends when the test lets go.
        let _ = holding.wait_for(|holding| !holding).await;
        let outcome = outcome.unwrap_or_else(|| prepay_response::Outcome::Done(accepted(&request)));
        Ok(Response::new(PrepayResponse { outcome: Some(outcome) }))
    }

    async fn query_payment(
        &self,
        request: Request<QueryPaymentRequest>,
    ) -> Result<Response<QueryPaymentResponse>, Status> {
        let not_paid = PaymentStatus { state: payment_status::State::NotPaid.into(), ..PaymentStatus::default() };
        let outcome = {
            let mut state = self.state();
            state.payment_queries.push(request.into_inner());
            if state.is_silent {
                query_payment_response::Outcome::Unknown(nobody())
            } else {
                query_payment_response::Outcome::Done(state.status.clone().unwrap_or(not_paid))
            }
        };
        Ok(Response::new(QueryPaymentResponse { outcome: Some(outcome) }))
    }

    async fn create_refund(
        &self,
        request: Request<CreateRefundRequest>,
    ) -> Result<Response<CreateRefundResponse>, Status> {
        let mut request = request.into_inner();
        assert!(request.leave_before.take().is_some(), "it leaves in time or never");
        let done = RefundAccepted { refund_id: format!("50{}", request.out_refund_no) };
        let outcome = {
            let mut state = self.state();
            state.refunds.push(request);
            if state.loses_refunds {
                create_refund_response::Outcome::Unknown(nobody())
            } else {
                create_refund_response::Outcome::Done(done)
            }
        };
        Ok(Response::new(CreateRefundResponse { outcome: Some(outcome) }))
    }

    async fn query_refund(
        &self,
        request: Request<QueryRefundRequest>,
    ) -> Result<Response<QueryRefundResponse>, Status> {
        let outcome = {
            let mut state = self.state();
            state.refund_queries.push(request.into_inner());
            let status = state.refund_status.clone();
            status
                .map_or_else(|| query_refund_response::Outcome::Unknown(nobody()), query_refund_response::Outcome::Done)
        };
        Ok(Response::new(QueryRefundResponse { outcome: Some(outcome) }))
    }

    async fn sign_product_code(
        &self,
        request: Request<SignProductCodeRequest>,
    ) -> Result<Response<SignProductCodeResponse>, Status> {
        let request = request.into_inner();
        let mut state = self.state();
        state.signatures += 1;
        let code_url = format!(
            "weixin://wxpay/bizpayurl?appid={}&product_id={}&nonce_str={}",
            request.app_id, request.product_id, state.signatures
        );
        Ok(Response::new(SignProductCodeResponse { code_url }))
    }

    async fn close_payment(&self, _: Request<ClosePaymentRequest>) -> Result<Response<ClosePaymentResponse>, Status> {
        Err(Status::unimplemented("no test closes"))
    }

    async fn charge(&self, request: Request<ChargeRequest>) -> Result<Response<ChargeResponse>, Status> {
        self.state().charges.push(request.into_inner());
        let paying = PaymentStatus { state: payment_status::State::Paying.into(), ..PaymentStatus::default() };
        Ok(Response::new(ChargeResponse { outcome: Some(charge_response::Outcome::Done(paying)) }))
    }

    async fn reverse_payment(
        &self,
        request: Request<ReversePaymentRequest>,
    ) -> Result<Response<ReversePaymentResponse>, Status> {
        self.state().reversals.push(request.into_inner());
        let no = NotDone { kind: not_done::Kind::Configuration.into(), ..NotDone::default() };
        Ok(Response::new(ReversePaymentResponse { outcome: Some(reverse_payment_response::Outcome::NotDone(no)) }))
    }

    async fn resolve_openid(
        &self,
        request: Request<ResolveOpenidRequest>,
    ) -> Result<Response<ResolveOpenidResponse>, Status> {
        let request = request.into_inner();
        let done = Resolved { openid: format!("o-{}-{}", request.app_id, request.login_code) };
        Ok(Response::new(ResolveOpenidResponse { outcome: Some(resolve_openid_response::Outcome::Done(done)) }))
    }

    async fn download_bill(
        &self,
        _: Request<DownloadBillRequest>,
    ) -> Result<Response<Self::DownloadBillStream>, Status> {
        Ok(Response::new(Box::pin(stream::empty())))
    }
}

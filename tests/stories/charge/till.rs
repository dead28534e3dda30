//! A gateway that stands between order-svc and the real one, and takes charges by a script: it can pay, dawdle, lose and refuse in
//! ways that no provider does on demand. All else goes to the real gateway, and so does money that really moves.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use e2e::{Part, World, sandbox_client::SandboxClient};
use proto::gateway::v1::{
    ChargeRequest, ChargeResponse, ClosePaymentRequest, ClosePaymentResponse, CreateRefundRequest,
    CreateRefundResponse, DownloadBillRequest, DownloadBillResponse, ListMerchantsRequest, ListMerchantsResponse,
    NotDone, PaidStatus, PaymentMethod, PaymentStatus, PrepayRequest, PrepayResponse, QueryPaymentRequest,
    QueryPaymentResponse, QueryRefundRequest, QueryRefundResponse, ResolveOpenidRequest, ResolveOpenidResponse,
    ReversePaymentRequest, ReversePaymentResponse, Reversed, SignProductCodeRequest, SignProductCodeResponse, Unknown,
    charge_response,
    not_done::Kind,
    payment_gateway_client::PaymentGatewayClient,
    payment_gateway_server::{PaymentGateway, PaymentGatewayServer},
    payment_status::State,
    query_payment_response, reverse_payment_response,
};
use tonic::{Request, Response, Status, codegen::BoxStream, transport::Channel};

/// What is known of a charge at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum There {
    /// It never arrived.
    Unknown,
    /// The payer enters a password.
    Paying,
    /// Paid, as far as this gateway tells.
    Paid,
    /// Taken back.
    Reversed,
    /// Whatever the real provider says.
    Real,
}

/// What becomes of the next charge.
#[derive(Clone, Copy, Debug)]
pub(super) enum Charging {
    /// It pays at once, really.
    Pays,
    /// The payer is asked for a password.
    Asks,
    /// The payer is asked, and the answer is lost.
    AsksUnheard,
    /// It is lost on its way.
    Lost,
    /// A definite no.
    Refused(Kind, &'static str),
}

/// What becomes of the next reversals.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reversing {
    Works,
    /// It is lost on its way.
    Lost,
    Refused(Kind),
}

#[derive(Debug)]
struct Books {
    charging: Charging,
    reversing: Reversing,
    there: BTreeMap<String, There>,
    charges: usize,
    reversals: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Till {
    books: Arc<Mutex<Books>>,
    real: PaymentGatewayClient<Channel>,
    sandbox: SandboxClient,
    url: String,
}

impl Till {
    /// Opens one, and lets order-svc start again with it.
    pub(super) async fn open(world: &mut World) -> Self {
        let real = svc_kit::grpc::channel(&world.addresses().gateway.url()).expect("our own URL is well formed");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let books = Books {
            charging: Charging::Pays,
            reversing: Reversing::Works,
            there: BTreeMap::new(),
            charges: 0,
            reversals: 0,
        };
        let till = Self {
            books: Arc::new(Mutex::new(books)),
            real: PaymentGatewayClient::new(real),
            sandbox: world.sandbox.clone(),
            url,
        };
        let till_side = Served(till.books.clone(), till.real.clone(), till.sandbox.clone());
        let server = tonic::transport::Server::builder().add_service(PaymentGatewayServer::new(till_side));
        // It ends with the runtime of its story.
        tokio::spawn(server.serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener)));
        world.kill(Part::OrderSvc);
        till.serves(world, &[]).await;
        till
    }

    /// Starts order-svc, which must not run, with this gateway.
    pub(super) async fn serves(&self, world: &World, more: &[(&str, &str)]) {
        let mut environment = vec![("GATEWAY_URL", self.url.as_str())];
        environment.extend(more);
        world.start_with(Part::OrderSvc, &environment).await;
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next_charge(&self, charging: Charging) {
        self.lock().charging = charging;
    }

    pub(super) fn next_reversals(&self, reversing: Reversing) {
        self.lock().reversing = reversing;
    }

    /// What the provider knows of it from now on.
    pub(super) fn becomes(&self, out_trade_no: &str, there: There) {
        self.lock().there.insert(out_trade_no.to_owned(), there);
    }

    /// The payer pays, really: the money is in the ledger.
    pub(super) async fn pays(&self, charge: &ChargeRequest) {
        really(self.real.clone(), &self.sandbox, charge).await;
        self.becomes(&charge.out_trade_no, There::Real);
    }

    pub(super) fn charges(&self) -> usize {
        self.lock().charges
    }

    pub(super) fn reversals(&self) -> usize {
        self.lock().reversals
    }
}

/// The money moves by a prepaid order of the same number, which is all that this provider takes.
async fn really(mut real: PaymentGatewayClient<Channel>, sandbox: &SandboxClient, charge: &ChargeRequest) {
    let prepay = PrepayRequest {
        merchant: charge.merchant.clone(),
        mch_id: charge.mch_id.clone(),
        app_id: charge.app_id.clone(),
        out_trade_no: charge.out_trade_no.clone(),
        amount_fen: charge.amount_fen,
        description: charge.description.clone(),
        expire_time: charge.expire_time,
        payer_ip: charge.terminal_ip.clone(),
        openid: "oTillPayer".into(),
        method: PaymentMethod::MiniProgram.into(),
        ..PrepayRequest::default()
    };
    let prepaid = real.prepay(prepay).await.expect("the gateway answers").into_inner();
    assert!(matches!(prepaid.outcome, Some(proto::gateway::v1::prepay_response::Outcome::Done(_))), "{prepaid:?}");
    sandbox.pay(&charge.out_trade_no).await;
}

struct Served(Arc<Mutex<Books>>, PaymentGatewayClient<Channel>, SandboxClient);

impl Served {
    fn lock(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn real_status(&self, request: QueryPaymentRequest) -> Result<QueryPaymentResponse, Status> {
        Ok(self.1.clone().query_payment(request).await?.into_inner())
    }
}

fn status(state: State) -> PaymentStatus {
    PaymentStatus { state: state.into(), paid: None, provider_state: String::new() }
}

fn unknown() -> Unknown {
    Unknown { why: "timeout".into(), provider_code: String::new() }
}

fn paid(request: &QueryPaymentRequest) -> PaymentStatus {
    let paid = PaidStatus {
        transaction_id: format!("42000{}", &request.out_trade_no[..20]),
        amount_fen: 100,
        payer_amount_fen: 100,
        currency: "CNY".into(),
        mch_id: request.mch_id.clone(),
        app_id: request.app_id.clone(),
        out_trade_no: request.out_trade_no.clone(),
        paid_time: Some(proto::time::to_wire(jiff::Timestamp::UNIX_EPOCH)),
        ..PaidStatus::default()
    };
    PaymentStatus { paid: Some(paid), ..status(State::Paid) }
}

#[tonic::async_trait]
impl PaymentGateway for Served {
    async fn charge(&self, request: Request<ChargeRequest>) -> Result<Response<ChargeResponse>, Status> {
        use charge_response::Outcome;
        let charge = request.into_inner();
        assert_eq!(charge.code, "134567890123456789");
        let number = charge.out_trade_no.clone();
        let charging = {
            let mut books = self.lock();
            books.charges += 1;
            let there = match books.charging {
                Charging::Pays => There::Real,
                Charging::Asks | Charging::AsksUnheard => There::Paying,
                Charging::Lost | Charging::Refused(..) => There::Unknown,
            };
            books.there.insert(number, there);
            books.charging
        };
        let outcome = match charging {
            Charging::Pays => {
                really(self.1.clone(), &self.2, &charge).await;
                let request = QueryPaymentRequest {
                    merchant: charge.merchant,
                    mch_id: charge.mch_id,
                    app_id: charge.app_id,
                    out_trade_no: charge.out_trade_no,
                    ..QueryPaymentRequest::default()
                };
                match self.real_status(request).await?.outcome {
                    Some(query_payment_response::Outcome::Done(status)) => Outcome::Done(status),
                    other => panic!("{other:?}"),
                }
            }
            Charging::Asks => Outcome::Done(status(State::Paying)),
            Charging::AsksUnheard | Charging::Lost => Outcome::Unknown(unknown()),
            Charging::Refused(kind, code) => Outcome::NotDone(NotDone {
                kind: kind.into(),
                provider_code: code.into(),
                provider_message: String::new(),
            }),
        };
        Ok(Response::new(ChargeResponse { outcome: Some(outcome) }))
    }

    async fn query_payment(
        &self,
        request: Request<QueryPaymentRequest>,
    ) -> Result<Response<QueryPaymentResponse>, Status> {
        let request = request.into_inner();
        let there = self.lock().there.get(&request.out_trade_no).copied();
        let status = match there {
            None | Some(There::Real) => return Ok(Response::new(self.real_status(request).await?)),
            Some(There::Unknown) => status(State::NotFound),
            Some(There::Paying) => status(State::Paying),
            Some(There::Paid) => paid(&request),
            Some(There::Reversed) => status(State::Reversed),
        };
        Ok(Response::new(QueryPaymentResponse { outcome: Some(query_payment_response::Outcome::Done(status)) }))
    }

    async fn reverse_payment(
        &self,
        request: Request<ReversePaymentRequest>,
    ) -> Result<Response<ReversePaymentResponse>, Status> {
        use reverse_payment_response::Outcome;
        let mut books = self.lock();
        books.reversals += 1;
        let outcome = match books.reversing {
            Reversing::Works => {
                books.there.insert(request.into_inner().out_trade_no, There::Reversed);
                Outcome::Done(Reversed {})
            }
            Reversing::Lost => Outcome::Unknown(unknown()),
            Reversing::Refused(kind) => Outcome::NotDone(NotDone { kind: kind.into(), ..NotDone::default() }),
        };
        Ok(Response::new(ReversePaymentResponse { outcome: Some(outcome) }))
    }

    async fn list_merchants(
        &self,
        request: Request<ListMerchantsRequest>,
    ) -> Result<Response<ListMerchantsResponse>, Status> {
        let mut listed = self.1.clone().list_merchants(request).await?.into_inner();
        for merchant in &mut listed.merchants {
            merchant.methods = ["mini_program", "jsapi", "pay_code"].map(str::to_owned).to_vec();
        }
        Ok(Response::new(listed))
    }

    async fn prepay(&self, request: Request<PrepayRequest>) -> Result<Response<PrepayResponse>, Status> {
        self.1.clone().prepay(request).await
    }

    async fn close_payment(
        &self,
        request: Request<ClosePaymentRequest>,
    ) -> Result<Response<ClosePaymentResponse>, Status> {
        self.1.clone().close_payment(request).await
    }

    async fn create_refund(
        &self,
        request: Request<CreateRefundRequest>,
    ) -> Result<Response<CreateRefundResponse>, Status> {
        self.1.clone().create_refund(request).await
    }

    async fn query_refund(
        &self,
        request: Request<QueryRefundRequest>,
    ) -> Result<Response<QueryRefundResponse>, Status> {
        self.1.clone().query_refund(request).await
    }

    async fn resolve_openid(
        &self,
        request: Request<ResolveOpenidRequest>,
    ) -> Result<Response<ResolveOpenidResponse>, Status> {
        self.1.clone().resolve_openid(request).await
    }

    async fn sign_product_code(
        &self,
        request: Request<SignProductCodeRequest>,
    ) -> Result<Response<SignProductCodeResponse>, Status> {
        self.1.clone().sign_product_code(request).await
    }

    type DownloadBillStream = BoxStream<DownloadBillResponse>;

    async fn download_bill(
        &self,
        _: Request<DownloadBillRequest>,
    ) -> Result<Response<Self::DownloadBillStream>, Status> {
        Err(Status::unimplemented("nobody asks a till for bills"))
    }
}

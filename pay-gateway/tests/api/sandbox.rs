//! The real sandbox instead of a fake: both sides of the protocol are ours, but written apart.

use std::time::Duration;

use ::sandbox::{
    app::{Running, Sandbox, Settings},
    control::{Advance, Fault, FaultPoint, FaultRule, Ledger, LoginCode, NewLoginCode, Paid, Pay},
};
use clap::Parser as _;
use jiff::ToSpan as _;
use proto::gateway::v1::{
    self, close_payment_response, download_bill_response::Part, not_done::Kind, payment_status::State, prepay_response,
    query_payment_response, resolve_openid_response,
};
use serde::{Serialize, de::DeserializeOwned};
use svc_kit::refusal::reason_of;
use wechat_pay::{
    bill::{Expected, TradeBillReader},
    time::bill_date,
};

use crate::harness::{APP_ID, Gateway, MCH_ID, MERCHANT, NUMBER, merchants};

/// The gateway in front of the sandbox; their clocks move together.
struct World {
    gateway: Gateway,
    sandbox: Running,
    http: reqwest::Client,
    _merchants: tempfile::TempDir,
}

impl World {
    async fn start() -> World {
        let merchants = merchants();
        // Callbacks are not this process's business; nobody listens on port 1.
        let settings = Settings::try_parse_from([
            "sandbox",
            "--listen",
            "127.0.0.1:0",
            "--merchants-dir",
            merchants.path().to_str().expect("a UTF-8 path"),
            "--notify-url",
            "http://127.0.0.1:1",
        ])
        .expect("settings");
        let sandbox = Sandbox::start(settings).await.expect("the sandbox starts");
        let url = format!("http://{}", sandbox.addr).parse().expect("a URL");
        let gateway = Gateway::at(&url, &[]).await;
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).tls_certs_only([]);
        let http = http.build().expect("a client");
        let world = World { gateway, sandbox, http, _merchants: merchants };
        let advance_ms = world.gateway.clock.offset_ms().try_into().expect("it is ahead");
        world.command::<_, serde_json::Value>("clock", &Advance { advance_ms }).await;
        world
    }

    async fn command<C: Serialize, A: DeserializeOwned>(&self, path: &str, command: &C) -> A {
        let url = format!("http://{}/_sandbox/{path}", self.sandbox.addr);
        let body = serde_json::to_vec(command).expect("commands are JSON");
        let response = self.http.post(url).body(body).send().await.expect("an answer");
        let response = response.error_for_status().expect("the command is taken");
        serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON")
    }

    async fn ledger(&self) -> Ledger {
        let url = format!("http://{}/_sandbox/ledger", self.sandbox.addr);
        let response = self.http.get(url).send().await.expect("an answer");
        serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON")
    }

    async fn advance(&self, by: Duration) {
        self.gateway.hand.advance(by);
        let advance_ms = by.as_millis().try_into().expect("small");
        self.command::<_, serde_json::Value>("clock", &Advance { advance_ms }).await;
    }

    async fn fault(&self, on: FaultPoint, fault: Fault) {
        let rule = FaultRule { on, merchant: None, out_trade_no: None, fault, times: 1 };
        self.command::<_, serde_json::Value>("faults", &rule).await;
    }

    async fn pay(&self) -> Paid {
        self.command(&format!("payments/{NUMBER}/pay"), &Pay::default()).await
    }

    async fn prepay(&self, request: v1::PrepayRequest) -> prepay_response::Outcome {
        let response = self.gateway.client.clone().prepay(request).await.expect("an outcome");
        response.into_inner().outcome.expect("an outcome is set")
    }

    async fn status(&self) -> v1::PaymentStatus {
        match self.gateway.query().await {
            query_payment_response::Outcome::Done(status) => status,
            other => panic!("a status was expected: {other:?}"),
        }
    }

    async fn close(&self) -> close_payment_response::Outcome {
        let request = v1::ClosePaymentRequest {
            merchant: MERCHANT.into(),
            mch_id: MCH_ID.into(),
            app_id: APP_ID.into(),
            out_trade_no: NUMBER.into(),
            ..Default::default()
        };
        let response = self.gateway.client.clone().close_payment(request).await.expect("an outcome");
        response.into_inner().outcome.expect("an outcome is set")
    }

    async fn resolve(&self, login_code: &str) -> resolve_openid_response::Outcome {
        let request = v1::ResolveOpenidRequest {
            merchant: MERCHANT.into(),
            app_id: APP_ID.into(),
            login_code: login_code.into(),
        };
        let response = self.gateway.client.clone().resolve_openid(request).await.expect("an outcome");
        response.into_inner().outcome.expect("an outcome is set")
    }

    /// The whole bill of a day.
    async fn bill(&self, day: jiff::civil::Date) -> Result<Vec<u8>, tonic::Status> {
        let request =
            v1::DownloadBillRequest { merchant: MERCHANT.into(), bill_date: day.to_string(), ..Default::default() };
        let mut parts = self.gateway.client.clone().download_bill(request).await?.into_inner();
        let mut bytes = Vec::new();
        while let Some(part) = parts.message().await? {
            if let Some(Part::Chunk(chunk)) = part.part {
                bytes.extend_from_slice(&chunk);
            }
        }
        Ok(bytes)
    }
}

#[tokio::test]
async fn a_payment_from_login_to_paid() {
    let world = World::start().await;
    let code: LoginCode = world.command("login_codes", &NewLoginCode { app_id: APP_ID.into(), openid: None }).await;
    let resolve_openid_response::Outcome::Done(payer) = world.resolve(&code.code).await else { panic!("a payer") };
    assert_eq!(payer.openid, code.openid);
    let resolve_openid_response::Outcome::NotDone(no) = world.resolve(&code.code).await else { panic!("used") };
    assert_eq!(no.kind(), Kind::LoginCodeInvalid);

    assert_eq!(world.status().await.state(), State::NotFound);
    let request = v1::PrepayRequest { openid: payer.openid, ..world.gateway.prepay() };
    for _ in 0..2 {
        let prepay_response::Outcome::Done(done) = world.prepay(request.clone()).await else { panic!("accepted") };
        assert!(done.package.starts_with("prepay_id=wx"), "{}", done.package);
    }
    assert_eq!(world.status().await.state(), State::NotPaid);

    let paid = world.pay().await;
    let told = world.status().await;
    assert_eq!(told.state(), State::Paid);
    let told = told.paid.expect("a payment");
    assert_eq!((told.transaction_id, told.amount_fen), (paid.transaction_id, request.amount_fen));
    assert_eq!((told.out_trade_no.as_str(), told.mch_id.as_str(), told.app_id.as_str()), (NUMBER, MCH_ID, APP_ID));
    assert_eq!(told.paid_time, Some(proto::time::to_wire(paid.paid_at)));

    let prepay_response::Outcome::NotDone(no) = world.prepay(request).await else { panic!("it is paid") };
    assert_eq!(no.kind(), Kind::AlreadyPaid);
    let close_payment_response::Outcome::NotDone(no) = world.close().await else { panic!("it is paid") };
    assert_eq!(no.kind(), Kind::AlreadyPaid);
    assert_eq!(world.ledger().await.orders.len(), 1);
}

#[tokio::test]
async fn an_attempt_is_closed_once_wechat_allows_it() {
    let world = World::start().await;
    let request = world.gateway.prepay();
    world.prepay(request.clone()).await;
    let close_payment_response::Outcome::NotDone(no) = world.close().await else { panic!("too early") };
    assert_eq!(no.kind(), Kind::TooEarly);
    world.advance(Duration::from_mins(6)).await;
    for _ in 0..2 {
        assert_eq!(world.close().await, close_payment_response::Outcome::Done(v1::Closed {}));
    }
    assert_eq!(world.status().await.state(), State::Closed);
    let prepay_response::Outcome::NotDone(no) = world.prepay(request).await else { panic!("it is closed") };
    assert_eq!(no.kind(), Kind::AlreadyClosed);
}

#[tokio::test]
async fn other_content_under_a_used_number_is_not_taken_and_decides_nothing() {
    let world = World::start().await;
    let request = world.gateway.prepay();
    world.prepay(request.clone()).await;
    let other = v1::PrepayRequest { amount_fen: request.amount_fen + 1, ..request };
    let prepay_response::Outcome::Unknown(unknown) = world.prepay(other).await else { panic!("it is not taken") };
    assert_eq!(unknown.why, "number_in_use");
    assert_eq!(world.status().await.state(), State::NotPaid);
}

#[tokio::test]
async fn a_prepay_whose_answer_is_lost_or_spoiled_is_unknown_and_its_repetition_is_one_order() {
    let world = World::start().await;
    let request = world.gateway.prepay();
    for (fault, why) in [
        (Fault::Lost, "transport"),
        (Fault::NotExecuted, "transport"),
        (Fault::Status { status: 502, executed: true }, "http_status"),
        (Fault::Garbage, "not_xml"),
        (Fault::BadSignature, "bad_signature"),
        (Fault::Redirect, "redirect"),
        (Fault::ErrorCode { code: "SYSTEMERROR".into(), executed: true }, "system_error"),
    ] {
        world.fault(FaultPoint::UnifiedOrder, fault).await;
        let prepay_response::Outcome::Unknown(unknown) = world.prepay(request.clone()).await else {
            panic!("{why} is unknown")
        };
        assert_eq!(unknown.why, why);
        assert!(matches!(world.prepay(request.clone()).await, prepay_response::Outcome::Done(_)), "after {why}");
    }
    assert_eq!(world.ledger().await.orders.len(), 1);
}

#[tokio::test]
async fn the_bill_of_a_day_agrees_with_what_was_paid() {
    let world = World::start().await;
    let day = bill_date(world.gateway.clock.now());
    world.prepay(world.gateway.prepay()).await;
    world.pay().await;
    let reason = |status: tonic::Status| reason_of(&status).unwrap_or_default();
    assert_eq!(world.bill(day).await.map_err(reason), Err("BILL_NOT_READY".into()), "the day is not over");
    // From noon to 01:00 of the next day, and then to 13:00.
    world.advance(Duration::from_hours(13)).await;
    assert_eq!(world.bill(day).await.map_err(reason), Err("BILL_NOT_READY".into()), "it is being made");
    world.advance(Duration::from_hours(12)).await;
    let bytes = world.bill(day).await.expect("a bill");
    let expected = Expected { mch_id: MCH_ID.into(), bill_date: Some(day) };
    let mut rows = TradeBillReader::open(bytes.as_slice(), expected).expect("a trade bill");
    let row = rows.next().expect("a row").expect("a good row");
    assert_eq!(row.out_trade_no, NUMBER);
    rows.finish().expect("the sums agree");
    let before = day.checked_sub(1.day()).expect("inside the calendar");
    assert_eq!(world.bill(before).await.map_err(reason), Err("NO_BILL".into()));
}

#[tokio::test]
async fn a_request_that_wechat_cannot_verify_is_a_configuration_to_mend() {
    let world = World::start().await;
    std::fs::write(world.gateway.merchants.path().join("acme-mini.key"), "w".repeat(32)).expect("the key is changed");
    // Each question is asked with the key in force; the new one is, at the latest, after a few seconds.
    let refused = async {
        loop {
            if let query_payment_response::Outcome::NotDone(no) = world.gateway.query().await {
                break no;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let no = tokio::time::timeout(Duration::from_mins(1), refused).await.expect("the change is seen");
    assert_eq!((no.kind(), no.provider_message.as_str()), (Kind::Configuration, "签名错误"));
    let status = world.bill(bill_date(world.gateway.clock.now()).yesterday().expect("inside the calendar")).await;
    assert_eq!(reason_of(&status.expect_err("refused")).as_deref(), Some("PROVIDER_REFUSED"));
}

//! A day on which everything happens that a bill can tell.

use std::time::Duration;

use e2e::{
    World, eventually,
    programs::workspace,
    sandbox_client::{Fault, FaultPoint, FaultRule, PayBehaviour, always, once},
    selling::{MERCHANT, MINI_PROGRAM, Order, Paying, PaymentState, RefundState, State, Waiting},
    tools::Outcome as _,
};
use proto::{
    gateway::v1::{SendRedPacketRequest, send_red_packet_request::Kind},
    order::v1::{PayCode, pay_order_request::Method},
};
use wechat_pay::v2::{Fields, Refund, SignType, sign, xml};

use crate::{
    reconcile::sell,
    refund::A_MINUTE,
    tools::{api_key, merchant_file},
};

/// WeChat's number of the usual merchant.
pub(super) const MCH_ID: &str = "1900000109";
/// Given back by the shop, fen.
pub(super) const REFUNDED: i64 = 2_345;
/// Charged and taken back, fen.
pub(super) const REVERSED: i64 = 700;
/// Given back out of recharged money, fen.
pub(super) const RECHARGED: i64 = 500;
/// The number of a red packet.
pub(super) const RED_PACKET: &str = "HB1";
/// What is in it, fen.
pub(super) const GIVEN: i64 = 300;

/// Longer than a payer has at a till.
const TOO_LONG: Duration = Duration::from_secs(46);

/// What happened.
pub(super) struct Day {
    /// Every payment, in its order: number and fen.
    pub(super) paid: Vec<(String, i64)>,
    /// The charge that was taken back after its payer had paid.
    pub(super) reversed: String,
    /// The refund out of what was sold.
    pub(super) refund: String,
    /// The refund out of recharged money.
    pub(super) recharged: String,
}

impl Day {
    /// Lives it through.
    pub(super) async fn lived(world: &World) -> Self {
        let sold = sell(world, MERCHANT, &[12_345, 1_000]).await;
        let (first, second) = (&sold[0], &sold[1]);

        let at_till = world.create_order(600).await;
        scan(world, &at_till, PayBehaviour::Pays).await.attempt().await.expect("it pays");
        let charged = at_till.becomes(State::Paid).await.payments[0].out_trade_no.clone();

        let reversed = paid_too_late(world).await;
        send_red_packet(world).await;

        let refund = first.order().refund(REFUNDED).await;
        refund.becomes(RefundState::Processing).await;
        world.pass(A_MINUTE).await;
        refund.becomes(RefundState::Succeeded).await;
        let recharged = out_of_recharged_money(world, second.order()).await;
        let paid = vec![
            (first.out_trade_no().to_owned(), 12_345),
            (second.out_trade_no().to_owned(), 1_000),
            (charged, 600),
            (reversed.clone(), REVERSED),
        ];
        Self { paid, reversed, refund: refund.out_refund_no().to_owned(), recharged }
    }
}

async fn scan(world: &World, order: &Order, behaviour: PayBehaviour) -> Paying {
    let auth_code = world.sandbox.pay_code(behaviour).await.auth_code;
    order.pay_by(Method::PayCode(PayCode { app_id: MINI_PROGRAM.to_owned(), auth_code }))
}

/// A payer enters the password when the charge is already being taken back: its money goes back. Its number.
async fn paid_too_late(world: &World) -> String {
    let order = world.create_order(REVERSED).await;
    let asked = scan(world, &order, PayBehaviour::Password).await;
    let payment = asked.attempt().await.expect("it is under way").payment.expect("it says how far it came");
    let number = payment.out_trade_no;
    let lost = FaultRule { out_trade_no: Some(number.clone()), ..always(FaultPoint::Reverse, Fault::NotExecuted) };
    let lost = world.sandbox.fault(lost).await;
    world.pass(TOO_LONG).await;
    eventually("a reversal is lost", async || 1 <= world.sandbox.hits(&lost).await).await;
    world.sandbox.pay(&number).await;
    world.sandbox.clear_faults().await;
    world.pass(A_MINUTE).await;
    eventually("the charge is taken back", async || {
        let payment = order.now().await.payments.pop().expect("there is one");
        if payment.state() == PaymentState::Closed { Ok(()) } else { Err(payment) }
    })
    .await;
    let there = world.sandbox.order(&number).await.expect("WeChat knows it");
    assert_eq!((there.trade_state.as_str(), there.payment.is_some()), ("REVOKED", true));
    number
}

async fn send_red_packet(world: &World) {
    let packet = SendRedPacketRequest {
        merchant: MERCHANT.to_owned(),
        app_id: MINI_PROGRAM.to_owned(),
        mch_billno: RED_PACKET.to_owned(),
        kind: Kind::Normal.into(),
        send_name: "通宝小店".to_owned(),
        openid: "oLuckyUser00000000000000001".to_owned(),
        total_fen: GIVEN,
        total_num: 1,
        wishing: "恭喜发财".to_owned(),
        activity_name: "新年".to_owned(),
        remark: "谢谢惠顾".to_owned(),
        client_ip: "203.0.113.9".to_owned(),
        scene_id: String::new(),
    };
    world.tools().send_red_packet(packet).await.expect("an outcome").into_inner().done();
}

/// A refund of ours is lost on its way, and another program of the merchant makes it out of recharged money, which we never
/// ask for. Its number.
async fn out_of_recharged_money(world: &World, order: &Order) -> String {
    let now = order.now().await;
    let number = now.payments[0].out_trade_no.clone();
    let lost = FaultRule { out_trade_no: Some(number), ..once(FaultPoint::Refund, Fault::NotExecuted) };
    world.sandbox.fault(lost).await;
    let refund = order.refund(RECHARGED).await;
    refund.waits_for(Waiting::Answer).await;
    let (total, fen) = (now.amount_fen.to_string(), RECHARGED.to_string());
    let fields = [
        ("appid", MINI_PROGRAM),
        ("mch_id", MCH_ID),
        ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
        ("sign_type", SignType::HmacSha256.as_str()),
        ("transaction_id", &now.payments[0].transaction_id),
        ("out_refund_no", refund.out_refund_no()),
        ("total_fee", &total),
        ("refund_fee", &fen),
        ("refund_account", "REFUND_SOURCE_RECHARGE_FUNDS"),
    ];
    assert_eq!(post(world, Refund::PATH, Fields::from_iter(fields)).await.text("result_code"), Some("SUCCESS"));
    world.pass(A_MINUTE).await;
    refund.becomes(RefundState::Succeeded).await;
    assert_eq!(world.sandbox.refund(refund.out_refund_no()).await.expect("WeChat has it").requests, 1);
    refund.out_refund_no().to_owned()
}

/// Sends a call to WeChat as another program of the merchant would.
async fn post(world: &World, path: &str, mut fields: Fields) -> Fields {
    let signature = sign::sign(&fields, &api_key(MERCHANT), SignType::HmacSha256);
    fields.insert("sign", signature);
    let read = |file: &std::path::Path| std::fs::read(file).expect("the file is in the checkout");
    let authority = read(&workspace().join("deploy/dev/sandbox/ca.pem"));
    let own = [read(merchant_file("acme-mini.cert.pem").as_ref()), read(merchant_file("acme-mini.cert.key").as_ref())];
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .tls_certs_only([reqwest::Certificate::from_pem(&authority).expect("an authority")])
        .identity(reqwest::Identity::from_pem(&own.concat()).expect("a certificate with its key"))
        .build()
        .expect("a client");
    let url = format!("{}{path}", world.addresses().sandbox_tls.tls_url());
    let answer = client.post(url).body(xml::write("xml", &fields)).send().await.expect("WeChat answers");
    xml::parse("xml", &answer.bytes().await.expect("an answer")).expect("a message")
}

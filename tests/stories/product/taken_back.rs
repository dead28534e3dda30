//! Charges at a till that end in a reversal, or nearly: WeChat stumbles, or the charge went through its older face API.

use std::time::Duration;

use e2e::{
    Options, World, eventually,
    sandbox_client::{Fault, FaultPoint, PayBehaviour, once},
    selling::{Cashier, MINI_PROGRAM, Order, PaymentState, State},
    story,
};
use proto::order::v1::{Face, pay_order_request::Method};

use super::is_paid;
use crate::merchant_file;

/// Longer than a payer has.
const TOO_LONG: Duration = Duration::from_secs(46);
/// Long enough for the next question about a charge.
const ASKED: Duration = Duration::from_secs(12);
/// Long enough for the next reversal.
const A_MINUTE: Duration = Duration::from_secs(61);

/// Charges a new user's face through the API that wants to know whose it is.
async fn charge_face(world: &World, order: &Order, behaviour: PayBehaviour) -> Cashier {
    let face = world.sandbox.face_code(behaviour).await;
    order
        .pay_by(Method::Face(Face { app_id: MINI_PROGRAM.to_owned(), face_code: face.face_code, openid: face.openid }))
        .await
}

/// The attempt ends CLOSED, and WeChat has taken it back.
async fn is_taken_back(world: &World, order: &Order, out_trade_no: &str) {
    eventually("the attempt is taken back", async || {
        let payment = order.now().await.payments.pop().expect("there is one");
        if payment.state() == PaymentState::Closed { Ok(()) } else { Err(payment) }
    })
    .await;
    let there = world.sandbox.order(out_trade_no).await.expect("WeChat knows it");
    assert_eq!((there.trade_state.as_str(), there.payment), ("REVOKED", None));
}

#[test]
fn a_charge_that_wechat_stumbled_over_and_nobody_paid_is_taken_back() {
    story(Options::default().all_known(), async |world| {
        for behaviour in [PayBehaviour::SystemErrorUnpaid, PayBehaviour::BankError] {
            let order = world.create_order(100).await;
            let code = world.sandbox.pay_code(behaviour).await;
            let unknown = order.pay_by_code(&code.auth_code).attempt().await.expect("it is under way").payment;
            let unknown = unknown.expect("it says how far it came");
            assert_eq!(unknown.state(), PaymentState::Created, "{behaviour:?}");
            world.pass(TOO_LONG).await;
            world.pass(A_MINUTE).await;
            is_taken_back(world, &order, &unknown.out_trade_no).await;
            assert_eq!(order.now().await.state(), State::Pending);
        }
    });
}

#[test]
fn what_the_older_face_api_charged_is_asked_about_and_taken_back_at_its_own_paths() {
    story(Options::default(), async |world| {
        merchant_file::change_for_all(world, |text| format!("face_api = \"facepay\"\n{text}")).await;
        let order = world.create_order(100).await;
        let lost = world.sandbox.fault(once(FaultPoint::FacepayQuery, Fault::Lost)).await;
        let late = charge_face(world, &order, PayBehaviour::PaysLate).await;
        assert_eq!(late.payment().state(), PaymentState::Pending);
        world.pass(ASKED).await;
        eventually("a question is lost", async || world.sandbox.hits(&lost).await == 1).await;
        world.pass(ASKED).await;
        is_paid(&late, "facepay").await;

        let order = world.create_order(100).await;
        let lost = world.sandbox.fault(once(FaultPoint::FacepayReverse, Fault::NotExecuted)).await;
        let left = charge_face(world, &order, PayBehaviour::Password).await;
        world.pass(TOO_LONG).await;
        eventually("a reversal is lost", async || world.sandbox.hits(&lost).await == 1).await;
        world.pass(A_MINUTE).await;
        is_taken_back(world, &order, left.out_trade_no()).await;
    });
}

//! A pay code at a till, and a face at a device: charged once, asked about, and taken back when nobody finishes.

use std::time::Duration;

use e2e::{
    Options, Part, eventually,
    sandbox_client::{Fault, FaultPoint, NewPayCode, PayBehaviour, once},
    selling::{Cashier, MINI_PROGRAM, PaymentState, State},
    story,
};
use proto::{
    error::ErrorReason,
    order::v1::{Face, PayCode, Payment, pay_order_request::Method},
};
use tonic::Code;

use super::{goes_back, is_paid};
use crate::{
    merchant_file,
    refused::{metadata, refused, wrong_fields},
};

/// Longer than a payer gets.
const TOO_LONG: Duration = Duration::from_mins(1);

/// The payment ends CLOSED, WeChat has taken it back, and the order can be paid another way.
async fn is_taken_back(world: &e2e::World, cashier: &Cashier) {
    let closed = eventually("the attempt is taken back", async || {
        world.pass(Duration::from_secs(5)).await;
        let order = cashier.order().now().await;
        let payment = order.payments.into_iter().find(|payment| payment.name == cashier.payment().name);
        payment.filter(|payment| payment.state() == PaymentState::Closed)
    });
    let closed = closed.await;
    assert!(closed.reversing, "{closed:?}");
    assert_eq!(cashier.order().now().await.state(), State::Pending);
    let again = world.sandbox.pay_code(PayBehaviour::Pays).await;
    let second = cashier.order().pay_by_code(&again.auth_code).await;
    is_paid(&second, "pay_code").await;
}

#[test]
fn a_code_that_is_wrong_used_or_too_old_is_told_as_that_and_a_fresh_one_is_taken() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        for code in ["1234", "990000000000000000", "16456789012345678x"] {
            wrong_fields(order.pay_by_code(code).attempt().await, &["pay_code.auth_code"]);
        }
        let used = world.sandbox.pay_code(PayBehaviour::Pays).await;
        let other = world.create_order(100).await;
        is_paid(&other.pay_by_code(&used.auth_code).await, "pay_code").await;
        let stale = world.sandbox.pay_code(PayBehaviour::Pays).await;
        world.pass(Duration::from_mins(2)).await;
        for code in ["134567890123456789", &used.auth_code, &stale.auth_code] {
            let paying = order.pay_by_code(code);
            for _ in 0..2 {
                refused(paying.attempt().await, Code::FailedPrecondition, ErrorReason::PayCodeInvalid);
            }
        }
        let states: Vec<_> = order.now().await.payments.iter().map(Payment::state).collect();
        assert_eq!(states, [PaymentState::Failed; 3], "asked twice, charged once");
        let fresh = world.sandbox.pay_code(PayBehaviour::Pays).await;
        is_paid(&order.pay_by_code(&fresh.auth_code).await, "pay_code").await;
    });
}

#[test]
fn a_payer_who_cannot_pay_this_way_is_told_so_and_pays_another_way() {
    story(Options::default(), async |world| {
        for (behaviour, word) in [
            (PayBehaviour::NoMoney, "NOTENOUGH"),
            (PayBehaviour::WrongCard, "NOTSUPORTCARD"),
            (PayBehaviour::BuyerMismatch, "BUYER_MISMATCH"),
        ] {
            let order = world.create_order(100).await;
            let code = world.sandbox.pay_code(behaviour).await;
            let answer = order.pay_by_code(&code.auth_code).attempt().await;
            let no = refused(answer, Code::FailedPrecondition, ErrorReason::PayerCannotPay);
            assert_eq!(metadata(&no, "provider_code"), word);
            let cashier = order.pay_by_openid().await;
            cashier.pay().await;
            is_paid(&cashier, "mini_program").await;
        }
    });
}

#[test]
fn a_password_that_nobody_enters_ends_in_a_reversal_and_the_order_is_paid_by_another_code() {
    story(Options::default().all_known(), async |world| {
        let order = world.create_order(100).await;
        let code = world.sandbox.pay_code(PayBehaviour::Password).await;
        let cashier = order.pay_by_code(&code.auth_code).await;
        assert_eq!(cashier.payment().state(), PaymentState::Pending);
        // While it is under way nobody else may start to pay.
        let other = world.sandbox.pay_code(PayBehaviour::Pays).await;
        let early = order.pay_by_code(&other.auth_code).attempt().await;
        refused(early, Code::FailedPrecondition, ErrorReason::PaymentUnderWay);
        let early = order.pay_by_openid().attempt().await;
        refused(early, Code::FailedPrecondition, ErrorReason::PaymentUnderWay);

        world.pass(TOO_LONG).await;
        is_taken_back(world, &cashier).await;
        let told = world.facts("order.v1.order.paid.>").await;
        assert_eq!(told.len(), 1, "{told:?}");
    });
}

#[test]
fn a_payer_who_refuses_the_password_ends_the_attempt() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let code = world.sandbox.pay_code(PayBehaviour::Password).await;
        let cashier = order.pay_by_code(&code.auth_code).await;
        world.sandbox.cancel(cashier.out_trade_no()).await;
        let ended = eventually("the attempt has ended", async || {
            world.pass(Duration::from_secs(4)).await;
            let payments = order.now().await.payments;
            payments.into_iter().next().filter(|payment| payment.state() != PaymentState::Pending)
        });
        assert_eq!(ended.await.state(), PaymentState::Failed);
        let next = world.sandbox.pay_code(PayBehaviour::Pays).await;
        is_paid(&order.pay_by_code(&next.auth_code).await, "pay_code").await;
    });
}

#[test]
fn a_charge_whose_answer_is_lost_is_never_sent_again_and_its_money_is_found() {
    story(Options::default().all_known(), async |world| {
        for behaviour in [PayBehaviour::Pays, PayBehaviour::SystemErrorPaid] {
            let order = world.create_order(100).await;
            let code = world.sandbox.pay_code(behaviour).await;
            if behaviour == PayBehaviour::Pays {
                world.sandbox.fault(once(FaultPoint::Micropay, Fault::Lost)).await;
            }
            let paying = order.pay_by_code(&code.auth_code);
            let _lost = paying.attempt().await;
            let paid = eventually("the money is found", async || {
                world.pass(Duration::from_secs(4)).await;
                Some(order.now().await).filter(|order| order.state() == State::Paid)
            });
            let paid = paid.await;
            assert_eq!(paid.payments.len(), 1);
            let number = &paid.payments[0].out_trade_no;
            let there = world.sandbox.order(number).await.and_then(|order| order.payment).expect("WeChat took it");
            assert_eq!(
                (there.transaction_id.as_str(), there.amount_fen),
                (paid.payments[0].transaction_id.as_str(), 100)
            );
            // The till asks again what became of it: the same request, the same attempt.
            let again = paying.attempt().await.expect("an answer");
            assert_eq!(again.payment.map(|payment| payment.state()), Some(PaymentState::Succeeded));
        }
        let charges = world.sandbox.ledger().await.orders;
        assert_eq!(charges.len(), 2, "each was sent once: {charges:?}");
        let told = world.tells("pay.v1.payment.paid.acme-mini", 2).await;
        assert!(told.iter().all(|fact| fact.text("tradeType") == "MICROPAY"), "{told:?}");
    });
}

#[test]
fn money_that_comes_while_its_reversal_is_on_its_way_goes_back_and_pays_nothing() {
    story(Options::default().all_known(), async |world| {
        let order = world.create_order(100).await;
        let late = NewPayCode { behaviour: PayBehaviour::PaysLate, after_s: 57, ..NewPayCode::default() };
        let code = world.sandbox.pay_code_as(&late).await;
        let cashier = order.pay_by_code(&code.auth_code).await;
        // The first reversal never arrives, and then the payer pays: "paid" is true, and a reason to go on taking it back.
        let lost = world.sandbox.fault(once(FaultPoint::Reverse, Fault::NotExecuted)).await;
        world.pass(Duration::from_secs(50)).await;
        eventually("a reversal is lost", async || (world.sandbox.hits(&lost).await == 1).then_some(())).await;
        world.pass(Duration::from_secs(10)).await;
        is_taken_back(world, &cashier).await;
        let there = world.sandbox.order(cashier.out_trade_no()).await.expect("WeChat knows it");
        assert_eq!(there.trade_state, "REVOKED", "{there:?}");
        assert!(there.payment.is_some(), "it was paid, and went back: {there:?}");
    });
}

#[test]
fn an_order_that_is_given_up_takes_its_charge_back() {
    story(Options::default().all_known(), async |world| {
        let order = world.create_order(100).await;
        let code = world.sandbox.pay_code(PayBehaviour::Password).await;
        let cashier = order.pay_by_code(&code.auth_code).await;
        order.close().await;
        let closed = eventually("it is closed", async || {
            world.pass(Duration::from_secs(5)).await;
            Some(order.now().await).filter(|order| order.state() == State::Closed)
        });
        assert_eq!(closed.await.payments[0].state(), PaymentState::Closed);
        let there = world.sandbox.order(cashier.out_trade_no()).await.expect("WeChat knows it");
        assert_eq!(there.trade_state, "REVOKED", "{there:?}");
    });
}

#[test]
fn a_code_pays_at_once_and_its_money_goes_back_and_no_log_knows_the_code() {
    story(Options::default(), async |world| {
        let order = world.create_order(990).await;
        let code = world.sandbox.pay_code(PayBehaviour::Pays).await;
        let paying = order.pay_by_code(&code.auth_code);
        let cashier = paying.clone().await;
        assert_eq!(cashier.payment().state(), PaymentState::Succeeded);
        assert!(cashier.opened().invocation.is_none());
        is_paid(&cashier, "pay_code").await;
        assert_eq!(paying.await.payment(), cashier.payment(), "the same request is answered the same");
        world.tells("pay.v1.payment.paid.acme-mini", 1).await;
        goes_back(world, &cashier).await;
        for part in Part::OURS {
            let log = world.log(part);
            assert!(!log.contains(&code.auth_code) && !log.contains(&code.openid), "{part} logs who paid");
        }
    });
}

#[test]
fn a_face_pays_as_a_pay_code_does() {
    story(Options::default(), async |world| {
        let face = world.sandbox.face_code(PayBehaviour::Pays).await;
        let order = world.create_order(100).await;
        let method = Face { app_id: MINI_PROGRAM.to_owned(), face_code: face.face_code.clone(), openid: String::new() };
        let cashier = order.pay_by(Method::Face(method)).await;
        is_paid(&cashier, "face").await;
        goes_back(world, &cashier).await;
    });
}

#[test]
fn a_face_goes_through_wechats_older_api_where_the_merchants_file_says_so() {
    story(Options::default(), async |world| {
        merchant_file::change_for_all(world, |text| format!("face_api = \"facepay\"\n{text}")).await;
        let face = world.sandbox.face_code(PayBehaviour::PaysLate).await;
        let order = world.create_order(100).await;
        let by = |openid: &str| {
            let face_code = face.face_code.clone();
            Method::Face(Face { app_id: MINI_PROGRAM.to_owned(), face_code, openid: openid.to_owned() })
        };
        wrong_fields(order.pay_by(by("")).attempt().await, &["face.openid"]);
        let cashier = order.pay_by(by(&face.openid)).await;
        assert_eq!(cashier.payment().state(), PaymentState::Pending, "the payer takes a moment");
        let there = world.sandbox.order(cashier.out_trade_no()).await.expect("WeChat knows it");
        assert_eq!(there.trade_type, "FACEPAY");
        world.pass(Duration::from_secs(10)).await;
        is_paid(&cashier, "facepay").await;
        goes_back(world, &cashier).await;
    });
}

#[test]
fn a_till_that_names_no_app_of_several_is_refused() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let code = world.sandbox.pay_code(PayBehaviour::Pays).await;
        let unnamed = PayCode { app_id: String::new(), auth_code: code.auth_code };
        let answer = order.pay_by(Method::PayCode(unnamed)).attempt().await;
        refused(answer, Code::FailedPrecondition, ErrorReason::MethodNotAvailable);
    });
}

//! A payer shows a pay code at a till. Nobody calls back: order-svc asks, and takes back what is not finished in time.

mod till;

use std::time::Duration;

use e2e::{
    Options, Part, World, eventually,
    selling::{MINI_PROGRAM, Order, Paying, PaymentState, State},
    story,
};
use proto::{
    error::ErrorReason,
    gateway::v1::{ChargeRequest, not_done::Kind},
    order::v1::{PayCode, Payment, pay_order_request::Method},
};
use tonic::Code;

use crate::refused::{metadata, refused};
use till::{Charging, Reversing, There, Till};

/// Longer than a payer has.
const TOO_LONG: Duration = Duration::from_secs(46);
/// The youngest charge that is reversed, and a little.
const REVERSIBLE: Duration = Duration::from_secs(36);
/// After it an unknown number never arrives.
const A_MINUTE: Duration = Duration::from_secs(61);

fn scan(order: &Order) -> Paying {
    let code = PayCode { app_id: MINI_PROGRAM.into(), auth_code: "134567890123456789".into() };
    order.pay_by(Method::PayCode(code))
}

async fn latest(order: &Order) -> Payment {
    order.now().await.payments.pop().expect("an attempt was written")
}

async fn ends(order: &Order, state: PaymentState) -> Payment {
    eventually(&format!("the charge is {}", state.as_str_name()), async || {
        let payment = latest(order).await;
        if payment.state() == state { Ok(payment) } else { Err(format!("{payment:?}")) }
    })
    .await
}

#[test]
fn a_code_pays_at_once_and_the_same_request_hears_it_again_without_a_second_charge() {
    story(Options::default(), async |world| {
        let till = Till::open(world).await;
        let order = world.create_order(100).await;
        let scan = scan(&order);
        let first = scan.attempt().await.expect("it pays");
        let payment = first.payment.clone().expect("it says how far it came");
        assert_eq!(
            (payment.state(), payment.method.as_str(), first.invocation.is_none()),
            (PaymentState::Succeeded, "pay_code", true)
        );
        assert_eq!(order.now().await.state(), State::Paid);
        assert_eq!(scan.attempt().await.expect("it is kept"), first);
        assert_eq!(till.charges(), 1);
        refused(self::scan(&order).attempt().await, Code::FailedPrecondition, ErrorReason::OrderNotPayable);
        order.refund(40).await.becomes(e2e::selling::RefundState::Succeeded).await;
    });
}

#[test]
fn what_the_payer_does_not_finish_is_taken_back_and_nothing_is_started_before() {
    story(Options::default(), async |world| {
        let till = Till::open(world).await;
        let order = world.create_order(100).await;
        till.next_charge(Charging::Asks);
        let scan = scan(&order);
        let opened = scan.attempt().await.expect("it is under way").payment.expect("it says how far it came");
        assert_eq!((opened.state(), opened.reversing), (PaymentState::Pending, false));

        refused(self::scan(&order).attempt().await, Code::FailedPrecondition, ErrorReason::PaymentUnderWay);
        refused(order.pay_by_openid().attempt().await, Code::FailedPrecondition, ErrorReason::PaymentUnderWay);
        assert_eq!((order.now().await.payments.len(), till.reversals()), (1, 0));

        world.pass(TOO_LONG).await;
        let payment = ends(&order, PaymentState::Closed).await;
        assert_eq!((payment.reversing, till.charges(), till.reversals()), (true, 1, 1));
        refused(scan.attempt().await, Code::FailedPrecondition, ErrorReason::ProviderRefused);

        till.next_charge(Charging::Pays);
        let paid = self::scan(&order).attempt().await.expect("a fresh code pays").payment.expect("it says so");
        assert_eq!((paid.state(), till.charges()), (PaymentState::Succeeded, 2));
        // The order is paid now, and the request of the first code hears what it heard before.
        refused(scan.attempt().await, Code::FailedPrecondition, ErrorReason::ProviderRefused);
    });
}

#[test]
fn money_that_comes_while_a_charge_is_taken_back_goes_back_and_pays_nothing() {
    story(Options::default(), async |world| {
        let till = Till::open(world).await;
        let order = world.create_order(100).await;
        till.next_charge(Charging::AsksUnheard);
        till.next_reversals(Reversing::Lost);
        let opened = scan(&order).attempt().await.expect("nobody knows").payment.expect("it says how far it came");
        assert_eq!(opened.state(), PaymentState::Created);
        world.pass(TOO_LONG).await;
        eventually("a reversal is lost", async || if 1 <= till.reversals() { Ok(()) } else { Err(0) }).await;

        till.becomes(&opened.out_trade_no, There::Paid);
        world.pass(Duration::from_secs(6)).await;
        let before = till.reversals();
        eventually("it is taken back once more", async || if 2 <= till.reversals() { Ok(()) } else { Err(before) })
            .await;
        let seen = order.now().await;
        assert_eq!((seen.state(), seen.payments[0].reversing), (State::Pending, true));
        assert_ne!(seen.payments[0].state(), PaymentState::Succeeded);

        till.next_reversals(Reversing::Works);
        world.pass(A_MINUTE).await;
        ends(&order, PaymentState::Closed).await;
        assert_eq!(order.now().await.state(), State::Pending);
        assert!(world.facts("pay.v1.payment.paid.>").await.is_empty(), "nobody is told of money that goes back");
        assert_eq!(till.charges(), 1);
    });
}

#[test]
fn a_charge_that_never_arrived_is_never_sent_again_and_ends_a_minute_later_without_a_reversal() {
    story(Options::default().all_known(), async |world| {
        let till = Till::open(world).await;
        let order = world.create_order(100).await;
        till.next_charge(Charging::Lost);
        let scan = scan(&order);
        for _ in 0..3 {
            let payment = scan.attempt().await.expect("nobody knows").payment.expect("it says how far it came");
            assert_eq!((payment.state(), till.charges()), (PaymentState::Created, 1));
        }
        world.pass(A_MINUTE).await;
        let payment = ends(&order, PaymentState::Closed).await;
        assert_eq!((payment.reversing, till.charges(), till.reversals()), (false, 1, 0));
    });
}

#[test]
fn a_process_that_dies_before_it_charges_leaves_nothing_that_is_charged_later() {
    story(Options::default().all_known(), async |world| {
        let till = Till::open(world).await;
        let order = world.create_order(100).await;
        for point in ["order.charge.written#1", "order.charge.before_send#1", "order.charge.answered#1"] {
            world.kill(Part::OrderSvc);
            till.serves(world, &[("CRASH_AT", point)]).await;
            till.next_charge(Charging::AsksUnheard);
            let charges = till.charges();
            let scan = scan(&order);
            dies_of(world, &scan).await;
            till.serves(world, &[]).await;
            let sent = till.charges() - charges;
            assert_eq!(sent, usize::from(point.contains("answered")), "{point}");
            if sent == 0 {
                till.becomes(&latest(&order).await.out_trade_no, There::Unknown);
            }
            leases_end(world).await;
            world.pass(A_MINUTE).await;
            ends(&order, PaymentState::Closed).await;
            assert_eq!(till.charges() - charges, sent, "{point}");
        }
    });
}

#[test]
fn a_refused_code_is_told_as_what_it_is_and_a_fresh_one_pays() {
    story(Options::default(), async |world| {
        let till = Till::open(world).await;
        let order = world.create_order(100).await;
        for (kind, code, reason) in [
            (Kind::PayCodeInvalid, "AUTH_CODE_INVALID", ErrorReason::PayCodeInvalid),
            (Kind::PayerCannotPay, "NOTENOUGH", ErrorReason::PayerCannotPay),
            (Kind::Configuration, "NOAUTH", ErrorReason::ProviderRefused),
            (Kind::Refused, "INVALID_REQUEST", ErrorReason::ProviderRefused),
        ] {
            till.next_charge(Charging::Refused(kind, code));
            let (scan, charges) = (scan(&order), till.charges());
            for _ in 0..2 {
                let status = refused(scan.attempt().await, Code::FailedPrecondition, reason);
                if reason != ErrorReason::PayCodeInvalid {
                    assert_eq!(metadata(&status, "provider_code"), code);
                }
            }
            let payment = latest(&order).await;
            assert_eq!((payment.state(), payment.provider_code.as_str()), (PaymentState::Failed, code));
            assert_eq!(till.charges(), charges + 1);
        }
        till.next_charge(Charging::Pays);
        scan(&order).attempt().await.expect("a fresh code pays");
        assert_eq!(order.now().await.state(), State::Paid);
    });
}

#[test]
fn a_given_up_order_takes_its_charge_back_as_soon_as_the_provider_does_it() {
    story(Options::default(), async |world| {
        let till = Till::open(world).await;
        let order = world.create_order(100).await;
        till.next_charge(Charging::Asks);
        scan(&order).attempt().await.expect("it is under way");
        let closing = order.close().await;
        assert_eq!((closing.state(), closing.close_requested, till.reversals()), (State::Pending, true, 0));
        world.pass(REVERSIBLE).await;
        let closed = order.becomes(State::Closed).await;
        assert_eq!((closed.payments[0].state(), till.reversals()), (PaymentState::Closed, 1));
    });
}

#[test]
fn a_charge_that_can_no_longer_be_taken_back_is_kept_once_the_provider_says_again_that_it_was_paid() {
    story(Options::default(), async |world| {
        let till = Till::open(world).await;
        for death in [None, Some("order.reverse.before_too_late#1"), Some("order.reverse.too_late#1")] {
            let (order, charges) = (world.create_order(100).await, till.charges());
            till.next_charge(Charging::Asks);
            till.next_reversals(Reversing::Refused(Kind::Configuration));
            let opened =
                scan(&order).attempt().await.expect("it is under way").payment.expect("it says how far it came");
            if let Some(point) = death {
                world.kill(Part::OrderSvc);
                till.serves(world, &[("CRASH_AT", point)]).await;
            }
            let reversals = till.reversals();
            world.pass(TOO_LONG).await;
            eventually("a reversal is refused", async || if reversals < till.reversals() { Ok(()) } else { Err(0) })
                .await;

            till.pays(&charge_like(world, &order, &opened).await).await;
            // The notice of a real payment is nothing that a charge has; it changes nothing, because the mark stands.
            world.sandbox.delivered(&opened.out_trade_no).await;
            world.counts(Part::OrderSvc, "paid_facts_total", &[("outcome", "reversing")], 1).await;
            assert_eq!(order.now().await.state(), State::Pending);

            till.next_reversals(Reversing::Refused(Kind::TooLate));
            world.pass(Duration::from_mins(12)).await;
            if death.is_some() {
                has_died(world).await;
                till.serves(world, &[]).await;
                leases_end(world).await;
                world.pass(A_MINUTE).await;
            }
            let paid = order.becomes(State::Paid).await;
            assert_eq!((paid.payments[0].state(), paid.payments[0].reversing), (PaymentState::Succeeded, false));
            assert_eq!(till.charges(), charges + 1);
        }
    });
}

#[test]
fn a_process_that_dies_around_a_reversal_takes_the_charge_back_when_it_is_there_again() {
    story(Options::default(), async |world| {
        let till = Till::open(world).await;
        for point in [
            "order.reverse.before_written#1",
            "order.reverse.written#1",
            "order.reverse.before_send#1",
            "order.reverse.answered#1",
        ] {
            let order = world.create_order(100).await;
            till.next_charge(Charging::Asks);
            scan(&order).attempt().await.expect("it is under way");
            world.kill(Part::OrderSvc);
            till.serves(world, &[("CRASH_AT", point)]).await;
            world.pass(TOO_LONG).await;
            has_died(world).await;
            till.serves(world, &[]).await;
            let is_marked = point != "order.reverse.before_written#1";
            assert_eq!(latest(&order).await.reversing, is_marked, "{point}");
            leases_end(world).await;
            world.pass(A_MINUTE).await;
            assert!(ends(&order, PaymentState::Closed).await.reversing, "{point}");
        }
    });
}

#[test]
fn a_process_that_dies_after_a_code_has_paid_answers_with_its_success_when_it_is_there_again() {
    story(Options::default(), async |world| {
        let till = Till::open(world).await;
        for point in ["order.charge.recorded#1", "order.charge.before_kept#1", "order.charge.kept#1"] {
            let (order, charges) = (world.create_order(100).await, till.charges());
            till.next_charge(Charging::Pays);
            world.kill(Part::OrderSvc);
            till.serves(world, &[("CRASH_AT", point)]).await;
            let scan = scan(&order);
            dies_of(world, &scan).await;
            till.serves(world, &[]).await;
            leases_end(world).await;
            let answer = scan.attempt().await.expect("it is known").payment.expect("it says how far it came");
            assert_eq!((answer.state(), till.charges()), (PaymentState::Succeeded, charges + 1), "{point}");
            assert_eq!(order.now().await.state(), State::Paid);
        }
    });
}

/// Scans until order-svc has died of it: right after its start a call may be refused for another reason, and the same request id
/// is no second charge.
async fn dies_of(world: &World, scan: &Paying) {
    eventually("order-svc dies of the charge", async || {
        let answer = scan.attempt().await;
        world.ended(Part::OrderSvc).ok_or(answer)
    })
    .await;
}

/// Waits until order-svc has died by itself, as long as anything is waited for.
async fn has_died(world: &World) {
    eventually("order-svc dies", async || world.ended(Part::OrderSvc)).await;
}

async fn charge_like(world: &World, order: &Order, payment: &Payment) -> ChargeRequest {
    let order = order.now().await;
    let merchants = world.sandbox.ledger().await;
    assert!(merchants.orders.iter().all(|other| other.out_trade_no != payment.out_trade_no));
    ChargeRequest {
        merchant: order.merchant,
        mch_id: "1900000109".into(),
        app_id: MINI_PROGRAM.into(),
        out_trade_no: payment.out_trade_no.clone(),
        amount_fen: order.amount_fen,
        description: order.description,
        expire_time: order.expire_time,
        terminal_ip: "203.0.113.7".into(),
        ..ChargeRequest::default()
    }
}

/// What is waited for on the database's clock, which no command moves, is over.
async fn leases_end(world: &World) {
    let orders = world.postgres.pool("orders");
    for sql in [
        "UPDATE payments SET sending_until = now() - interval '1 second' WHERE now() < sending_until",
        "UPDATE payments SET claimed_until = now() WHERE now() < claimed_until",
        "UPDATE requests SET claimed_until = now() WHERE now() < claimed_until",
    ] {
        sqlx::query(sql).execute(&orders).await.expect("it can be changed");
    }
    orders.close().await;
}

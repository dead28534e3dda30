use std::collections::{HashSet, VecDeque};

use money::Fen;

use super::{Mismatch, Settled, close, samples, settle};
use crate::domain::{
    order::{self, Order},
    payment::{self, Payment},
};

#[test]
fn a_payment_pays_its_order_and_the_same_fact_again_changes_nothing() {
    let (mut order, mut payments) = samples::pending(1);
    assert_eq!(settle(&mut order, &mut payments[0], &samples::paid("42")), Ok(Settled::Kept));
    let (after, paid) = (order.clone(), payments.clone());
    assert_eq!(settle(&mut order, &mut payments[0], &samples::paid("42")), Ok(Settled::Unchanged));
    assert_eq!((order, payments), (after, paid));
}

#[test]
fn money_for_a_closed_order_is_a_surplus_and_the_order_stays_closed() {
    let (mut order, mut payments) = samples::pending(1);
    payments[0].state = payment::State::Closed;
    order.state = order::State::Closed { at: order.expire_time };
    assert_eq!(settle(&mut order, &mut payments[0], &samples::paid("42")), Ok(Settled::Surplus));
    assert_eq!(order.state.word(), "CLOSED");
    assert_eq!(payments[0].state, samples::succeeded("42", true));
}

#[test]
fn a_second_transaction_for_one_attempt_is_never_taken() {
    let (mut order, mut payments) = samples::pending(1);
    settle(&mut order, &mut payments[0], &samples::paid("42")).expect("the first is kept");
    assert_eq!(settle(&mut order, &mut payments[0], &samples::paid("43")), Err(Mismatch::Transaction));
}

#[test]
fn evidence_for_something_else_changes_nothing() {
    let good = samples::paid("42");
    let wrong = [
        (super::Paid { merchant: "other".into(), ..good.clone() }, Mismatch::Merchant),
        (super::Paid { provider: "huifu".into(), ..good.clone() }, Mismatch::Provider),
        (super::Paid { mch_id: "1900000002".into(), ..good.clone() }, Mismatch::MchId),
        (super::Paid { sub_mch_id: "1900000003".into(), ..good.clone() }, Mismatch::SubMchId),
        (super::Paid { app_id: "wx02".into(), ..good.clone() }, Mismatch::AppId),
        (super::Paid { amount: Fen::new(99), ..good.clone() }, Mismatch::Amount),
        (super::Paid { amount: Fen::new(101), ..good.clone() }, Mismatch::Amount),
        (super::Paid { currency: "HKD".into(), ..good.clone() }, Mismatch::Currency),
        (super::Paid { currency: String::new(), ..good.clone() }, Mismatch::Currency),
    ];
    for (paid, mismatch) in wrong {
        let (mut order, mut payments) = samples::pending(1);
        let before = (order.clone(), payments.clone());
        assert_eq!(settle(&mut order, &mut payments[0], &paid), Err(mismatch));
        assert_eq!((order, payments), before);
    }
}

#[test]
fn a_payment_under_the_providers_app_is_one_whatever_app_of_the_sub_merchant_is_named() {
    let told = |app_id: &str, provider: &str| super::Paid {
        app_id: app_id.into(),
        service_provider_app_id: provider.into(),
        ..samples::paid("42")
    };
    // The attempt is under wx01: once the provider's app, once the sub-merchant's.
    for (paid, settled) in [
        (told("wx01", "wx01"), Ok(Settled::Kept)),
        (told("wx02", "wx01"), Ok(Settled::Kept)),
        (told("wx01", "wx03"), Ok(Settled::Kept)),
        (told("wx02", "wx03"), Err(Mismatch::AppId)),
        (told("wx03", "wx03"), Err(Mismatch::AppId)),
        (told("wx02", ""), Err(Mismatch::AppId)),
        (told("", ""), Err(Mismatch::AppId)),
    ] {
        let (mut order, mut payments) = samples::pending(1);
        assert_eq!(settle(&mut order, &mut payments[0], &paid), settled, "{paid:?}");
    }
}

/// What may happen to an order, in any order and any number of times.
#[derive(Clone, Copy, Debug)]
enum Step {
    Accepted(usize),
    Refused(usize),
    Paid(usize),
    ClosedAtProvider(usize),
    FailedAtProvider(usize),
    GivenUp,
    TimeRunsOut,
}

#[derive(Clone, Debug, PartialEq)]
struct World {
    order: Order,
    payments: Vec<Payment>,
    now_is_late: bool,
}

impl World {
    fn key(&self) -> String {
        format!("{self:?}")
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Accepted(at) => {
                self.payments[at].accepted();
            }
            Step::Refused(at) => {
                self.payments[at].refused();
            }
            Step::Paid(at) => {
                settle(&mut self.order, &mut self.payments[at], &samples::paid(&format!("42{at}")))
                    .expect("the evidence fits");
            }
            Step::ClosedAtProvider(at) => {
                self.payments[at].closed();
            }
            Step::FailedAtProvider(at) => {
                self.payments[at].failed();
            }
            Step::GivenUp => self.order.close_requested_at = Some(self.order.create_time),
            Step::TimeRunsOut => self.now_is_late = true,
        }
        let now = if self.now_is_late { self.order.expire_time } else { self.order.create_time };
        close(&mut self.order, &self.payments, now);
    }

    fn check(&self) {
        let kept = self
            .payments
            .iter()
            .filter(|payment| matches!(payment.state, payment::State::Succeeded { surplus: false, .. }))
            .count();
        match self.order.state {
            order::State::Paid { payment, .. } => {
                assert_eq!(kept, 1, "{self:?}");
                let paid = self.payments.iter().find(|one| one.id == payment).expect("it is an attempt of the order");
                assert!(matches!(paid.state, payment::State::Succeeded { surplus: false, .. }), "{self:?}");
            }
            order::State::Pending => {
                assert_eq!(kept, 0, "{self:?}");
                assert!(!self.payments.iter().any(|one| matches!(one.state, payment::State::Succeeded { .. })));
            }
            order::State::Closed { .. } => assert_eq!(kept, 0, "{self:?}"),
        }
    }
}

#[test]
fn no_sequence_of_facts_keeps_two_payments_or_loses_one() {
    const ATTEMPTS: usize = 3;
    let (order, mut payments) = samples::pending(ATTEMPTS as u128);
    for payment in &mut payments {
        payment.state = payment::State::Created;
    }
    let first = World { order, payments, now_is_late: false };
    let steps: Vec<Step> = (0..ATTEMPTS)
        .flat_map(|at| {
            [
                Step::Accepted(at),
                Step::Refused(at),
                Step::Paid(at),
                Step::ClosedAtProvider(at),
                Step::FailedAtProvider(at),
            ]
        })
        .chain([Step::GivenUp, Step::TimeRunsOut])
        .collect();

    let mut seen = HashSet::from([first.key()]);
    let mut queue = VecDeque::from([first]);
    while let Some(world) = queue.pop_front() {
        for step in &steps {
            let mut next = world.clone();
            next.step(*step);
            next.check();
            // The same fact twice changes nothing.
            let once = next.clone();
            next.step(*step);
            assert_eq!(next, once, "{step:?} twice");
            if seen.insert(next.key()) {
                queue.push_back(next);
            }
        }
    }
    println!("{} states seen", seen.len());
    assert!(500 < seen.len());
}

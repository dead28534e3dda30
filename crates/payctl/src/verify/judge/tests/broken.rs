//! Each rule is broken in turn.

use super::*;

const PAYMENTS: &[(Rule, Spoil, &str)] = &[
    (Rule::PaidWithoutMoney, |e| ledger(e).orders[0].payment = None, "is SUCCEEDED, but WeChat has no payment of it"),
    (Rule::PaidWithoutMoney, |e| e.payments[0].app_id = "wx".into(), "is SUCCEEDED with other content than WeChat's"),
    (
        Rule::PaidWithoutMoney,
        |e| e.payments[0].paid_time.0 = Some(at() + SignedDuration::from_secs(1)),
        "is SUCCEEDED with other content than WeChat's",
    ),
    (Rule::MoneyUnlearned, |e| e.payments[0].state = "CLOSED".into(), "was paid at WeChat"),
    (Rule::MoneyUnlearned, |e| e.payments.clear(), "which was never written down here"),
    (
        Rule::MoneyUnlearned,
        |e| ledger(e).orders[0].payment.as_mut().expect("paid").amount_fen = 1,
        "and there is no dead letter of it",
    ),
    (Rule::FactBelied, |e| paid(&mut e.pay[0]).amount_fen = 1, "which WeChat does not know"),
    (
        Rule::ForgeryBelieved,
        |e| ledger(e).callbacks[0].attempts[0].genuine = false,
        "was believed that is not WeChat's",
    ),
    (Rule::SuccessUnpublished, |e| e.pay.clear(), "was answered with success, and paid:"),
    (Rule::SuccessUnpublished, |e| drop(e.pay.pop()), "was answered with success, and refund-noticed:"),
    (Rule::PaidWithoutFact, |e| e.pay.clear(), "and its fact is not on the bus"),
    (Rule::PaidWithoutFact, |e| paid(&mut e.pay[0]).app_id = "wx".into(), "and its fact says something else"),
    (Rule::FactUnbelieved, |e| e.payments.clear(), "which was never written down here"),
    (Rule::FactUnbelieved, |e| e.payments[0].transaction_id = Some("4201".into()), "is SUCCEEDED with 4201 here"),
    (Rule::KeptPayment, |e| e.orders[0].amount_fen = 1, "but not by the payment that it keeps"),
    (
        Rule::KeptPayment,
        |e| e.payments.push(PaymentRow { payment_id: Uuid::from_u128(99), ..e.payments[0].clone() }),
        "keeps 2 payments",
    ),
    (Rule::KeptPayment, |e| e.payments[1].surplus = false, "is CLOSED and keeps 1 payments"),
    (Rule::OpenAttempt, |e| e.payments[1].state = "PENDING".into(), "is CLOSED, but its attempt"),
    (
        Rule::OpenAttempt,
        |e| {
            e.payments[1].state = "CLOSED".into();
            ledger(e).orders[1].trade_state = "NOTPAY".into();
        },
        "would still take money",
    ),
    (Rule::OpenAttempt, |e| e.orders.clear(), "has no order"),
    (Rule::OneAnswer, |e| e.requests.shared.push((PAYMENT, 2)), "was written by 2 request ids"),
    (Rule::OneAnswer, |e| e.requests.answered_twice.push(("shop".into(), Uuid::nil())), "has an answer and a refusal"),
    (
        Rule::Conservation,
        |e| ledger(e).orders[0].payment.as_mut().expect("paid").amount_fen = 103,
        "are 130 fen here and 133 fen at WeChat: 3 fen apart",
    ),
];

const REFUNDS: &[(Rule, Spoil, &str)] = &[
    (Rule::RefundedTooMuch, |e| e.payments[0].refunded_fen = 41, "says that 41 fen are back"),
    (Rule::RefundedTooMuch, |e| refund(e, 0).amount_fen = 101, "101 fen of"),
    (Rule::RefundedTooMuch, |e| refund(e, 0).payment_id = SURPLUS, "is of no payment that agrees with it"),
    (Rule::RefundedTooMuch, |e| refund(e, 0).total_fen = 1, "is of no payment that agrees with it"),
    (Rule::RefundWithoutMoney, |e| ledger(e).orders[0].refunds.clear(), "WeChat has given no such money back"),
    (Rule::RefundWithoutMoney, |e| ledger(e).orders[0].refunds[0].amount_fen = 101, "WeChat gives 101 fen of"),
    (Rule::RefundWithoutMoney, |e| ledger(e).orders[0].refunds[0].amount_fen = 41, "WeChat has refund"),
    (Rule::RefundWithoutMoney, |e| e.refunds.as_mut().expect("some").clear(), "which was never written down here"),
    (Rule::RefundUnlearned, |e| ledger(e).orders[1].refunds[0].state = RefundState::Success, "but PROCESSING here"),
    (Rule::RefundUnlearned, |e| refund(e, 1).state = "REJECTED".into(), "is PROCESSING at WeChat, but REJECTED here"),
    (Rule::RefundFact, |e| drop(e.pay.remove(1)), "and no fact that agrees with it is on the bus"),
    (Rule::RefundFact, |e| refund(e, 0).state = "PROCESSING".into(), "is otherwise here"),
    (Rule::RefundFact, |e| e.refunds.as_mut().expect("some").clear(), "which was never written down here"),
    (Rule::RefundState, |e| e.orders[0].state = "PAID".into(), "40 of its 100 fen are back"),
    (Rule::SurplusUncovered, |e| refund(e, 1).state = "CLOSED".into(), "0 fen go back, and nobody holds it"),
    (Rule::Conservation, |e| ledger(e).orders[0].refunds[0].state = RefundState::Processing, "40 fen apart"),
];

const TOLD: &[(Rule, Spoil, &str)] = &[
    (Rule::Untold, |e| forget(e, "created:"), "nobody was told that order"),
    (Rule::Untold, |e| forget(e, "paid:"), "is PARTIALLY_REFUNDED, and nobody was told"),
    (Rule::Untold, |e| forget(e, "closed:"), "is CLOSED, and nobody was told"),
    (Rule::Untold, |e| forget(e, "payment-created:"), "nobody was told that"),
    (Rule::Untold, |e| forget(e, "surplus:"), "is a surplus, and nobody was told"),
    (Rule::Untold, |e| forget(e, "refund-created:"), "nobody was told that refund"),
    (Rule::Untold, |e| forget(e, "refund-accepted:"), "was accepted, and nobody was told"),
    (
        Rule::ToldFalsely,
        |e| refund(e, 0).provider_refund_id = Some("51".into()),
        "was told as accepted with other content",
    ),
    (Rule::ToldFalsely, |e| refund(e, 1).state = "CREATED".into(), "about a refund that is CREATED"),
    (Rule::Untold, |e| forget(e, "refunded:"), "is SUCCEEDED, and nobody was told"),
    (Rule::Untold, |e| refund(e, 1).state = "ABNORMAL".into(), "was ABNORMAL, and nobody was told"),
    (Rule::Untold, |e| refund(e, 1).state = "REJECTED".into(), "was REJECTED, and nobody was told"),
    (Rule::ToldFalsely, |e| e.orders[0].state = "PENDING".into(), "was told as paid, and is PENDING"),
    (Rule::ToldFalsely, |e| e.orders[1].state = "PENDING".into(), "was told as closed, and is PENDING"),
    (Rule::ToldFalsely, |e| e.payments[1].surplus = false, "was told as a surplus, and is none"),
    (Rule::ToldFalsely, |e| e.orders[0].paid_payment_id = Some(SURPLUS), "was told as paid with other content"),
    (Rule::ToldFalsely, |e| e.orders[1].amount_fen = 71, "was told as closed with other content"),
    (Rule::ToldFalsely, |e| refund(e, 0).cause = "SURPLUS".into(), "was told as SUCCEEDED with other content"),
    (Rule::ToldFalsely, |e| e.payments[0].refunded_fen = 39, "was told as SUCCEEDED with other content"),
    (Rule::ToldFalsely, |e| refund(e, 0).state = "PROCESSING".into(), "about a refund that is PROCESSING"),
    (
        Rule::ToldFalsely,
        |e| {
            let failed = RefundFailed {
                order: format!("orders/{CLOSED}"),
                refund: format!("orders/{CLOSED}/refunds/{}", truth::SURPLUS_REFUND),
                app: "shop".into(),
                state: "ABNORMAL".into(),
                ..RefundFailed::default()
            };
            e.order.push(fact(&failed));
        },
        "about a refund that is PROCESSING",
    ),
    (Rule::ToldFalsely, |e| drop(e.orders.remove(0)), "about an order that is not here"),
    (Rule::ToldFalsely, |e| e.pay[0].news = News::Nonsense("it is XML".into()), "is no fact: it is XML"),
    (Rule::ToldTwice, |e| e.order.push(e.order[2].clone()), "is 2 times on the bus"),
    (
        Rule::ToldTwice,
        |e| {
            let mut other = e.pay[0].clone();
            other.published += SignedDuration::from_hours(24);
            paid(&mut other).amount_fen = 1;
            e.pay.push(other);
        },
        "is on the bus with two contents",
    ),
    (Rule::Unapplied, |e| e.unapplied.push(unapplied(&e.pay[0])), "has not recorded"),
    (Rule::DeadLetters, |e| e.dead.push(letter(&e.pay[0], "order-svc-pay")), "1 dead letters instead of 0"),
    (Rule::BooksDiffer, |e| e.books.as_mut().expect("kept").taken.clear(), "do not hold as taken"),
    (Rule::BooksDiffer, |e| e.books.as_mut().expect("kept").taken[0].amount_fen = 1, "the books hold as taken"),
    (Rule::BooksDiffer, |e| e.books.as_mut().expect("kept").told.clear(), "do not hold as told"),
    (Rule::BooksDiffer, |e| e.pay.clear(), "the books hold as told what the bus does not say"),
];

fn change(evidence: &mut Evidence, at: usize) -> &mut crate::verify::ChangeRow {
    &mut evidence.journal.as_mut().expect("there is one").changes[at]
}

const CHANGES: &[(Rule, Spoil, &str)] = &[
    (
        Rule::Transition,
        |e| change(e, 3).to_state = "CLOSED".into(),
        "went from PAID to CLOSED (change 3), which is illegal",
    ),
    (
        Rule::Transition,
        |e| change(e, 0).to_state = "PAID".into(),
        "went from nothing to PAID (change 0), which is illegal",
    ),
    (Rule::Transition, |e| change(e, 6).from_state = Some("CREATED".into()), "but it was PENDING"),
    (Rule::Transition, |e| e.payments[0].state = "CLOSED".into(), "but its last change made it SUCCEEDED"),
    (Rule::Transition, |e| e.journal.as_mut().expect("one").changes.clear(), "the journal knows nothing of order"),
    (Rule::Transition, |e| e.refunds.as_mut().expect("some").clear(), "which is not here"),
    (Rule::Transition, |e| drop(e.journal.as_mut().expect("one").changes.remove(4)), "but it was nothing"),
    (Rule::Sequence, |e| change(e, 2).version = Some(4), "has version Some(4) where 3 was due"),
    (
        Rule::Sequence,
        |e| drop(e.journal.as_mut().expect("one").changes.remove(1)),
        "has version Some(3) where 2 was due",
    ),
    (Rule::Sequence, |e| e.orders[0].version = 5, "but its last change was version 4"),
];

const UNDER_WAY: &[(Rule, Spoil, &str)] = &[
    (
        Rule::RepairUnderWay,
        |e| {
            let (repair_id, discrepancy_id) = (truth::REPAIR, Uuid::nil());
            e.repairs.push(RepairRow { repair_id, discrepancy_id, merchant: "acme-mini".into(), outcome: None });
        },
        "is not answered yet",
    ),
    (Rule::CallbackUnderWay, |e| ledger(e).callbacks[0].state = CallbackState::Sending, "is under way"),
    (
        Rule::CallbackUnderWay,
        |e| {
            ledger(e).callbacks[0].state = CallbackState::Waiting;
            ledger(e).callbacks[0].next_attempt_at = Some(at());
        },
        "is under way",
    ),
    (
        Rule::Outbox,
        |e| e.waiting.push(Waiting::Outbox { service: "order-svc", event_id: "paid:1".into() }),
        "paid:1 waits in the outbox of order-svc",
    ),
    (
        Rule::Backlog,
        |e| e.waiting.push(Waiting::Backlog { durable: "order-svc-pay", pending: 0, unacked: 1, acked_up_to: 7 }),
        "order-svc-pay has messages that it has not acked, after message 7",
    ),
    (
        Rule::Backlog,
        |e| e.waiting.push(Waiting::NoDurable { durable: "order-svc-pay" }),
        "there is no durable order-svc-pay",
    ),
    (Rule::Unknown, |e| e.payments[0].state = "CREATED".into(), "nobody knows whether WeChat has accepted"),
    (
        Rule::Unknown,
        |e| {
            refund(e, 1).state = "CREATED".into();
            refund(e, 1).waiting = Some("ANSWER".into());
        },
        "nobody knows whether WeChat has accepted refund",
    ),
];

#[test]
fn every_broken_promise_is_named() {
    let mut broken = BTreeSet::new();
    for (rule, spoil, expected) in [PAYMENTS, REFUNDS, TOLD, CHANGES, UNDER_WAY].concat() {
        let mut evidence = truth();
        spoil(&mut evidence);
        let found = judge(&evidence, &Allowed::default());
        let named = found.iter().any(|violation| violation.rule == rule && violation.sentence.contains(expected));
        assert!(named, "{rule} with {expected:?} is not in {found:#?}");
        broken.insert(rule);
    }
    let all: BTreeSet<Rule> = Rule::ALL.iter().copied().collect();
    assert_eq!(broken, all, "every rule is able to fail");
}

use std::time::Duration;

use proto::event::{RepairAction, RepairRequested};
use proto::gateway::v1::{PrepayRequest, RefundStatus, refund_status::State as Said};
use proto::order::v1::order::State as OrderState;
use proto::order::v1::refund::{Cause, State};
use proto::order::v1::{CreateRefundRequest, ListRefundsRequest, Order, Refund};

use super::{again, of_payment, transaction};
use crate::harness::{World, id, of, reason};

/// What the provider's console makes.
const NUMBER: &str = "50300906632026112100000000001";
const REFUND_ID: &str = "50300906632026112112345678901";

impl World {
    async fn refunds_of(&self, order: &Order) -> Vec<Refund> {
        let request = ListRefundsRequest { order: order.name.clone(), ..ListRefundsRequest::default() };
        self.client.clone().list_refunds(of("shop", request)).await.expect("a list").into_inner().refunds
    }
}

fn import(sent: &PrepayRequest) -> RepairRequested {
    RepairRequested {
        code: "R1".to_owned(),
        transaction_id: transaction(sent),
        out_refund_no: NUMBER.to_owned(),
        refund_id: REFUND_ID.to_owned(),
        bill_amount_fen: 30,
        ..of_payment(RepairAction::ImportRefund, &sent.out_trade_no)
    }
}

/// The provider has a refund of 30 fen that somebody made in its console.
fn told(sent: &PrepayRequest, state: Said, word: &str) -> RefundStatus {
    RefundStatus {
        state: state.into(),
        provider_state: word.to_owned(),
        refund_id: REFUND_ID.to_owned(),
        mch_id: sent.mch_id.clone(),
        out_refund_no: NUMBER.to_owned(),
        transaction_id: transaction(sent),
        out_trade_no: sent.out_trade_no.clone(),
        amount_fen: 30,
        success_time: (state == Said::Succeeded)
            .then_some(pbjson_types::Timestamp { seconds: 1_795_000_100, nanos: 0 }),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_the_console_comes_into_the_books_once_and_moves_its_order() {
    let world = World::start().await;
    let (order, sent) = world.sold().await;
    let version = world.order(&order.name).await;
    world.gateway.says_of_refunds(told(&sent, Said::Succeeded, "SUCCESS"));
    let request = import(&sent);
    let (outcome, detail) = world.repaired(&request).await;
    assert_eq!(outcome, "APPLIED", "{detail}");
    let seen = world.order_becomes(&order.name, OrderState::PartiallyRefunded).await;
    assert_eq!((seen.refunded_fen, seen.refunding_fen), (30, 0));
    assert_ne!(seen, version);
    let refunds = world.refunds_of(&order).await;
    let [refund] = refunds.as_slice() else { panic!("one refund: {refunds:?}") };
    assert_eq!(
        (refund.cause(), refund.state(), refund.out_refund_no.as_str()),
        (Cause::External, State::Succeeded, NUMBER)
    );
    assert_eq!((refund.refund_id.as_str(), refund.amount_fen), (REFUND_ID, 30));

    let created = world.message("ORDER", "order.v1.refund.created.shop").await;
    assert_eq!((created["cause"].as_str(), created["outRefundNo"].as_str()), (Some("EXTERNAL"), Some(NUMBER)));
    let accepted = world.message("ORDER", "order.v1.refund.accepted.shop").await;
    assert_eq!((accepted["cause"].as_str(), accepted["refundId"].as_str()), (Some("EXTERNAL"), Some(REFUND_ID)));
    // The day of the bill has begun at 16:00 UTC of the day before; the payment of this test is later.
    assert_eq!(accepted["acceptTime"], serde_json::to_value(order.paid_time).expect("JSON"));
    let refunded = world.message("ORDER", "order.v1.order.refunded.shop").await;
    assert_eq!((refunded["cause"].as_str(), refunded["refundedFen"].as_str()), (Some("EXTERNAL"), Some("30")));
    let fact = world.message("PAY", "pay.v1.refund.succeeded.acme").await;
    assert_eq!((fact["source"].as_str(), fact["outRefundNo"].as_str()), (Some("SOURCE_RECONCILE"), Some(NUMBER)));

    world.publish(&request).await;
    assert_eq!(world.repaired(&again(&request)).await.0, "CONFIRMED");
    let by_id = RepairRequested { out_refund_no: String::new(), ..again(&request) };
    assert_eq!(world.repaired(&by_id).await.0, "CONFIRMED");
    let asked = world.gateway.refund_queries().pop().expect("it was asked about");
    assert_eq!((asked.out_refund_no.as_str(), asked.refund_id.as_str()), ("", REFUND_ID));
    assert_eq!(world.refunds_of(&order).await.len(), 1);
    assert_eq!(world.messages("ORDER", "order.v1.order.refunded.shop").await.len(), 1);
    assert_eq!(world.gateway.refunds().len(), 0, "nothing of it is ever sent");
    let journal = world.count("SELECT count(*) FROM state_changes WHERE entity = 'refund'").await;
    assert_eq!(journal, 2, "written CREATED, and then where it is");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_on_its_way_is_asked_about_until_it_is_back() {
    let world = World::start().await;
    let (order, sent) = world.sold().await;
    world.gateway.says_of_refunds(told(&sent, Said::Processing, "PROCESSING"));
    assert_eq!(world.repaired(&import(&sent)).await.0, "APPLIED");
    let seen = world.order(&order.name).await;
    assert_eq!((seen.state(), seen.refunded_fen, seen.refunding_fen), (OrderState::Paid, 0, 30));
    assert_eq!(world.repaired(&import(&sent)).await.0, "CONFIRMED");
    world.gateway.says_of_refunds(told(&sent, Said::Succeeded, "SUCCESS"));
    world
        .until("the schedule asks, and it is back", async || {
            world.hand.advance(Duration::from_secs(20));
            (world.order(&order.name).await.state() == OrderState::PartiallyRefunded).then_some(())
        })
        .await;
    assert!(world.gateway.refund_queries().iter().all(|query| query.out_refund_no == NUMBER));
    // One of ours, or of the console's, is asked about by the number that it has.
    let query = RepairRequested {
        out_trade_no: String::new(),
        action: RepairAction::QueryRefund.into(),
        ..again(&import(&sent))
    };
    assert_eq!(world.repaired(&query).await.0, "CONFIRMED");
    let gone = RefundStatus { state: Said::NotFound.into(), ..RefundStatus::default() };
    world.gateway.says_of_refunds(gone);
    assert_eq!(world.repaired(&again(&query)).await.0, "UNKNOWN_TO_PROVIDER");
    assert_eq!(world.gateway.refunds().len(), 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_end_of_it_is_told() {
    let world = World::start().await;
    for (state, word, expected, refunding) in
        [(Said::Abnormal, "CHANGE", State::Abnormal, 30), (Said::Closed, "REFUNDCLOSE", State::Closed, 0)]
    {
        let (order, sent) = world.sold().await;
        let unique = |text: &str| format!("{text}{word}");
        let request = RepairRequested { out_refund_no: unique("c"), refund_id: unique("5"), ..import(&sent) };
        let status = told(&sent, state, word);
        world.gateway.says_of_refunds(RefundStatus { out_refund_no: unique("c"), refund_id: unique("5"), ..status });
        let (outcome, detail) = world.repaired(&request).await;
        assert_eq!(outcome, "APPLIED", "{detail}");
        assert_eq!(world.refunds_of(&order).await[0].state(), expected);
        let seen = world.order(&order.name).await;
        assert_eq!((seen.state(), seen.refunding_fen), (OrderState::Paid, refunding));
        let failed = world.message("ORDER", "order.v1.refund.failed.shop").await;
        assert_eq!(
            (failed["cause"].as_str(), failed["state"].as_str()),
            (Some("EXTERNAL"), Some(state_word(expected)))
        );
    }
    world.end().await;
}

fn state_word(state: State) -> &'static str {
    state.as_str_name().strip_prefix("STATE_").expect("all begin so")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_its_payment_is_not_taken() {
    let world = World::start().await;
    let (order, sent) = world.sold().await;
    let wanted = CreateRefundRequest {
        request_id: id(),
        order: order.name.clone(),
        amount_fen: 71,
        ..CreateRefundRequest::default()
    };
    world.client.clone().create_refund(of("shop", wanted.clone())).await.expect("a refund");
    world.gateway.says_of_refunds(told(&sent, Said::Succeeded, "SUCCESS"));
    let (outcome, detail) = world.repaired(&import(&sent)).await;
    assert_eq!((outcome.as_str(), detail.contains("29 fen are left")), ("NOT_APPLICABLE", true), "{detail}");
    assert_eq!(world.count("SELECT count(*) FROM refunds WHERE cause = 'EXTERNAL'").await, 0);
    assert_eq!(world.count("SELECT refunded_fen + refunding_fen FROM payments").await, 71);

    // What the console has taken, a team cannot.
    let (other, sent) = world.sold().await;
    world.gateway.says_of_refunds(told(&sent, Said::Processing, "PROCESSING"));
    assert_eq!(world.repaired(&import(&sent)).await.0, "APPLIED");
    let too_much = CreateRefundRequest { request_id: id(), order: other.name.clone(), ..wanted };
    assert_eq!(reason(world.client.clone().create_refund(of("shop", too_much)).await), "REFUND_EXCEEDS_PAYMENT");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_the_provider_does_not_confirm_is_not_taken() {
    let world = World::start().await;
    let (order, sent) = world.sold().await;
    let right = told(&sent, Said::Succeeded, "SUCCESS");
    for wrong in [
        RefundStatus { mch_id: "1900000009".into(), ..right.clone() },
        RefundStatus { out_trade_no: id(), ..right.clone() },
        RefundStatus { transaction_id: "43".into(), ..right.clone() },
        RefundStatus { out_refund_no: "another".into(), ..right.clone() },
        RefundStatus { refund_id: "51".into(), ..right.clone() },
        RefundStatus { amount_fen: 31, ..right.clone() },
        told(&sent, Said::Other, "SOMETHING_NEW"),
    ] {
        world.gateway.says_of_refunds(wrong.clone());
        assert_eq!(world.repaired(&import(&sent)).await.0, "NOT_APPLICABLE", "{wrong:?}");
    }
    world.gateway.says_of_refunds(RefundStatus { state: Said::NotFound.into(), ..RefundStatus::default() });
    assert_eq!(world.repaired(&import(&sent)).await.0, "UNKNOWN_TO_PROVIDER");
    let stranger = RepairRequested { out_trade_no: id().replace('-', ""), ..import(&sent) };
    assert_eq!(world.repaired(&stranger).await.0, "NOT_OURS");
    let (_, unpaid) = world.prepaid().await;
    world.gateway.says_of_refunds(told(&unpaid, Said::Succeeded, "SUCCESS"));
    assert_eq!(world.repaired(&import(&unpaid)).await.0, "NOT_APPLICABLE");
    assert_eq!(world.refunds_of(&order).await, []);
    assert_eq!(world.count("SELECT count(*) FROM refunds").await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_import_one_refund_once() {
    let mut world = World::start().await;
    world.second().await;
    let (order, sent) = world.sold().await;
    world.gateway.says_of_refunds(told(&sent, Said::Succeeded, "SUCCESS"));
    let all: Vec<_> = std::iter::repeat_with(|| import(&sent)).take(12).collect();
    for request in &all {
        world.publish(request).await;
    }
    let answers = world
        .until("all are answered", async || {
            let answers = world.messages("ORDER", "order.v1.repair.answered.acme").await;
            (all.len() <= answers.len()).then_some(answers)
        })
        .await;
    let of = |outcome: &str| answers.iter().filter(|answer| answer["outcome"] == outcome).count();
    assert_eq!((answers.len(), of("OUTCOME_APPLIED"), of("OUTCOME_CONFIRMED")), (12, 1, 11), "{answers:?}");
    assert_eq!(world.refunds_of(&order).await.len(), 1);
    assert_eq!(world.order(&order.name).await.refunded_fen, 30);
    world.end().await;
}

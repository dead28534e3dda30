use std::time::Duration;

use proto::event::{RepairAction, RepairRequested};
use proto::gateway::v1::payment_status::State as Said;
use proto::order::v1::order::State;
use proto::order::v1::payment::State as Attempt;

use super::{again, is, is_paid, of_payment, transaction};
use crate::gateway::SUB_MERCHANT;
use crate::harness::{World, id};

const PAID: &str = "pay.v1.payment.paid.acme";

/// As a run finds it whose attempt was closed before its payer won the race.
const ENDED: &str = "UPDATE payments SET state = 'CLOSED', next_ask_at = NULL, sending_until = NULL;
    UPDATE orders SET state = 'CLOSED', close_time = now(), version = version + 1";

/// As a run finds it whose fact was lost: paid here, and never told.
const PAID_AND_NEVER_TOLD: &str =
    "UPDATE payments SET state = 'SUCCEEDED', transaction_id = '42' || substr(replace(payment_id::text, '-', ''), 5),
        paid_time = to_timestamp(1795000000), next_ask_at = NULL, sending_until = NULL;
    UPDATE orders SET state = 'PAID', paid_time = to_timestamp(1795000000), version = version + 1,
        paid_payment_id = (SELECT payment_id FROM payments LIMIT 1)";

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_only_the_bill_knew_is_asked_about_and_pays_its_order_once() {
    let world = World::start().await;
    let (order, sent) = world.prepaid().await;
    world.gateway.says(is_paid(&sent));
    let request = RepairRequested {
        transaction_id: transaction(&sent),
        bill_amount_fen: 100,
        ..of_payment(RepairAction::QueryPayment, &sent.out_trade_no)
    };
    let (outcome, detail) = world.repaired(&request).await;
    assert_eq!(outcome, "APPLIED", "{detail}");
    assert_eq!(world.order(&order.name).await.state(), State::Paid);
    let fact = world.message("PAY", PAID).await;
    assert_eq!(
        (fact["source"].as_str(), fact["transactionId"].as_str()),
        (Some("SOURCE_RECONCILE"), Some(transaction(&sent).as_str()))
    );

    // The same request again is the same repair; another one finds that all is well.
    world.publish(&request).await;
    let (outcome, detail) = world.repaired(&again(&request)).await;
    assert_eq!(outcome, "CONFIRMED", "{detail}");
    assert_eq!(world.messages("PAY", PAID).await.len(), 1);
    assert_eq!(world.messages("ORDER", "order.v1.order.paid.shop").await.len(), 1);
    assert_eq!(world.messages("ORDER", "order.v1.repair.answered.acme").await.len(), 2);
    assert_eq!(world.count("SELECT count(*) FROM repairs WHERE state = 'DONE' AND attempts = 0").await, 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_of_a_closed_order_becomes_a_surplus() {
    let world = World::start().await;
    let (order, sent) = world.prepaid().await;
    world.change(ENDED).await;
    world.gateway.says(is_paid(&sent));
    let (outcome, detail) = world.repaired(&of_payment(RepairAction::QueryPayment, &sent.out_trade_no)).await;
    assert_eq!((outcome.as_str(), detail.contains("surplus")), ("APPLIED", true), "{detail}");
    let seen = world.order(&order.name).await;
    assert_eq!((seen.state(), seen.payments[0].surplus), (State::Closed, true));
    world.message("ORDER", "order.v1.payment.surplus.shop").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_at_the_provider_ends_here_and_what_is_open_stays_so() {
    let world = World::start().await;
    let (order, sent) = world.prepaid().await;
    let request = of_payment(RepairAction::QueryPayment, &sent.out_trade_no);
    for (state, word) in [(Said::NotPaid, "NOTPAY"), (Said::Paying, "USERPAYING")] {
        world.gateway.says(is(state, word));
        let (outcome, detail) = world.repaired(&again(&request)).await;
        assert_eq!((outcome.as_str(), detail.contains(word)), ("CONFIRMED", true), "{detail}");
    }
    world.gateway.says(is(Said::NotFound, "ORDERNOTEXIST"));
    assert_eq!(world.repaired(&again(&request)).await.0, "UNKNOWN_TO_PROVIDER");
    world.gateway.says(is(Said::Other, "SOMETHING_NEW"));
    assert_eq!(world.repaired(&again(&request)).await.0, "NOT_APPLICABLE");
    assert_eq!(world.order(&order.name).await.payments[0].state(), Attempt::Pending);

    world.gateway.says(is(Said::Closed, "CLOSED"));
    let (outcome, detail) = world.repaired(&request).await;
    assert_eq!(outcome, "APPLIED", "{detail}");
    assert_eq!(world.order(&order.name).await.payments[0].state(), Attempt::Closed);
    assert_eq!(world.repaired(&again(&request)).await.0, "CONFIRMED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_order_is_never_moved_back() {
    let world = World::start().await;
    let (order, sent) = world.sold().await;
    let version = world.count("SELECT version FROM orders").await;
    for (state, word, expected) in [
        (Said::NotPaid, "NOTPAY", "NOT_APPLICABLE"),
        (Said::Closed, "CLOSED", "NOT_APPLICABLE"),
        (Said::Reversed, "REVOKED", "NOT_APPLICABLE"),
        (Said::Failed, "PAYERROR", "NOT_APPLICABLE"),
        (Said::NotFound, "ORDERNOTEXIST", "UNKNOWN_TO_PROVIDER"),
    ] {
        world.gateway.says(is(state, word));
        for action in [RepairAction::QueryPayment, RepairAction::RepublishPayment] {
            let (outcome, detail) = world.repaired(&of_payment(action, &sent.out_trade_no)).await;
            assert_eq!(outcome, expected, "{word}: {detail}");
        }
    }
    let seen = world.order(&order.name).await;
    assert_eq!((seen.state(), seen.payments[0].state()), (State::Paid, Attempt::Succeeded));
    assert_eq!(world.count("SELECT version FROM orders").await, version);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_contradicts_the_difference_or_the_attempt_changes_nothing() {
    let world = World::start().await;
    let (order, sent) = world.prepaid().await;
    let request = of_payment(RepairAction::QueryPayment, &sent.out_trade_no);
    world.gateway.says(is_paid(&sent));
    let other_bill = RepairRequested { bill_amount_fen: 99, ..again(&request) };
    let other_transaction = RepairRequested { transaction_id: "43".to_owned(), ..again(&request) };
    for request in [other_bill, other_transaction] {
        assert_eq!(world.repaired(&request).await.0, "NOT_APPLICABLE");
        assert_eq!(world.order(&order.name).await.payments[0].state(), Attempt::Pending);
    }
    assert_eq!(world.count("SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL").await, 0);

    let mut too_much = is_paid(&sent);
    too_much.paid.as_mut().expect("it says by whom").amount_fen = 101;
    world.gateway.says(too_much);
    // Also of a disputed attempt, about which nobody asks by himself.
    for _ in 0..2 {
        let (outcome, detail) = world.repaired(&again(&request)).await;
        assert_eq!((outcome.as_str(), detail.contains("amount")), ("NOT_APPLICABLE", true), "{detail}");
    }
    assert_eq!(world.count("SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL").await, 1);
    assert_eq!(world.messages("PAY", PAID).await.len(), 0);

    // The provider was corrected: the disputed attempt is paid after all.
    world.gateway.says(is_paid(&sent));
    assert_eq!(world.repaired(&again(&request)).await.0, "APPLIED");
    assert_eq!(world.order(&order.name).await.state(), State::Paid);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_another_merchant_or_of_nobody_is_not_ours_and_the_provider_is_not_asked() {
    let world = World::start().await;
    let (_, sent) = world.prepaid().await;
    let asked = world.gateway.payment_queries().len();
    for number in [id().replace('-', ""), "made-elsewhere".to_owned(), sent.out_trade_no.to_uppercase()] {
        assert_eq!(world.repaired(&of_payment(RepairAction::QueryPayment, &number)).await.0, "NOT_OURS");
    }
    let stranger = RepairRequested {
        merchant: SUB_MERCHANT.to_owned(),
        ..of_payment(RepairAction::QueryPayment, &sent.out_trade_no)
    };
    assert_eq!(world.repaired(&stranger).await.0, "NOT_OURS");
    assert_eq!(world.gateway.payment_queries().len(), asked);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_the_bus_has_lost_is_told_again() {
    let world = World::start().await;
    let (order, sent) = world.prepaid().await;
    world.change(PAID_AND_NEVER_TOLD).await;
    world.gateway.says(is_paid(&sent));
    assert_eq!(world.repaired(&of_payment(RepairAction::QueryPayment, &sent.out_trade_no)).await.0, "CONFIRMED");
    assert_eq!(world.messages("PAY", PAID).await.len(), 0);
    let (outcome, detail) = world.repaired(&of_payment(RepairAction::RepublishPayment, &sent.out_trade_no)).await;
    assert_eq!(outcome, "APPLIED", "{detail}");
    let fact = world.message("PAY", PAID).await;
    assert_eq!(
        (fact["source"].as_str(), fact["outTradeNo"].as_str()),
        (Some("SOURCE_RECONCILE"), Some(sent.out_trade_no.as_str()))
    );
    // Within the duplicate window it is told once, however often it is asked for.
    assert_eq!(world.repaired(&of_payment(RepairAction::RepublishPayment, &sent.out_trade_no)).await.0, "APPLIED");
    assert_eq!(world.messages("PAY", PAID).await.len(), 1);
    assert_eq!(world.order(&order.name).await.state(), State::Paid);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_for_half_an_hour_of_business_and_then_we_give_up() {
    let world = World::start().await;
    let (order, sent) = world.prepaid().await;
    world.gateway.silent(true);
    let request = of_payment(RepairAction::QueryPayment, &sent.out_trade_no);
    let before = world.clock.now();
    world.publish(&request).await;
    let tried = async |times: i64| {
        world
            .until("it is tried", async || {
                (world.count("SELECT coalesce(max(attempts), 0)::bigint FROM repairs").await == times).then_some(())
            })
            .await;
    };
    // 10 s, 1, 5 and 10 min, each with a tenth more at most; the last try is at the deadline.
    tried(1).await;
    for (times, wait_s) in [(2, 11), (3, 66), (4, 330), (5, 660)] {
        world.hand.advance(Duration::from_secs(wait_s));
        tried(times).await;
    }
    assert_eq!(world.messages("ORDER", "order.v1.repair.answered.acme").await.len(), 0);
    world.hand.advance(Duration::from_secs(30 * 60 - 11 - 66 - 330 - 660));
    let answer = world.answer(&request).await;
    assert_eq!(answer["outcome"], "OUTCOME_GAVE_UP", "{answer}");
    assert!(world.clock.now().duration_since(before).as_secs() < 31 * 60);
    assert_eq!(world.order(&order.name).await.payments[0].state(), Attempt::Pending);

    // It may be asked for again.
    world.gateway.silent(false);
    world.gateway.says(is_paid(&sent));
    assert_eq!(world.repaired(&again(&request)).await.0, "APPLIED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_repair_of_a_merchant_that_nobody_knows_is_given_up_in_time() {
    let world = World::start().await;
    let (_, sent) = world.prepaid().await;
    world.change("UPDATE payments SET merchant = 'gone'").await;
    let request =
        RepairRequested { merchant: "gone".to_owned(), ..of_payment(RepairAction::QueryPayment, &sent.out_trade_no) };
    world.gateway.silent(true);
    world.publish(&request).await;
    world.until("it is written", async || (world.count("SELECT count(*) FROM repairs").await == 1).then_some(())).await;
    world.hand.advance(Duration::from_mins(31));
    assert_eq!(world.answer(&request).await["outcome"], "OUTCOME_GAVE_UP");
    world.end().await;
}

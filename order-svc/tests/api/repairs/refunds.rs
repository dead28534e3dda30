use proto::event::{RepairAction, RepairRequested};
use proto::gateway::v1::{PrepayRequest, RefundStatus, refund_status::State as Said};
use proto::order::v1::refund::{State, Waiting};
use proto::order::v1::{CreateRefundRequest, GetRefundRequest, Order, Refund};

use super::{again, of_payment, transaction};
use crate::harness::{World, id, of};

impl World {
    /// A refund of 40 fen, written.
    async fn refund_of(&self, order: &Order) -> Refund {
        let request = CreateRefundRequest {
            request_id: id(),
            order: order.name.clone(),
            amount_fen: 40,
            ..CreateRefundRequest::default()
        };
        self.client.clone().create_refund(of("shop", request)).await.expect("a refund").into_inner()
    }

    async fn refund(&self, name: &str) -> Refund {
        let request = GetRefundRequest { name: name.to_owned(), refresh: false };
        self.client.clone().get_refund(of("shop", request)).await.expect("it is there").into_inner()
    }

    async fn refund_becomes(&self, name: &str, state: State) -> Refund {
        self.until(&format!("{name} {state:?}"), async || {
            let refund = self.refund(name).await;
            (refund.state() == state).then_some(refund)
        })
        .await
    }
}

fn query(refund: &Refund) -> RepairRequested {
    RepairRequested {
        code: "R2".to_owned(),
        out_refund_no: refund.out_refund_no.clone(),
        ..of_payment(RepairAction::QueryRefund, "")
    }
}

/// The provider says so of this refund of 40 fen.
fn told(sent: &PrepayRequest, refund: &Refund, state: Said, word: &str) -> RefundStatus {
    RefundStatus {
        state: state.into(),
        provider_state: word.to_owned(),
        refund_id: format!("50{}", refund.out_refund_no),
        mch_id: sent.mch_id.clone(),
        out_refund_no: refund.out_refund_no.clone(),
        transaction_id: transaction(sent),
        out_trade_no: sent.out_trade_no.clone(),
        amount_fen: 40,
        success_time: None,
    }
}

fn unknown() -> RefundStatus {
    RefundStatus { state: Said::NotFound.into(), provider_state: "REFUNDNOTEXIST".into(), ..RefundStatus::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_asked_about_and_what_the_provider_says_is_applied_once() {
    let world = World::start().await;
    let (order, sent) = world.sold().await;
    let written = world.refund_of(&order).await;
    let refund = world.refund_becomes(&written.name, State::Processing).await;
    world.gateway.says_of_refunds(told(&sent, &refund, Said::Processing, "PROCESSING"));
    assert_eq!(world.repaired(&query(&refund)).await.0, "CONFIRMED");
    // Another amount, account or payment is another refund than ours.
    let right = told(&sent, &refund, Said::Succeeded, "SUCCESS");
    for wrong in [
        RefundStatus { amount_fen: 41, ..right.clone() },
        RefundStatus { mch_id: "1".into(), ..right.clone() },
        RefundStatus { transaction_id: "1".into(), ..right.clone() },
    ] {
        world.gateway.says_of_refunds(wrong);
        assert_eq!(world.repaired(&query(&refund)).await.0, "NOT_APPLICABLE");
    }
    world.gateway.says_of_refunds(unknown());
    assert_eq!(world.repaired(&query(&refund)).await.0, "UNKNOWN_TO_PROVIDER", "it was accepted once");
    assert_eq!(world.refund(&refund.name).await.state(), State::Processing);

    world.gateway.says_of_refunds(right);
    let (outcome, detail) = world.repaired(&query(&refund)).await;
    assert_eq!(outcome, "APPLIED", "{detail}");
    assert_eq!(world.refund(&refund.name).await.state(), State::Succeeded);
    let fact = world.message("PAY", "pay.v1.refund.succeeded.acme").await;
    assert_eq!((fact["source"].as_str(), fact["merchant"].as_str()), (Some("SOURCE_RECONCILE"), Some("acme")));
    world.message("ORDER", "order.v1.order.refunded.shop").await;
    assert_eq!(world.repaired(&query(&refund)).await.0, "CONFIRMED");
    assert_eq!(world.messages("PAY", "pay.v1.refund.succeeded.acme").await.len(), 1);
    assert_eq!(world.gateway.refunds().len(), 1, "nothing was sent again");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_never_arrived_is_sent_again_under_its_number() {
    let world = World::start().await;
    let (order, _) = world.sold().await;
    world.gateway.loses_refunds(true);
    let written = world.refund_of(&order).await;
    world
        .until("its answer is lost", async || {
            let refund = world.refund(&written.name).await;
            (refund.waiting() == Waiting::Answer).then_some(())
        })
        .await;
    world.gateway.loses_refunds(false);
    world.gateway.says_of_refunds(unknown());
    let (outcome, detail) = world.repaired(&query(&written)).await;
    assert_eq!((outcome.as_str(), detail.contains("sent again")), ("APPLIED", true), "{detail}");
    world.refund_becomes(&written.name, State::Processing).await;
    let numbers: Vec<_> = world.gateway.refunds().into_iter().map(|sent| sent.out_refund_no).collect();
    assert_eq!(numbers, [written.out_refund_no.clone(), written.out_refund_no]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_here_stays_given_up_whatever_the_provider_says() {
    let world = World::start().await;
    let (order, sent) = world.sold().await;
    world.gateway.loses_refunds(true);
    let written = world.refund_of(&order).await;
    world.until("it is sent", async || (!world.gateway.refunds().is_empty()).then_some(())).await;
    world
        .change(
            "UPDATE refunds SET state = 'REJECTED', waiting = NULL, next_ask_at = NULL, unknown_since = NULL;
             UPDATE payments SET refunding_fen = 0",
        )
        .await;
    world.gateway.says_of_refunds(unknown());
    assert_eq!(world.repaired(&query(&written)).await.0, "CONFIRMED");
    for (state, word) in [(Said::Processing, "PROCESSING"), (Said::Succeeded, "SUCCESS")] {
        world.gateway.says_of_refunds(told(&sent, &written, state, word));
        assert_eq!(world.repaired(&query(&written)).await.0, "NOT_APPLICABLE", "{word}");
    }
    assert_eq!(world.refund(&written.name).await.state(), State::Rejected);
    assert_eq!(world.gateway.refunds().len(), 1);
    let stranger = RepairRequested { out_refund_no: "not-ours".into(), ..again(&query(&written)) };
    assert_eq!(world.repaired(&stranger).await.0, "NOT_OURS");
    world.end().await;
}

use proto::event::{RepairAction, RepairRequested};
use proto::gateway::v1::PrepayRequest;
use proto::order::v1::order::State;

use super::{again, is_paid, of_payment, transaction};
use crate::harness::World;

/// Two people agreed.
fn give_back(sent: &PrepayRequest) -> RepairRequested {
    RepairRequested {
        requested_by: vec!["amy".into(), "bo".into()],
        transaction_id: transaction(sent),
        ..of_payment(RepairAction::RefundSurplus, &sent.out_trade_no)
    }
}

impl World {
    /// Money that came for a closed order, held for a person.
    async fn held(&self) -> PrepayRequest {
        self.gateway.hold_surplus(true);
        let before = self.gateway.listings();
        self.until("the list is read again", async || (before + 2 <= self.gateway.listings()).then_some(())).await;
        let (_, sent) = self.prepaid().await;
        self.change(
            "UPDATE payments SET state = 'CLOSED', next_ask_at = NULL, sending_until = NULL;
             UPDATE orders SET state = 'CLOSED', close_time = now(), version = version + 1",
        )
        .await;
        self.gateway.says(is_paid(&sent));
        assert_eq!(self.repaired(&of_payment(RepairAction::QueryPayment, &sent.out_trade_no)).await.0, "APPLIED");
        self.until("it is held", async || {
            (self.count("SELECT count(*) FROM payments WHERE surplus_held_at IS NOT NULL").await == 1).then_some(())
        })
        .await;
        sent
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_surplus_goes_back_once_when_two_people_agreed() {
    let world = World::start().await;
    let sent = world.held().await;
    let request = give_back(&sent);
    let (outcome, detail) = world.repaired(&request).await;
    assert_eq!((outcome.as_str(), detail.contains("100 fen")), ("APPLIED", true), "{detail}");
    world.until("the refund is sent", async || (!world.gateway.refunds().is_empty()).then_some(())).await;
    world.publish(&request).await;
    let (outcome, detail) = world.repaired(&again(&request)).await;
    assert_eq!(outcome, "CONFIRMED", "{detail}");
    let created = world.message("ORDER", "order.v1.refund.created.shop").await;
    assert_eq!((created["cause"].as_str(), created["amountFen"].as_str()), (Some("SURPLUS"), Some("100")));
    assert_eq!(world.count("SELECT count(*) FROM refunds").await, 1);
    assert_eq!(world.gateway.refunds().len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_go_back_is_not_given_back() {
    let world = World::start().await;
    let sent = world.held().await;
    let other = RepairRequested { transaction_id: "43".into(), ..give_back(&sent) };
    assert_eq!(world.repaired(&other).await.0, "NOT_APPLICABLE");
    world.gateway.miss_certificates(true);
    let before = world.gateway.listings();
    world.until("the list is read again", async || (before + 2 <= world.gateway.listings()).then_some(())).await;
    let (outcome, detail) = world.repaired(&give_back(&sent)).await;
    assert_eq!((outcome.as_str(), detail.contains("certificate")), ("NOT_APPLICABLE", true), "{detail}");
    world.gateway.miss_certificates(false);
    let before = world.gateway.listings();
    world.until("the list is read again", async || (before + 2 <= world.gateway.listings()).then_some(())).await;

    // What an order keeps is its team's, and what has no money gives none.
    let (kept, paid) = world.sold().await;
    assert_eq!(world.repaired(&give_back(&paid)).await.0, "NOT_APPLICABLE");
    let (_, unpaid) = world.prepaid().await;
    assert_eq!(world.repaired(&give_back(&unpaid)).await.0, "NOT_APPLICABLE");
    let stranger = RepairRequested { out_trade_no: "nobody's".into(), ..give_back(&paid) };
    assert_eq!(world.repaired(&stranger).await.0, "NOT_OURS");
    assert_eq!(world.order(&kept.name).await.state(), State::Paid);
    assert_eq!(world.count("SELECT count(*) FROM refunds").await, 0);
    world.end().await;
}

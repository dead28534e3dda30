//! pay-gateway is away when order-svc asks.

use std::time::Duration;

use e2e::{
    Options, Part, eventually,
    sandbox_client::{Fault, FaultPoint, always},
    selling::{PaymentState, State},
    story,
};
use proto::event::{PaymentPaid, Source};

use crate::restart::is_paid_once;

/// Past the usual turn of a story's asking, ten minutes and a tenth.
const A_TURN: Duration = Duration::from_mins(12);

#[test]
fn asking_in_vain_decides_nothing_and_goes_on_until_somebody_answers() {
    story(Options::default(), async |world| {
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        world.kill(Part::PayGateway);
        // Asked by a team, then by the schedule.
        let asked_in_vain =
            async || world.metric(Part::OrderSvc, "provider_queries_total", &[("outcome", "UNKNOWN")]).await;
        let refreshed = cashier.order().refreshed().await;
        assert_eq!(asked_in_vain().await, 1);
        world.pass(A_TURN).await;
        eventually("order-svc has asked in vain again", async || asked_in_vain().await == 2).await;
        for order in [refreshed, cashier.order().now().await] {
            assert_eq!((order.state(), order.payments[0].state()), (State::Pending, PaymentState::Pending));
        }

        world.start(Part::PayGateway).await;
        world.pass(A_TURN).await;
        is_paid_once(world, &cashier).await;
        let facts = world.tells("pay.v1.payment.paid.>", 1).await;
        assert_eq!(facts[0].event::<PaymentPaid>().source(), Source::Query);
    });
}

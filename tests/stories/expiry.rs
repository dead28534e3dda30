//! Orders end: by their time, by their team's wish, or by a payment that came first. Whatever money moves counts.

mod surplus;
mod time;
mod wish;

use std::time::Duration;

use e2e::{
    World, eventually,
    sandbox_client::Pay,
    selling::{Cashier, Order, PaymentState, State},
    streams::Fact,
};
use proto::order::v1;

/// How long an order of these stories can be paid. Far more than a slow machine needs to open a cashier.
const LIFE_S: i64 = 600;
/// When such an order is over, and its attempts are due to be asked about.
const PAST_LIFE: Duration = Duration::from_mins(15);
/// When WeChat closes a fresh attempt, with some time for its way there.
const CLOSABLE: Duration = Duration::from_secs(320);
/// When an unfinished closing is tried again.
const AGAIN: Duration = Duration::from_secs(20);
/// The payer opened the cashier while it could be opened.
const IN_CASHIER: fn() -> Pay = || Pay { in_cashier: true, ..Pay::default() };

/// Waits until the order is paid by this attempt, and everybody has learned it once.
async fn kept(world: &World, order: &Order, cashier: &Cashier) -> v1::Order {
    let paid = order.becomes(State::Paid).await;
    assert_eq!(paid.paid_payment, cashier.payment().name);
    assert_eq!(states(&paid), [PaymentState::Succeeded]);
    assert!(!paid.payments[0].surplus && paid.paid_time == paid.payments[0].paid_time);
    let at_wechat = world.sandbox.order(cashier.out_trade_no()).await.and_then(|order| order.payment);
    assert_eq!(paid.payments[0].transaction_id, at_wechat.expect("it was paid there").transaction_id);
    let told = fact(world, "order.v1.order.paid.shop", order).await;
    assert_eq!((told.text("payment"), told.text("outTradeNo")), (paid.paid_payment.as_str(), cashier.out_trade_no()));
    paid
}

/// Waits for the one fact about an order under a subject.
async fn fact(world: &World, subject: &str, order: &Order) -> Fact {
    let facts = eventually(&format!("{subject} tells about {}", order.name()), async || {
        let facts = world.facts(subject).await;
        let own: Vec<Fact> = facts.into_iter().filter(|fact| fact.text("order") == order.name()).collect();
        if own.is_empty() { None } else { Some(own) }
    })
    .await;
    let [fact] = <[Fact; 1]>::try_from(facts).expect("it is told once");
    fact
}

async fn at_wechat(world: &World, cashier: &Cashier) -> String {
    world.sandbox.order(cashier.out_trade_no()).await.expect("WeChat knows it").trade_state
}

fn states(order: &v1::Order) -> Vec<PaymentState> {
    order.payments.iter().map(v1::Payment::state).collect()
}

//! Money goes back: under one number however often it is sent, believed when WeChat says so and not before, and never more than
//! was paid.

mod bounced;
mod certificate;
mod limits;
mod notices;
mod refused;
mod repeated;
mod unknown;
mod waiting;

mod back;

use std::time::Duration;

use e2e::{
    Options, Part, World, eventually,
    sandbox_client::{
        ActiveFault, Fault, FaultPoint, FaultRule, Refund as RefundAtWechat, RefundState as AtWechat, once,
    },
    selling::{Cashier, Order, Refund, RefundState, State},
    streams::Fact,
};

/// Longer than a question about a lost answer waits, and shorter than a minute.
const ASKED: Duration = Duration::from_secs(30);
/// WeChat wants a minute between two refunds of one payment, and after it has said that it takes no more; we leave it some more.
pub(crate) const A_MINUTE: Duration = Duration::from_secs(75);
/// What waits for a person is tried again after ten minutes.
const TRIED_AGAIN: Duration = Duration::from_mins(12);

/// Only notices and lost answers let us ask. On the real schedule the first question about an accepted refund comes after ten
/// seconds, which is soon on a slow machine.
fn by_notices() -> Options {
    Options::default().setting(Part::OrderSvc, "REFUND_ASK_SCHEDULE", "10h")
}

/// An order of the shop's that was paid, by its cashier.
pub(crate) async fn sold(world: &World, amount_fen: i64) -> Cashier {
    let cashier = world.open_cashier(amount_fen).await;
    cashier.pay().await;
    cashier.order().becomes(State::Paid).await;
    cashier
}

/// The next refund of this order meets this fault.
async fn refund_meets(world: &World, sold: &Cashier, fault: Fault) -> ActiveFault {
    let number = Some(sold.out_trade_no().to_owned());
    world.sandbox.fault(FaultRule { out_trade_no: number, ..once(FaultPoint::Refund, fault) }).await
}

/// The refund as WeChat has it.
pub(crate) async fn at_wechat(world: &World, refund: &Refund) -> RefundAtWechat {
    world.sandbox.refund(refund.out_refund_no()).await.expect("WeChat knows it")
}

/// WeChat gives the money back now, tells us, and we believe it.
pub(crate) async fn arrives(world: &World, refund: &Refund) {
    world.sandbox.settle(refund.out_refund_no(), AtWechat::Success).await;
    refund.becomes(RefundState::Succeeded).await;
}

/// Lets every refund of an order arrive, whose money is left to commands: WeChat takes one of a payment a minute.
async fn one_by_one(world: &World, order: &Order) {
    for _ in order.refunds().await {
        let next = eventually("the next one is accepted", async || {
            let refunds = order.refunds().await;
            refunds.into_iter().find(|refund| refund.written().state() == RefundState::Processing)
        });
        arrives(world, &next.await).await;
        world.pass(A_MINUTE).await;
    }
}

/// What is paid, back, and on its way back.
async fn money(order: &Order) -> (State, i64, i64) {
    let now = order.now().await;
    (now.state(), now.refunded_fen, now.refunding_fen)
}

/// Waits for the one fact about a refund under a subject of ours.
pub(crate) async fn told(world: &World, subject: &str, refund: &Refund) -> Fact {
    only(world, subject, "refund", refund.name()).await
}

/// Waits for the one fact about a refund under a subject of the provider's.
pub(crate) async fn told_by_provider(world: &World, subject: &str, refund: &Refund) -> Fact {
    only(world, subject, "outRefundNo", refund.out_refund_no()).await
}

async fn only(world: &World, subject: &str, field: &str, value: &str) -> Fact {
    let facts = eventually(&format!("{subject} tells about {value}"), async || {
        let mut facts = world.facts(subject).await;
        facts.retain(|fact| fact.text(field) == value);
        if facts.is_empty() { None } else { Some(facts) }
    })
    .await;
    let [fact] = <[Fact; 1]>::try_from(facts).expect("it is told once");
    fact
}

/// WeChat answers with this code and has done nothing.
pub(crate) fn code_word(code: &str) -> Fault {
    Fault::ErrorCode { code: code.to_owned(), executed: false }
}

/// From now on order-svc dies the first time that it passes this point.
pub(crate) async fn dies_at(world: &mut World, point: &str) {
    world.stop(Part::OrderSvc);
    world.options_mut().settings.push((Part::OrderSvc, "CRASH_AT".to_owned(), format!("{point}#1")));
    world.start(Part::OrderSvc).await;
}

/// Waits until order-svc has died, and starts it again.
pub(crate) async fn comes_back(world: &mut World) {
    eventually("order-svc dies", async || !world.runs(Part::OrderSvc)).await;
    world.options_mut().settings.pop();
    world.start(Part::OrderSvc).await;
}

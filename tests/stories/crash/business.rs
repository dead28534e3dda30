//! A flow of business: everything that can happen to an order and its money, done by patient people who call again when nobody
//! answers. It goes on while one of our processes dies and comes back.

use std::time::Duration;

use e2e::{
    Part, World, eventually,
    repairing::repair,
    sandbox_client::{CallbackState, Fault, FaultPoint, FaultRule, Pay, once},
    selling::{Cashier, MERCHANT, OTHER_MERCHANT, Order, PaymentState, State},
    streams::Backlog,
};
use proto::{
    bus::{durables_of, header},
    event::{RepairAction, RepairRequested},
    order::v1::{self, refund::State as RefundState},
};
use uuid::Uuid;

/// How long an order can be paid that is to expire.
const SHORT_LIFE_S: i64 = 600;
/// How long one can be paid that is to expire after the others.
const MIDDLE_LIFE_S: i64 = 1500;
/// How long an order can be paid that must not expire, however often time has to pass.
const LONG_LIFE_S: i64 = 3 * 24 * 3600;
/// When short orders are over, attempts can be closed, and all of that is due.
const LATER: Duration = Duration::from_mins(15);
/// What is not done then is done after some more of these.
const SOME_TIME: Duration = Duration::from_secs(20);

/// Dead letters that one flow of business leaves.
pub(super) const DEAD_LETTERS: usize = 2;

/// Lets a world do business. Returns when every order of it has ended and every payment has been told.
pub(super) async fn business(world: &World) {
    let order = |life_s| async move { world.create_order(100).expires_in_s(life_s).await };
    let cashier = |life_s| async move { order(life_s).await.pay_by_openid().await };
    let two_cashiers = || async {
        let order = order(LONG_LIFE_S).await;
        (order.pay_by_openid().await, order.jsapi().await)
    };
    // What is given back is back as soon as WeChat is asked about it.
    world.sandbox.set_settle_delay(Some(Duration::ZERO)).await;
    let (told, asked, asked_too, given_up, late) = tokio::join!(
        cashier(LONG_LIFE_S),
        cashier(LONG_LIFE_S),
        cashier(LONG_LIFE_S),
        cashier(LONG_LIFE_S),
        cashier(SHORT_LIFE_S),
    );
    let (left_alone, left_alone_longer) = tokio::join!(order(SHORT_LIFE_S), order(MIDDLE_LIFE_S));
    let (superseded, twice) = tokio::join!(two_cashiers(), two_cashiers());
    let (too_little, too_much) = tokio::join!(cashier(SHORT_LIFE_S), cashier(SHORT_LIFE_S));

    // Payments that only asking finds; their callbacks come later.
    for asked in [&asked, &asked_too] {
        let number = Some(asked.out_trade_no().to_owned());
        world.sandbox.fault(FaultRule { out_trade_no: number, ..once(FaultPoint::Callback, Fault::Lose) }).await;
        asked.pay().await;
        asked.order().becomes_when_asked(State::Paid).await;
    }

    // One that is told; two for one order; two that nobody asked for.
    told.pay().await;
    tokio::join!(twice.0.pay(), twice.1.pay());
    too_little.pay_as(Pay { amount_fen: Some(1), ..Pay::default() }).await;
    too_much.pay_as(Pay { amount_fen: Some(10_000), ..Pay::default() }).await;
    for cashier in [&told, &asked, &asked_too, &twice.0, &twice.1, &too_little, &too_much] {
        is_told(world, cashier).await;
    }
    told.order().becomes(State::Paid).await;
    has_surplus(twice.0.order()).await;

    // Money goes back: what a team asks for, and what an order cannot keep.
    let (all, part) = (told.order().refund(100).await, asked.order().refund(30).await);
    for refunded in [all.order(), part.order(), twice.0.order()] {
        is_back(world, refunded).await;
    }
    told.order().becomes(State::Refunded).await;
    asked.order().becomes(State::PartiallyRefunded).await;

    Box::pin(repairs(world, &told, &asked_too)).await;

    // Orders and attempts end.
    given_up.order().close().await;
    pass(world, LATER).await;
    in_time(world, &left_alone, "it is closed", |order| order.state() == State::Closed).await;
    for cashier in [&given_up, &late, &too_little, &too_much] {
        in_time(world, cashier.order(), "it is closed", |order| order.state() == State::Closed).await;
    }
    let closed = |payment: &v1::Payment| payment.state() == PaymentState::Closed;
    in_time(world, superseded.0.order(), "its first attempt is closed", |order| order.payments.iter().any(closed))
        .await;

    // The last word has whoever pays.
    superseded.1.pay().await;
    late.pay_as(Pay { in_cashier: true, ..Pay::default() }).await;
    for cashier in [&superseded.1, &late] {
        is_told(world, cashier).await;
    }
    superseded.1.order().becomes(State::Paid).await;
    has_surplus(late.order()).await;
    is_back(world, late.order()).await;
    order(LONG_LIFE_S).await.close().await;
    pass(world, LATER).await;
    in_time(world, &left_alone_longer, "it is closed", |order| order.state() == State::Closed).await;
}

/// What reconciliation would ask for, where it does not take part itself: one payment is asked about, and one refund of the
/// merchant platform comes into the books.
async fn repairs(world: &World, told: &Cashier, given_back: &Cashier) {
    if world.options().reconcile {
        return; // It knows of no difference that these could be about.
    }
    is_repaired(world, &repair(RepairAction::QueryPayment, told)).await;
    let made = world.sandbox.refund_at_platform(given_back.out_trade_no(), Some(20)).await;
    let import = RepairRequested {
        code: "R1".to_owned(),
        out_refund_no: made.out_refund_no,
        refund_id: made.refund_id,
        ..repair(RepairAction::ImportRefund, given_back)
    };
    is_repaired(world, &import).await;
    is_back(world, given_back.order()).await;
}

/// Waits until a repair is answered, and lets some time pass again and again: who dies while doing it holds it for a while.
async fn is_repaired(world: &World, request: &RepairRequested) {
    world.ask_for_repair(request).await;
    eventually("a repair is answered", async || {
        if world.answer_of(request).await.is_some() {
            return Ok(());
        }
        pass(world, SOME_TIME).await;
        Err("it is not")
    })
    .await;
}

/// Lets finance compare the day's bills on the next morning, and strangers write nonsense that no books can hold.
pub(super) async fn bookkeeping(world: &World) {
    let streams = world.streams().await;
    for _ in 0..DEAD_LETTERS {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert(header::ID, format!("nonsense:{}", Uuid::new_v4()));
        let sent = streams.jetstream().publish_with_headers("order.v1.nonsense.shop", headers, "{}".into()).await;
        sent.expect("the bus answers").await.expect("the stream takes everything below order.v1");
    }
    world.books_are_written().await;
    world.pass_to_next_day(10, 30).await;
    let day = world.yesterday().await;
    for merchant in [MERCHANT, OTHER_MERCHANT] {
        world.reconcile_day(merchant, day).await;
    }
}

/// Lets everything come to its end that business has left on its way. Whoever dies meanwhile must come back.
pub(super) async fn settle(world: &World) {
    world.sandbox.clear_faults().await;
    eventually("every callback is delivered", async || {
        let callbacks = world.sandbox.ledger().await.callbacks;
        let waiting: Vec<_> = callbacks.iter().filter(|of| of.state != CallbackState::Delivered).collect();
        if waiting.iter().any(|callback| callback.state == CallbackState::Waiting) {
            pass(world, SOME_TIME).await;
        }
        if waiting.is_empty() { Ok(()) } else { Err(format!("{waiting:?}")) }
    })
    .await;
    let mut owners = vec![("order-svc", world.postgres.pool("orders"))];
    if world.options().reconcile {
        owners.push(("reconcile-svc", world.postgres.pool("reconcile")));
    }
    let streams = world.streams().await;
    for (owner, database) in owners {
        eventually(&format!("{owner} has done everything"), async || {
            for durable in durables_of(owner) {
                let backlog = streams.backlog(durable.name).await;
                if backlog != Some(Backlog { pending: 0, unacked: 0 }) {
                    return Err(format!("{} has {backlog:?}", durable.name));
                }
            }
            let waiting = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox").fetch_one(&database).await;
            match waiting.map_err(|error| error.to_string())? {
                0 => Ok(()),
                waiting => Err(format!("{waiting} events wait in its outbox")),
            }
        })
        .await;
        database.close().await;
    }
}

/// Everybody's dead letters of one flow, by who takes part.
pub(super) fn dead_letters(part: Part) -> usize {
    if part == Part::ReconcileSvc { 2 * DEAD_LETTERS } else { DEAD_LETTERS }
}

/// Lets time pass when everybody is there: the time that one needs to come back must not be a day for the others.
async fn pass(world: &World, time: Duration) {
    world.all_ready().await;
    world.pass(time).await;
}

/// Waits until WeChat has read success for a payment, and lets some time pass after each attempt that was refused.
async fn is_told(world: &World, cashier: &Cashier) {
    eventually("WeChat has told about a payment", async || {
        let callback = cashier.attempted(1).await;
        if callback.state == CallbackState::Delivered {
            return Ok(());
        }
        pass(world, SOME_TIME).await;
        Err(format!("{callback:?}"))
    })
    .await;
}

/// Waits until an order has a payment that it cannot keep.
async fn has_surplus(order: &Order) {
    eventually("a payment is a surplus", async || order.now().await.payments.iter().any(|payment| payment.surplus))
        .await;
}

/// Waits until every refund of an order, at least one, is back with its payer, and lets some time pass again and again.
async fn is_back(world: &World, order: &Order) {
    eventually("the money is back", async || {
        let refunds = order.refunds().await;
        if !refunds.is_empty() && refunds.iter().all(|refund| refund.written().state() == RefundState::Succeeded) {
            return Ok(());
        }
        pass(world, SOME_TIME).await;
        Err(format!("{refunds:?}"))
    })
    .await;
}

/// Lets some time pass again and again until it holds for an order: a process that dies while it attends to an attempt leaves
/// its turn where the claim has moved it.
async fn in_time(world: &World, order: &Order, what: &str, holds: impl Fn(&v1::Order) -> bool) {
    eventually(what, async || {
        let now = order.now().await;
        if holds(&now) {
            return Ok(());
        }
        pass(world, SOME_TIME).await;
        Err(format!("{now:?}"))
    })
    .await;
}

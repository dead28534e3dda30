use std::sync::Arc;

use jiff::Timestamp;
use money::Fen;
use tokio::sync::oneshot;
use tracing::Span;

use super::*;
use crate::{
    api::{create_order::queue, replay::Named},
    domain::order::{Order, State},
    events,
};
use svc_kit::outbox::Sealed;

fn waiting(app: &str, request: u128, order_no: &str) -> (Waiting, oneshot::Receiver<Outcome>) {
    let named = Named { app: app.into(), request_id: Uuid::from_u128(request), rpc: RPC, content_sha256: [0; 32] };
    let order = Order {
        id: OrderId(Uuid::new_v4()),
        app: app.into(),
        order_no: order_no.into(),
        merchant: "acme".into(),
        amount: Fen::new(1),
        description: "tea".into(),
        particulars: None,
        product_code: None,
        state: State::Pending,
        create_time: Timestamp::UNIX_EPOCH,
        expire_time: Timestamp::MAX,
        close_requested_at: None,
        version: 1,
    };
    let event = Sealed::of(&events::order_created(&order), "order-svc").expect("an event");
    let draft = Arc::new(Draft { named, order, response: Vec::new(), event, span: Span::none() });
    let (answer, answered) = oneshot::channel();
    (queue::Waiting { draft, answer }, answered)
}

fn numbers(waiting: &[Waiting]) -> Vec<&str> {
    waiting.iter().map(|one| one.draft.order.order_no.as_str()).collect()
}

#[test]
fn no_two_of_one_transaction_share_a_request_id_or_an_order_no() {
    let (all, _callers): (Vec<_>, Vec<_>) = [
        waiting("shop", 1, "a"),
        waiting("shop", 1, "b"),
        waiting("shop", 2, "a"),
        waiting("cafe", 1, "a"),
        // Nothing of those that were set apart is in the transaction.
        waiting("shop", 3, "b"),
        waiting("shop", 2, "c"),
    ]
    .into_iter()
    .unzip();
    let (first, again) = apart(all);
    assert_eq!(numbers(&first), ["a", "a", "b", "c"]);
    assert_eq!(numbers(&again), ["b", "a"]);
}

#[test]
fn nothing_is_written_for_whoever_went_away_while_waiting() {
    let ((gone, caller), (stays, _caller)) = (waiting("shop", 1, "a"), waiting("shop", 1, "a"));
    drop(caller);
    let (first, again) = apart(vec![gone, stays]);
    assert_eq!((first.len(), again.len()), (1, 0));
}

//! `WatchOrder`: the order now, and again at each change, until it is final.

use std::{pin::Pin, time::Duration};

use proto::{
    error::ErrorReason,
    order::v1::{self, WatchOrderRequest, order},
};
use svc_kit::refusal::{Violations, refuse as refusal};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status, codegen::tokio_stream::Stream};

use super::{Api, fields, get_order, refuse};

/// A watch ends after this long; whoever still waits asks again.
const LONGEST: Duration = Duration::from_mins(10);
/// Changes that wait for a slow reader; after that it is asked to keep up.
const WAITING: usize = 4;

type Orders = Pin<Box<dyn Stream<Item = Result<v1::Order, Status>> + Send>>;

pub(super) async fn handle(api: &Api, request: Request<WatchOrderRequest>) -> Result<Orders, Status> {
    let app = api.apps.caller(request.metadata())?;
    let mut violations = Violations::new();
    let id = fields::order_name(&request.into_inner().name, &mut violations);
    violations.finish()?;
    let id = id.ok_or_else(|| refuse::internal("a violation was not told"))?;
    // Followed before it is read, so that no change falls between the two.
    let following = api.watchers.follow(id);
    let mut following = following.ok_or_else(|| {
        refusal(Code::ResourceExhausted, ErrorReason::Overloaded.word(), "too many orders are watched; retry later", [])
    })?;
    let first = get_order::read(api, &app, id).await?;

    let (sender, receiver) = mpsc::channel(WAITING);
    let api = api.clone();
    tokio::spawn(async move {
        let mut seen = first.version;
        let mut last = is_final(&first);
        if sender.send(Ok(first)).await.is_err() {
            return;
        }
        let deadline = tokio::time::Instant::now() + LONGEST;
        while !last {
            let stopping = tokio::select! {
                changed = following.versions.wait_for(|version| seen < *version) => changed.is_err(),
                () = tokio::time::sleep_until(deadline) => return,
                () = sender.closed() => return,
            };
            if stopping {
                let status = refuse::try_again("this process stops; watch the order again");
                let _ = sender.send(Err(status)).await; // The reader may have left; nothing else to do.
                return;
            }
            let order = match get_order::read(&api, &app, id).await {
                Ok(order) => order,
                Err(status) => {
                    let _ = sender.send(Err(status)).await; // The reader may have left; nothing else to do.
                    return;
                }
            };
            seen = order.version;
            last = is_final(&order);
            if sender.send(Ok(order)).await.is_err() {
                return;
            }
        }
    });
    Ok(Box::pin(ReceiverStream::new(receiver)))
}

fn is_final(order: &v1::Order) -> bool {
    match order.state() {
        order::State::Paid | order::State::Closed | order::State::PartiallyRefunded | order::State::Refunded => true,
        order::State::Pending | order::State::Unspecified => false,
    }
}

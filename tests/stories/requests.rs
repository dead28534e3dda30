//! A request id names one request for ever: the same answer to the same content, a refusal to any other.

mod at_once;
mod conflict;
mod replay;

use e2e::{eventually, selling::Team};
use proto::{
    error::ErrorReason,
    order::v1::{ListOrdersRequest, Order},
};
use svc_kit::refusal::reason_of;
use tonic::{Response, Status};
use uuid::Uuid;

/// Calls until there is an answer of order-svc: a connection to a process that has ended, or a database with many callers at
/// once, asks for another try.
pub(crate) async fn patient<T>(call: impl AsyncFn() -> Result<Response<T>, Status>) -> Result<T, Status> {
    let answer = eventually("an answer", async || match call().await {
        Err(status) if [None, Some(ErrorReason::TryAgain.word().to_owned())].contains(&reason_of(&status)) => {
            Err(status)
        }
        answer => Ok(answer),
    });
    Ok(answer.await?.into_inner())
}

/// Every order of a team. The checker sees to it that each is told once.
async fn orders_of(team: &Team) -> Vec<Order> {
    team.list(ListOrdersRequest::default()).await.orders
}

pub(crate) fn new_id() -> String {
    Uuid::new_v4().to_string()
}

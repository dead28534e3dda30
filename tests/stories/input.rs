//! What bad input gets: every wrong field at once, and nothing written. Good input at its limits is taken.

mod callers;
mod creating;
mod paying;
mod reading;

use e2e::selling::Team;
use proto::order::v1::{self, ListOrdersRequest};

/// Names that look like an order's and are none.
const MALFORMED_NAMES: [&str; 6] = [
    "",
    "orders/",
    "orders/7",
    "0198c5f2-0000-7000-8000-000000000001",
    "orders/0198C5F2-0000-7000-8000-000000000001",
    "orders/0198c5f2-0000-7000-8000-000000000001/payments/0198c5f2-0000-7000-8000-000000000002",
];

async fn all_of(team: &Team) -> Vec<v1::Order> {
    team.list(ListOrdersRequest::default()).await.orders
}

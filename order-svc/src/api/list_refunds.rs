//! `ListRefunds`: pages of one order's refunds, oldest first.

use proto::order::v1::{ListRefundsRequest, ListRefundsResponse};
use svc_kit::refusal::Violations;
use tonic::{Request, Status};

use super::{Api, answer, fields, refuse};
use crate::{
    domain::{OrderId, RefundId},
    store::{orders, refunds},
};

/// When the caller does not say.
const DEFAULT_PAGE: i32 = 50;
/// Largest page.
const MAX_PAGE: i32 = 200;

pub(super) async fn handle(api: &Api, request: Request<ListRefundsRequest>) -> Result<ListRefundsResponse, Status> {
    let app = api.apps.caller(request.metadata())?;
    let (order, after, size) = check(&request.into_inner())?;
    let failed = |error: sqlx::Error| refuse::database(&error);
    let mut conn = api.life.pool.acquire().await.map_err(failed)?;
    if orders::get(&mut conn, &app, order).await.map_err(failed)?.is_none() {
        return Err(refuse::order_not_found(order));
    }
    // One more than the page tells whether there is another.
    let mut found = refunds::list(&mut conn, order, after, i64::from(size) + 1).await.map_err(failed)?;
    let more = usize::try_from(size).is_ok_and(|size| size < found.len());
    if more {
        found.pop();
    }
    let next_page_token = found.last().filter(|_| more).map(|last| last.id.name(order)).unwrap_or_default();
    Ok(ListRefundsResponse { refunds: found.iter().map(answer::refund).collect(), next_page_token })
}

fn check(request: &ListRefundsRequest) -> Result<(OrderId, Option<RefundId>, i32), Status> {
    let mut violations = Violations::new();
    let order: Option<OrderId> = request.order.parse().ok();
    violations.check(order.is_some(), "order", "must look like orders/{uuid}, as CreateOrder returned it");
    let size = if request.page_size == 0 { DEFAULT_PAGE } else { request.page_size };
    violations.check(
        (1..=MAX_PAGE).contains(&size),
        "page_size",
        format!("must be 1 to {MAX_PAGE}, or 0 for {DEFAULT_PAGE}"),
    );
    // The token is the name of the refund where the page before ended, so it says of which order it is.
    let after = Some(request.page_token.as_str()).filter(|token| !token.is_empty()).map(fields::refund_name);
    violations.check(
        after.is_none_or(|named| named.is_some_and(|(of, _)| Some(of) == order)),
        "page_token",
        "must be the next_page_token of the page before, with every other field the same",
    );
    violations.finish()?;
    let order = order.ok_or_else(|| refuse::internal("a violation was not told"))?;
    Ok((order, after.flatten().map(|(_, id)| id), size))
}

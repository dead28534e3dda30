//! `ListOrders`: pages of one team's orders, newest first.

use proto::{
    order::v1::{ListOrdersRequest, ListOrdersResponse, order},
    time::from_wire,
};
use svc_kit::refusal::Violations;
use tonic::{Request, Status};

use super::{Api, answer, fields, pages, refuse};
use crate::{
    domain::OrderId,
    store::orders::{self, Filter},
};

pub(super) async fn handle(api: &Api, request: Request<ListOrdersRequest>) -> Result<ListOrdersResponse, Status> {
    let app = api.apps.caller(request.metadata())?;
    let request = request.into_inner();
    let seal = seal(&app, &request);
    let (filter, size) = check(&request, &seal)?;
    let found = async {
        let mut conn = api.life.pool.acquire().await?;
        // One more than the page tells whether there is another.
        orders::list(&mut conn, &app, &filter, i64::from(size) + 1).await
    };
    let mut found = found.await.map_err(|error| refuse::database(&error))?;
    let next_page_token = pages::cut(&mut found, size, &seal, |order| order.id.0);
    Ok(ListOrdersResponse { orders: found.iter().map(|order| answer::order(order, &[])).collect(), next_page_token })
}

fn check(request: &ListOrdersRequest, seal: &str) -> Result<(Filter, i32), Status> {
    let mut violations = Violations::new();
    let size = pages::size(request.page_size, &mut violations);
    let merchant = Some(request.merchant.clone()).filter(|name| !name.is_empty());
    violations.check(
        merchant.as_deref().is_none_or(fields::is_merchant_name),
        "merchant",
        "must be the name of a merchant account, [a-z0-9-]{1,32}, or absent",
    );
    let order_no = Some(request.order_no.clone()).filter(|number| !number.is_empty());
    violations.check(
        order_no.as_deref().is_none_or(fields::is_order_no),
        "order_no",
        "must be 1 to 64 of [0-9A-Za-z_.:-], or absent",
    );
    let state = match order::State::try_from(request.state) {
        Ok(order::State::Unspecified) => None,
        Ok(order::State::Pending) => Some("PENDING"),
        Ok(order::State::Paid) => Some("PAID"),
        Ok(order::State::Closed) => Some("CLOSED"),
        Ok(order::State::PartiallyRefunded) => Some("PARTIALLY_REFUNDED"),
        Ok(order::State::Refunded) => Some("REFUNDED"),
        Err(_) => {
            violations.push("state", "is not a state that this release knows");
            None
        }
    };
    let mut instant = |field: &str, wire: &Option<_>| {
        let instant = wire.as_ref().map(from_wire);
        violations.check(instant != Some(None), field, "must be a valid instant, or absent");
        instant.flatten()
    };
    let created_from = instant("created_from", &request.created_from);
    let created_before = instant("created_before", &request.created_before);
    let before = pages::before(&request.page_token, seal, &mut violations).map(OrderId);
    violations.finish()?;
    Ok((Filter { state, merchant, order_no, created_from, created_before, before }, size))
}

/// Binds a page token to the team and the filter that it was made for.
fn seal(app: &str, request: &ListOrdersRequest) -> String {
    let same = ListOrdersRequest { page_token: String::new(), page_size: 0, ..request.clone() };
    pages::seal(app, &same)
}

#[cfg(test)]
mod tests {
    use proto::order::v1::ListOrdersRequest;
    use tonic_types::StatusExt as _;

    use super::{check, seal};

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let request = ListOrdersRequest {
            page_size: 201,
            merchant: "No!".into(),
            order_no: "a b".into(),
            state: 99,
            page_token: "x".into(),
            created_from: Some(pbjson_types::Timestamp { seconds: 0, nanos: -1 }),
            ..ListOrdersRequest::default()
        };
        let status = check(&request, &seal("shop", &request)).expect_err("wrong");
        let fields: Vec<_> = status
            .get_details_bad_request()
            .expect("a bad request")
            .field_violations
            .into_iter()
            .map(|violation| violation.field)
            .collect();
        assert_eq!(fields, ["page_size", "merchant", "order_no", "state", "created_from", "page_token"]);
    }

    #[test]
    fn a_page_token_fits_only_its_own_team_and_filter() {
        let request = ListOrdersRequest { merchant: "acme-mini".into(), ..ListOrdersRequest::default() };
        let token = format!("{}.{}", uuid::Uuid::from_u128(7).simple(), seal("shop", &request));
        let next = ListOrdersRequest { page_token: token, page_size: 7, ..request };
        assert!(check(&next, &seal("shop", &next)).is_ok());
        assert!(check(&next, &seal("other", &next)).is_err());
        let other = ListOrdersRequest { merchant: "acme-shop".into(), ..next };
        assert!(check(&other, &seal("shop", &other)).is_err());
    }
}

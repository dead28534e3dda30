//! What is not given back: more than was paid, too late, or money that is not there.

use std::{collections::BTreeSet, time::Duration};

use e2e::{
    Options,
    selling::{PaymentState, RefundState, State},
    story,
};
use futures::future::join_all;
use proto::{
    error::ErrorReason,
    order::v1::{CreateRefundRequest, GetRefundRequest, ListRefundsRequest},
};
use tonic::Code;
use uuid::Uuid;

use super::{arrives, money, one_by_one, sold};
use crate::refused::{metadata, refused, wrong_fields};

/// Callers at one time.
const CALLERS: usize = 12;
/// A year and a day.
const A_YEAR: Duration = Duration::from_hours(366 * 24);

#[test]
fn refunds_that_together_are_more_than_the_payment_never_go_through_together() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let sold = sold(world, 100).await;
        let order = sold.order();
        let more =
            refused(order.refund(101).attempt().await, Code::FailedPrecondition, ErrorReason::RefundExceedsPayment);
        assert_eq!(metadata(&more, "left_fen"), "100");

        let at_once: Vec<_> = (0..CALLERS).map(|_| order.refund(30)).collect();
        let answers = join_all(at_once.iter().map(e2e::selling::Refunding::attempt)).await;
        let (given, over): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(given.len(), 3);
        for answer in over {
            let status = refused(answer, Code::FailedPrecondition, ErrorReason::RefundExceedsPayment);
            assert!(["100", "70", "40", "10"].contains(&metadata(&status, "left_fen").as_str()));
        }
        assert_eq!(money(order).await, (State::Paid, 0, 90));
        let last = order.refund(10).await;
        refused(order.refund(1).attempt().await, Code::FailedPrecondition, ErrorReason::RefundExceedsPayment);

        one_by_one(world, order).await;
        assert_eq!((last.now().await.state(), money(order).await), (RefundState::Succeeded, (State::Refunded, 100, 0)));
        let there = world.sandbox.refunds(sold.out_trade_no()).await;
        assert_eq!((there.len(), there.iter().map(|refund| refund.amount_fen).sum::<i64>()), (4, 100));
        refused(order.refund(1).attempt().await, Code::FailedPrecondition, ErrorReason::RefundExceedsPayment);
    });
}

#[test]
fn a_payment_has_fifty_refunds_and_no_more() {
    story(Options::default(), async |world| {
        let sold = sold(world, 100).await;
        let all: Vec<_> = (0..60).map(|_| sold.order().refund(1)).collect();
        let answers = join_all(all.iter().map(e2e::selling::Refunding::attempt)).await;
        let (given, over): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!((given.len(), sold.order().refunds().await.len()), (50, 50));
        for answer in over {
            refused(answer, Code::FailedPrecondition, ErrorReason::TooManyRefunds);
        }
    });
}

#[test]
fn a_payment_of_more_than_a_year_ago_is_not_refunded_any_more() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let sold = sold(world, 100).await;
        // Asked for in time, it is carried out.
        let in_time = sold.order().refund(60).await;
        in_time.becomes(RefundState::Processing).await;
        world.pass(A_YEAR).await;
        let late = sold.order().refund(40).attempt().await;
        refused(late, Code::FailedPrecondition, ErrorReason::RefundTooLate);
        arrives(world, &in_time).await;
        assert_eq!(money(sold.order()).await, (State::PartiallyRefunded, 60, 0));
    });
}

#[test]
fn an_order_without_money_has_nothing_to_give_back() {
    story(Options::default(), async |world| {
        let pending = world.open_cashier(100).await;
        let order = pending.order();
        let of_attempt = order.refund(100).of_payment(&pending.payment().name);
        for refunding in [order.refund(100), of_attempt] {
            let no = refused(refunding.attempt().await, Code::FailedPrecondition, ErrorReason::OrderNotRefundable);
            assert_eq!(metadata(&no, "state"), "PENDING");
        }
        let closed = world.create_order(100).await;
        assert_eq!(closed.close().await.state(), State::Closed);
        let no = refused(closed.refund(1).attempt().await, Code::FailedPrecondition, ErrorReason::OrderNotRefundable);
        assert_eq!(metadata(&no, "state"), "CLOSED");
        // A payment that nobody knows is none of this order's.
        let nobodys = format!("{}/payments/{}", order.name(), Uuid::new_v4());
        let no = order.refund(1).of_payment(&nobodys).attempt().await;
        refused(no, Code::FailedPrecondition, ErrorReason::OrderNotRefundable);
        assert_eq!((order.refunds().await.len(), closed.refunds().await.len()), (0, 0));
        assert_eq!(order.now().await.payments[0].state(), PaymentState::Pending);
        // A no is an answer: a slow copy of the request does not give back later what its caller was refused. A new one does.
        let refunding = order.refund(100);
        let no = refused(refunding.attempt().await, Code::FailedPrecondition, ErrorReason::OrderNotRefundable);
        pending.pay().await;
        order.becomes(State::Paid).await;
        let again = refused(refunding.attempt().await, Code::FailedPrecondition, ErrorReason::OrderNotRefundable);
        assert_eq!((again.message(), again.details()), (no.message(), no.details()));
        order.refund(100).await.becomes(RefundState::Processing).await;
    });
}

#[test]
fn every_wrong_field_is_named_and_another_teams_refund_is_not_there() {
    story(Options::default(), async |world| {
        let sold = sold(world, 100).await;
        let (order, mut orders) = (sold.order(), world.shop().orders());
        let right = order.refund(10).request();
        for (wrong, fields) in [
            (CreateRefundRequest { request_id: "x".into(), ..right.clone() }, vec!["request_id"]),
            (CreateRefundRequest { order: "orders/x".into(), ..right.clone() }, vec!["order"]),
            (CreateRefundRequest { amount_fen: 0, ..right.clone() }, vec!["amount_fen"]),
            (CreateRefundRequest { amount_fen: -1, ..right.clone() }, vec!["amount_fen"]),
            (CreateRefundRequest { reason: "茶".repeat(27), ..right.clone() }, vec!["reason"]),
            (CreateRefundRequest { reason: "a\nb".into(), ..right.clone() }, vec!["reason"]),
            (CreateRefundRequest { payment: "payments/x".into(), ..right.clone() }, vec!["payment"]),
            (
                CreateRefundRequest {
                    payment: format!("orders/{}/payments/{}", Uuid::new_v4(), Uuid::new_v4()),
                    ..right.clone()
                },
                vec!["payment"],
            ),
            (CreateRefundRequest::default(), vec!["request_id", "order", "amount_fen"]),
        ] {
            wrong_fields(orders.create_refund(wrong).await, &fields);
        }
        assert_eq!(order.refunds().await.len(), 0);

        let refund = orders.create_refund(right.clone()).await.expect("a right request").into_inner();
        let get = |name: &str, refresh| GetRefundRequest { name: name.to_owned(), refresh };
        let list = |order: &str, page_size, page_token: &str| ListRefundsRequest {
            order: order.to_owned(),
            page_size,
            page_token: page_token.to_owned(),
        };
        for name in ["", "refunds/x", order.name(), &refund.name.to_uppercase()] {
            wrong_fields(orders.get_refund(get(name, true)).await, &["name"]);
        }
        for (wrong, field) in [
            (list("x", 0, ""), "order"),
            (list(order.name(), -1, ""), "page_size"),
            (list(order.name(), 201, ""), "page_size"),
            (list(order.name(), 0, "x"), "page_token"),
            (list(order.name(), 0, &format!("orders/{}/refunds/{}", Uuid::new_v4(), Uuid::new_v4())), "page_token"),
        ] {
            wrong_fields(orders.list_refunds(wrong).await, &[field]);
        }

        let mut canteen = world.canteen().orders();
        let theirs = CreateRefundRequest { request_id: Uuid::new_v4().to_string(), ..right };
        refused(canteen.create_refund(theirs).await, Code::NotFound, ErrorReason::OrderNotFound);
        refused(canteen.list_refunds(list(order.name(), 0, "")).await, Code::NotFound, ErrorReason::OrderNotFound);
        let own = world.canteen().create_order(1).await;
        let id = refund.name.rsplit('/').next().expect("an id");
        for name in [refund.name.clone(), format!("{}/refunds/{id}", own.name())] {
            for refresh in [false, true] {
                let answer = canteen.get_refund(get(&name, refresh)).await;
                refused(answer, Code::NotFound, ErrorReason::RefundNotFound);
            }
        }
        let nobodys = get(&format!("{}/refunds/{}", order.name(), Uuid::new_v4()), true);
        refused(orders.get_refund(nobodys).await, Code::NotFound, ErrorReason::RefundNotFound);

        // Pages, oldest first, each refund once.
        let mut names = vec![refund.name];
        for amount_fen in 1..=4 {
            // Refunds of one millisecond have no order among themselves.
            world.pass(Duration::from_millis(10)).await;
            names.push(order.refund(amount_fen).await.name().to_owned());
        }
        let (mut listed, mut token) = (Vec::new(), String::new());
        loop {
            let page = orders.list_refunds(list(order.name(), 2, &token)).await.expect("a page").into_inner();
            assert!(page.refunds.len() <= 2);
            listed.extend(page.refunds.into_iter().map(|refund| refund.name));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, names);
        assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), 5);
    });
}

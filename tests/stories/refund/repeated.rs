//! One request, however often it is sent: one refund, one answer.

use e2e::{
    Options, Part,
    selling::{RefundState, State},
    story,
};
use futures::future::join_all;
use proto::{
    error::ErrorReason,
    order::v1::{CloseOrderRequest, CreateRefundRequest, Refund},
};
use tonic::{Code, Status};

use super::{A_MINUTE, arrives, at_wechat, comes_back, dies_at, money, sold};
use crate::{
    refused::{metadata, refused},
    requests::{new_id, patient},
};

/// Callers of one request at one time.
const CALLERS: usize = 16;

#[test]
fn identical_requests_at_once_make_one_refund_and_get_equal_answers_for_ever() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let sold = sold(world, 100).await;
        let (order, team) = (sold.order(), world.shop());
        let request = order.refund(40).request();
        let calls = (0..CALLERS).map(|_| patient(async || team.orders().create_refund(request.clone()).await));
        let answers: Result<Vec<Refund>, Status> = join_all(calls).await.into_iter().collect();
        let answers = answers.expect("each is answered");
        let first = &answers[0];
        assert!(answers.iter().all(|answer| answer == first), "{answers:?}");
        assert_eq!(first.state(), RefundState::Created);
        let again = async |when: &str| {
            let again = patient(async || team.orders().create_refund(request.clone()).await).await;
            assert_eq!(again.expect(when), *first, "{when}");
        };

        let refunds = order.refunds().await;
        let [refund] = refunds.as_slice() else { panic!("one refund: {refunds:?}") };
        refund.becomes(RefundState::Processing).await;
        again("once it was accepted").await;
        arrives(world, refund).await;
        again("once it is back").await;
        world.kill(Part::OrderSvc);
        world.start(Part::OrderSvc).await;
        again("after a crash").await;
        assert_eq!(at_wechat(world, refund).await.requests, 1);
        assert_eq!(world.sandbox.refunds(sold.out_trade_no()).await.len(), 1);
        assert_eq!((order.refunds().await.len(), money(order).await), (1, (State::PartiallyRefunded, 40, 0)));

        // The id means this and nothing else.
        for other in [
            CreateRefundRequest { amount_fen: 41, ..request.clone() },
            CreateRefundRequest { reason: "another".into(), ..request.clone() },
            CreateRefundRequest { payment: first.payment.clone(), ..request.clone() },
        ] {
            let answer = team.orders().create_refund(other).await;
            let status = refused(answer, Code::AlreadyExists, ErrorReason::RequestIdReused);
            assert_eq!(metadata(&status, "rpc"), "CreateRefund");
        }
        let close = CloseOrderRequest { request_id: request.request_id.clone(), name: order.name().to_owned() };
        let answer = team.orders().close_order(close).await;
        refused(answer, Code::AlreadyExists, ErrorReason::RequestIdReused);
        // The same content under another id is another refund.
        let second = CreateRefundRequest { request_id: new_id(), ..request };
        let second = team.orders().create_refund(second).await.expect("there is enough").into_inner();
        assert_ne!(second.name, first.name);
        assert_eq!(money(order).await, (State::PartiallyRefunded, 40, 40));
    });
}

#[test]
fn a_crash_between_writing_and_sending_neither_loses_a_refund_nor_doubles_it() {
    story(Options::default(), async |world| {
        world.sandbox.set_settle_delay(None).await;
        let points =
            ["order.refund.written", "order.refund.before_send", "order.refund.answered", "order.refund.committed"];
        for (count, point) in (1..).zip(points) {
            let sold = sold(world, 100).await;
            dies_at(world, point).await;
            let refunding = sold.order().refund(100);
            // Whether the caller hears of it depends on where it dies.
            let _ = refunding.attempt().await;
            comes_back(world).await;

            let refund = refunding.await;
            // A claim that died with its process is free after a minute of the database's clock, which no command moves.
            claims_end(world).await;
            world.pass(A_MINUTE).await;
            refund.becomes(RefundState::Processing).await;
            assert_eq!(world.sandbox.refunds(sold.out_trade_no()).await.len(), 1, "{point}");
            arrives(world, &refund).await;
            world.tells("order.v1.order.refunded.shop", count).await;
            assert_eq!(sold.order().refunds().await.len(), 1, "{point}");
        }
    });
}

async fn claims_end(world: &e2e::World) {
    let orders = world.postgres.pool("orders");
    let ended = sqlx::query("UPDATE refunds SET claimed_until = now() WHERE claimed_until IS NOT NULL");
    ended.execute(&orders).await.expect("the database answers");
    orders.close().await;
}

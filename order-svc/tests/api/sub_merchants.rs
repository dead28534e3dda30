//! Service-provider mode: who the sub-merchant is stands in every word to the provider, and must stand in every word of it.

use proto::order::v1::pay_order_request::Method;
use proto::order::v1::*;

use crate::gateway::{PROVIDER_MCH_ID, SUB_MCH_ID, SUB_MERCHANT};
use crate::harness::{World, id, of, pay_order};

#[tokio::test(flavor = "multi_thread")]
async fn the_sub_merchant_is_named_in_every_call_and_event() {
    let world = World::start().await;
    let order = world.ordered(|request| request.merchant = SUB_MERCHANT.into()).await;
    world.pay(pay_order(&order, Method::Native(Native::default()))).await.expect("prepaid");
    let sent = world.gateway.prepays().pop().expect("it was sent");
    assert_eq!((sent.mch_id.as_str(), sent.sub_mch_id.as_str()), (PROVIDER_MCH_ID, SUB_MCH_ID));
    let created = world.message("ORDER", "order.v1.payment.created.shop").await;
    assert_eq!(created["subMchId"], SUB_MCH_ID);

    let request = GetOrderRequest { name: order.name.clone(), refresh: true };
    world.client.clone().get_order(of("shop", request)).await.expect("asked");
    assert_eq!(world.gateway.payment_queries()[0].sub_mch_id, SUB_MCH_ID);

    world.paid(|_| {}).await;
    world.order_becomes(&order.name, order::State::Paid).await;
    let request = CreateRefundRequest {
        request_id: id(),
        order: order.name.clone(),
        amount_fen: 40,
        ..CreateRefundRequest::default()
    };
    world.client.clone().create_refund(of("shop", request)).await.expect("a refund");
    world.until("the refund is sent", async || (!world.gateway.refunds().is_empty()).then_some(())).await;
    assert_eq!(world.gateway.refunds()[0].sub_mch_id, SUB_MCH_ID);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_for_another_sub_merchant_pays_nothing_and_a_person_must_look() {
    let world = World::start().await;
    let order = world.ordered(|request| request.merchant = SUB_MERCHANT.into()).await;
    world.pay(pay_order(&order, Method::Native(Native::default()))).await.expect("prepaid");
    world.paid(|fact| fact.sub_mch_id = "1900000004".into()).await;
    let dead = world.message("DEAD", "dead.v1.order-svc-pay").await;
    assert_eq!(dead["subMchId"], "1900000004");
    assert_eq!(world.order(&order.name).await.state(), order::State::Pending);
    assert_eq!(world.count("SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL").await, 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_under_the_providers_app_is_paid_although_the_notice_names_an_app_of_the_sub_merchant() {
    let world = World::start().await;
    let order = world.ordered(|request| request.merchant = SUB_MERCHANT.into()).await;
    world.pay(pay_order(&order, Method::Native(Native::default()))).await.expect("prepaid");
    world
        .paid(|fact| {
            fact.service_provider_app_id = std::mem::replace(&mut fact.app_id, "wx0000000000000999".into());
        })
        .await;
    world.order_becomes(&order.name, order::State::Paid).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_an_earlier_release_writes_has_the_sub_merchant_of_its_payment() {
    let world = World::start().await;
    let order = world.ordered(|request| request.merchant = SUB_MERCHANT.into()).await;
    world.pay(pay_order(&order, Method::Native(Native::default()))).await.expect("prepaid");
    sqlx::query(
        "INSERT INTO refunds (refund_id, order_id, payment_id, merchant, provider, mch_id, app_id, transaction_id, total_fen,
                              amount_fen, cause, reason, state, create_time)
         SELECT gen_random_uuid(), order_id, payment_id, merchant, provider, mch_id, app_id, '42', amount_fen, 1, 'REQUESTED', '',
                'REJECTED', now() FROM payments",
    )
    .execute(&world.pool)
    .await
    .expect("as 0003 knows the table");
    assert_eq!(world.count("SELECT count(*) FROM refunds WHERE sub_mch_id = '1900000003'").await, 1);
    world.end().await;
}

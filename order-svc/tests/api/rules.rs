//! What the tables of orders refuse by themselves, whatever a statement believes.

use proto::order::v1::{pay_order_request::Method, *};
use sqlx::postgres::PgQueryResult;

use crate::gateway::MINI;
use crate::harness::{World, pay_order};

/// The rule that refused a statement; `None` when it was taken.
fn refused(answer: sqlx::Result<PgQueryResult>) -> Option<String> {
    let error = answer.err()?;
    let error = error.as_database_error().expect("the database answers");
    Some(error.constraint().expect("it names a rule").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_or_a_merchant_is_named_by_1_to_32_small_letters_digits_and_dashes() {
    let world = World::start().await;
    world.ordered(|_| {}).await;
    for (column, sql) in [("app", "UPDATE orders SET app = $1"), ("merchant", "UPDATE orders SET merchant = $1")] {
        let long = "a".repeat(33);
        for wrong in ["", "Shop", "a b", "a\n", "\na", "a_b", "茶", &long] {
            let answer = sqlx::query(sql).bind(wrong).execute(&world.pool).await;
            assert_eq!(refused(answer), Some(format!("orders_{column}_check")), "{wrong:?}");
        }
        for right in ["a", "0-9", &long[..32]] {
            assert_eq!(refused(sqlx::query(sql).bind(right).execute(&world.pool).await), None, "{right}");
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_of_one_order_of_an_app_and_a_transaction_pays_one_attempt_of_an_account() {
    let world = World::start().await;
    for _ in 0..2 {
        let order = world.ordered(|_| {}).await;
        let method = Method::Native(Native { app_id: MINI.into(), ..Native::default() });
        world.pay(pay_order(&order, method)).await.expect("prepaid");
    }
    let number = "UPDATE orders SET order_no = 'S-7'";
    assert_eq!(refused(sqlx::query(number).execute(&world.pool).await).as_deref(), Some("orders_app_order_no_key"));
    let another_app = "UPDATE orders SET app = 'another' WHERE order_id = (SELECT order_id FROM orders LIMIT 1)";
    assert_eq!(refused(sqlx::query(another_app).execute(&world.pool).await), None);
    assert_eq!(refused(sqlx::query(number).execute(&world.pool).await), None);

    let paid = "UPDATE payments SET state = 'SUCCEEDED', transaction_id = '42', paid_time = now(), next_ask_at = NULL";
    let answer = sqlx::query(paid).execute(&world.pool).await;
    assert_eq!(refused(answer).as_deref(), Some("one_attempt_per_transaction"));
    let another_account =
        "UPDATE payments SET mch_id = '1' WHERE payment_id = (SELECT payment_id FROM payments LIMIT 1)";
    assert_eq!(refused(sqlx::query(another_account).execute(&world.pool).await), None);
    assert_eq!(refused(sqlx::query(paid).execute(&world.pool).await), None);
    world.end().await;
}

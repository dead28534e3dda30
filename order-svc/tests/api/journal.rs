//! The journal of states is the database's own: whoever changes a row, by whatever statement, is written down or refused.

use proto::order::v1::{pay_order_request::Method, *};

use crate::gateway::MINI;
use crate::harness::{World, pay_order};

impl World {
    /// What the database says to a statement that it refuses.
    async fn refusal_of(&self, sql: &'static str) -> String {
        let answer = sqlx::raw_sql(sql).execute(&self.pool).await;
        answer.expect_err(sql).as_database_error().expect("the database refuses it").message().to_owned()
    }

    /// Two orders, of which the first has an attempt that waits for its payer.
    async fn two_orders(&self) -> Order {
        let (first, _second) = (self.ordered(|_| {}).await, self.ordered(|_| {}).await);
        let method = Method::Native(Native { app_id: MINI.into(), ..Native::default() });
        self.pay(pay_order(&first, method)).await.expect("prepaid");
        first
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_state_machine_allows_is_refused_with_all_of_its_statement_and_told_in_one_line() {
    let world = World::start().await;
    let order = world.two_orders().await;
    let id = order.name.trim_start_matches("orders/");
    let before = world.count("SELECT count(*) FROM state_changes").await;

    let close_both_by_one_version_too_many = "UPDATE orders SET state = 'CLOSED', close_time = now(), version = CASE version WHEN 3 THEN 5 ELSE version + 1 END";
    assert_eq!(
        world.refusal_of(close_both_by_one_version_too_many).await,
        format!("order {id} cannot go from PENDING version 3 to CLOSED version 5")
    );
    let without_a_version = "UPDATE orders SET state = 'CLOSED', close_time = now() WHERE version = 3";
    assert_eq!(
        world.refusal_of(without_a_version).await,
        format!("order {id} cannot go from PENDING version 3 to CLOSED version 3")
    );
    let backwards = "UPDATE orders SET version = version - 1 WHERE version = 3";
    assert_eq!(
        world.refusal_of(backwards).await,
        format!("order {id} cannot go from PENDING version 3 to PENDING version 2")
    );
    let refused = world.refusal_of("UPDATE payments SET state = 'CREATED'").await;
    assert!(refused.starts_with("payment ") && refused.ends_with(" cannot go from PENDING to CREATED"), "{refused}");

    assert_eq!(world.count("SELECT count(*) FROM state_changes").await, before, "nothing of it stays");
    assert_eq!(world.count("SELECT count(*) FROM orders WHERE state = 'PENDING'").await, 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_no_state_and_no_version_stands_in_no_line_and_what_is_legal_in_one_for_each_row() {
    let world = World::start().await;
    world.two_orders().await;
    let before = world.count("SELECT count(*) FROM state_changes").await;
    world.change("UPDATE payments SET last_ask_at = now(); UPDATE orders SET description = 'another tea'").await;
    assert_eq!(world.count("SELECT count(*) FROM state_changes").await, before);

    world.change("UPDATE orders SET version = version + 1").await;
    let lines = "SELECT count(*) FROM state_changes AS line JOIN orders AS o ON o.order_id = line.id
                 WHERE line.version = o.version AND line.from_state = 'PENDING' AND line.to_state = 'PENDING'";
    assert_eq!(world.count(lines).await, 2);
    assert_eq!(world.count("SELECT count(*) FROM state_changes").await, before + 2);
    world.end().await;
}

use order_svc::store::repairs;
use proto::event::{RepairAction, RepairRequested};
use proto::order::v1::order::State;

use super::{again, is_paid, of_payment};
use crate::harness::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_nobody_can_do_is_a_dead_letter_and_holds_up_no_other() {
    let world = World::start().await;
    let (_, sent) = world.prepaid().await;
    world.gateway.says(is_paid(&sent));
    let right = of_payment(RepairAction::QueryPayment, &sent.out_trade_no);
    let one_person =
        RepairRequested { requested_by: vec!["amy".into()], ..of_payment(RepairAction::RefundSurplus, "4") };
    let wrong = [
        of_payment(RepairAction::Unspecified, &sent.out_trade_no),
        RepairRequested { repair: "repairs/1".into(), ..again(&right) },
        RepairRequested { bill_date: "yesterday".into(), ..again(&right) },
        one_person,
    ];
    for request in &wrong {
        world.publish(request).await;
    }
    assert_eq!(world.repaired(&right).await.0, "APPLIED");
    let dead = world
        .until("every one is dead", async || {
            let dead = world.messages("DEAD", "dead.v1.order-svc-recon").await;
            (dead.len() == wrong.len()).then_some(dead)
        })
        .await;
    assert!(dead.iter().all(|letter| letter["repair"] != right.repair.as_str()));
    assert_eq!(world.count("SELECT count(*) FROM repairs").await, 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_nobody_can_be_asked_about_is_refused_at_once_with_the_reason() {
    let world = World::start().await;
    let (_, sent) = world.sold().await;
    let of_refund = |out_refund_no: &str| RepairRequested {
        code: "R1".to_owned(),
        out_refund_no: out_refund_no.to_owned(),
        ..of_payment(RepairAction::ImportRefund, &sent.out_trade_no)
    };
    for (number, reason) in [
        ("refund 1", "out_refund_no is not at most 64 printable ASCII characters, so the provider cannot be asked"),
        ("退款1", "out_refund_no is not"),
        ("1\0", "out_refund_no is not"),
        ("", "out_refund_no and refund_id are missing"),
    ] {
        let (outcome, detail) = world.repaired(&of_refund(number)).await;
        assert_eq!(outcome, "NOT_APPLICABLE", "{number:?}: {detail}");
        assert!(detail.starts_with(reason), "{number:?}: {detail}");
    }
    assert_eq!(world.messages("DEAD", "dead.v1.order-svc-recon").await.len(), 0);
    assert_eq!(world.count("SELECT count(*) FROM repairs WHERE outcome = 'NOT_APPLICABLE' AND attempts = 0").await, 4);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_answer_each_repair_once_and_do_one_of_them() {
    let mut world = World::start().await;
    world.second().await;
    let (order, sent) = world.prepaid().await;
    world.gateway.says(is_paid(&sent));
    let first = of_payment(RepairAction::QueryPayment, &sent.out_trade_no);
    let all: Vec<_> = std::iter::repeat_with(|| again(&first)).take(20).collect();
    for request in &all {
        world.publish(request).await;
    }
    let answers = world
        .until("all are answered", async || {
            let answers = world.messages("ORDER", "order.v1.repair.answered.acme").await;
            (all.len() <= answers.len()).then_some(answers)
        })
        .await;
    let of = |outcome: &str| answers.iter().filter(|answer| answer["outcome"] == outcome).count();
    assert_eq!((answers.len(), of("OUTCOME_APPLIED"), of("OUTCOME_CONFIRMED")), (20, 1, 19), "{answers:?}");
    assert_eq!(world.count("SELECT count(*) FROM repairs WHERE state = 'DONE'").await, 20);
    assert_eq!(world.order(&order.name).await.state(), State::Paid);
    assert_eq!(world.messages("ORDER", "order.v1.order.paid.shop").await.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repairs_that_were_answered_long_ago_are_forgotten_a_batch_at_a_time() {
    let world = World::start().await;
    let old = "INSERT INTO repairs (repair_id, discrepancy_id, merchant, bill_date, code, action, out_trade_no, transaction_id,
            out_refund_no, refund_id, bill_amount_fen, requested_by, state, create_time, deadline, next_turn, outcome, detail,
            answer_time)
        SELECT gen_random_uuid(), gen_random_uuid(), 'gone', '2025-01-01', 'P1', 'QUERY_PAYMENT', '4', '', '', '', 0, '{a}',
            CASE WHEN age IS NULL THEN 'WAITING' ELSE 'DONE' END, now() - interval '900 days', now() + interval '1 day',
            CASE WHEN age IS NULL THEN now() + interval '1 day' END, CASE WHEN age IS NOT NULL THEN 'GAVE_UP' END,
            CASE WHEN age IS NOT NULL THEN '' END, now() - make_interval(days => age)
        FROM UNNEST('{399,401,402,403,NULL}'::INTEGER[]) AS one (age)";
    sqlx::raw_sql(old).execute(&world.pool).await.expect("repairs");
    let mut conn = world.pool.acquire().await.expect("a connection");
    let ages = async || {
        let left = "SELECT EXTRACT(day FROM now() - answer_time)::INTEGER FROM repairs ORDER BY answer_time";
        sqlx::query_scalar::<_, Option<i32>>(left).fetch_all(&world.pool).await.expect("the rest")
    };
    for (removed, left) in [(2, &[Some(401), Some(399), None][..]), (1, &[Some(399), None]), (0, &[Some(399), None])] {
        assert_eq!(repairs::prune(&mut conn, 400, 2).await.expect("pruned"), removed);
        assert_eq!(ages().await, left, "what nobody has answered stays, however old it is");
    }
    drop(conn);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_cannot_be_undone() {
    let world = World::start().await;
    let (_, sent) = world.prepaid().await;
    world.gateway.says(is_paid(&sent));
    world.repaired(&of_payment(RepairAction::QueryPayment, &sent.out_trade_no)).await;
    for sql in [
        "UPDATE repairs SET state = 'WAITING', next_turn = now(), outcome = NULL, detail = NULL, answer_time = NULL",
        "UPDATE repairs SET outcome = 'CONFIRMED'",
    ] {
        assert!(sqlx::raw_sql(sql).execute(&world.pool).await.is_err(), "{sql}");
    }
    world.end().await;
}

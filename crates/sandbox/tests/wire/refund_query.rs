use std::time::Duration;

use money::Fen;
use sandbox::control::RefundState;
use wechat_pay::v2::{RefundList, RefundStatus};

use crate::harness::{ACME, Bench, TEA, outcome};

const PATH: &str = "/pay/refundquery";

async fn asked(bench: &Bench, fields: &[(&str, &str)]) -> RefundList {
    let answer = bench.post(PATH, &ACME.signed(fields)).await;
    assert_eq!(outcome(&answer), "SUCCESS", "{fields:?}");
    RefundList::parse(&answer).unwrap()
}

#[tokio::test]
async fn a_refund_is_found_by_each_of_its_numbers_and_the_more_exact_one_wins() {
    let bench = Bench::start().await;
    bench.settle_delay(None).await;
    let paid = bench.sell(&ACME, "A00000001", 1_000).await;
    let first = bench.refunded("A00000001", "R1", 1_000, 300).await.text("refund_id").unwrap().to_owned();
    bench.advance(Duration::from_mins(1)).await;
    bench.refunded("A00000001", "R2", 1_000, 200).await;
    let settled = bench.settle("R1", RefundState::Success).await;
    let wrong = "4200000000202001010000000009";
    for fields in [
        &[("refund_id", &*first), ("out_refund_no", "R2"), ("out_trade_no", "A00000009")][..],
        &[("out_refund_no", "R1"), ("transaction_id", wrong)],
    ] {
        let list = asked(&bench, fields).await;
        assert_eq!((&list.transaction_id, &*list.out_trade_no), (&paid.transaction_id, "A00000001"));
        assert_eq!((list.total_fee, list.total_refund_count), (Fen::new(1_000), Some(1)));
        let [refund] = list.refunds.as_slice() else { panic!("{list:?}") };
        assert_eq!((&*refund.out_refund_no, &refund.refund_id), ("R1", &first));
        assert_eq!((refund.refund_fee, &refund.status), (Fen::new(300), &RefundStatus::Success));
        assert_eq!(refund.succeeded_at, settled.settled_at);
    }
    for fields in [
        &[("transaction_id", &*paid.transaction_id), ("out_trade_no", "A00000009")][..],
        &[("out_trade_no", "A00000001")],
    ] {
        let list = asked(&bench, fields).await;
        let states: Vec<_> = list.refunds.iter().map(|refund| (&*refund.out_refund_no, &refund.status)).collect();
        assert_eq!(states, [("R1", &RefundStatus::Success), ("R2", &RefundStatus::Processing)]);
        assert_eq!(list.refunds[1].succeeded_at, None);
    }
}

#[tokio::test]
async fn the_refunds_of_an_order_come_in_pages_of_ten() {
    let bench = Bench::start().await;
    bench.sell(&ACME, "A00000001", 1_000).await;
    let mut numbers = Vec::new();
    for _ in 0..23 {
        numbers.push(bench.refunded_at_platform("A00000001", 1).await.out_refund_no);
    }
    let mut found = Vec::new();
    for (offset, count) in [("0", 10), ("10", 10), ("20", 3), ("23", 0)] {
        let answer = bench.post(PATH, &ACME.signed(&[("out_trade_no", "A00000001"), ("offset", offset)])).await;
        assert_eq!(answer.count("refund_count"), Ok(Some(count)));
        let list = RefundList::parse(&answer).unwrap();
        assert_eq!(list.total_refund_count, Some(23));
        found.extend(list.refunds.into_iter().map(|refund| refund.out_refund_no));
    }
    assert_eq!(found, numbers);
    assert_eq!(asked(&bench, &[("out_trade_no", "A00000001")]).await.refunds.len(), 10);
    for offset in ["24", "-1", "x"] {
        let answer = bench.post(PATH, &ACME.signed(&[("out_trade_no", "A00000001"), ("offset", offset)])).await;
        assert_eq!(outcome(&answer), "PARAM_ERROR", "{offset}");
    }
}

#[tokio::test]
async fn what_was_never_refunded_does_not_exist_and_neither_does_another_merchants() {
    let bench = Bench::start().await;
    bench.sell(&ACME, "A00000001", 1_000).await;
    bench.sell(&ACME, "A00000002", 1_000).await;
    let refund_id = bench.refunded("A00000001", "R1", 1_000, 300).await.text("refund_id").unwrap().to_owned();
    for (account, fields, code) in [
        (ACME, &[("out_refund_no", "R2")][..], "REFUNDNOTEXIST"),
        (ACME, &[("refund_id", "50300000002020010100000000001")], "REFUNDNOTEXIST"),
        (ACME, &[("out_trade_no", "A00000002")], "REFUNDNOTEXIST"),
        (ACME, &[("out_trade_no", "A00000003")], "REFUNDNOTEXIST"),
        (TEA, &[("out_refund_no", "R1")], "REFUNDNOTEXIST"),
        (TEA, &[("refund_id", &*refund_id)], "REFUNDNOTEXIST"),
        (TEA, &[("out_trade_no", "A00000001")], "REFUNDNOTEXIST"),
        (ACME, &[], "LACK_PARAMS"),
        (ACME, &[("refund_id", "x")], "PARAM_ERROR"),
        (ACME, &[("out_refund_no", "R 1")], "PARAM_ERROR"),
    ] {
        assert_eq!(outcome(&bench.post(PATH, &account.signed(fields)).await), code, "{} {fields:?}", account.name);
    }
}

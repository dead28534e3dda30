//! The fourth leg of an explanation: what moved, for the codes that money tells.

use proto::gateway::v1::download_bill_request::Kind;
use proto::reconcile::v1::{Discrepancy, Leg};

use crate::bill::{self, MERCHANT, Payment};
use crate::explaining::value;
use crate::fund_flows::flow;
use crate::harness::World;

impl World {
    /// The only difference of a code about a number of the provider.
    async fn found(&self, code: &str, number: &str) -> Discrepancy {
        let is = |found: &&Discrepancy| found.code == code && found.transaction_id == number;
        let all = self.discrepancies().await;
        all.iter().find(is).unwrap_or_else(|| panic!("{code} of {number} is not in {all:?}")).clone()
    }

    /// Leg T and leg F of it.
    async fn bill_and_funds(&self, found: &Discrepancy) -> (Leg, Leg) {
        let legs = self.explained(&found.name).await.legs;
        let [_, _, trade, funds] = <[Leg; 4]>::try_from(legs).expect("four legs");
        assert_eq!((trade.leg.as_str(), funds.leg.as_str()), ("T", "F"));
        (trade, funds)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_movements_behind_a_fee_a_missing_amount_and_a_stray_one_are_shown_with_amount_and_kind() {
    let world = World::start().await;
    world.gateway.set_certificate();
    // A movement may come until the third day after.
    let day = world.day().yesterday().expect("within the calendar");
    let [dear, short, never] = [1000, 500, 300].map(|fen| Payment::on(day, fen));
    world.book(&[&dear, &short, &never]).await;
    world.gateway.set_bill(MERCHANT, day, bill::of(&[&dear, &short, &never]));
    let stray = "4299999999999999999999999999";
    let moved = [
        (dear.transaction_id.as_str(), "交易", 1000),
        (&dear.transaction_id, "扣除交易手续费", -16),
        (&short.transaction_id, "交易", 400),
        (&short.transaction_id, "扣除交易手续费", -3),
        (stray, "交易", 700),
        ("8001", "投诉赔付", -50),
        ("9001", "提现", -500),
    ];
    world.gateway.set_fund_flow(Kind::FundBasic, day, flow(70, dear.paid_time, &moved));
    let run = world.run(day).await;
    let codes: Vec<_> = run.differences.iter().map(|of| (of.code.as_str(), of.count, of.sum_fen)).collect();
    assert_eq!(codes, [("F1", 1, 10), ("F2", 2, 400), ("F3", 2, 750)], "{:?}", world.discrepancies().await);

    // F1: the bill's fee, and beside the payment the movement of the fee that was taken.
    let (trade, funds) = world.bill_and_funds(&world.found("F1", &dear.transaction_id).await).await;
    assert_eq!(value(&trade, "手续费"), Some(("0.06000", true)));
    assert_eq!(value(&funds, "1: 业务类型").map(|shown| shown.0), Some("交易"));
    assert_eq!(value(&funds, "1: 收支金额(元)").map(|shown| shown.0), Some("10.00"));
    assert_eq!(value(&funds, "2: 业务类型").map(|shown| shown.0), Some("扣除交易手续费"));
    assert_eq!(value(&funds, "2: 收支金额(元)").map(|shown| shown.0), Some("0.16"));
    assert_eq!(value(&funds, "2: 收支类型").map(|shown| shown.0), Some("支出"));

    // F2: another amount moved, or none did.
    let (trade, funds) = world.bill_and_funds(&world.found("F2", &short.transaction_id).await).await;
    assert_eq!(value(&trade, "订单金额").map(|shown| shown.0), Some("5.00"));
    assert_eq!(value(&funds, "1: 业务类型"), Some(("交易", true)));
    assert_eq!(value(&funds, "1: 收支金额(元)"), Some(("4.00", true)));
    assert_eq!(value(&funds, "1: 收支类型"), Some(("收入", true)));
    let (trade, funds) = world.bill_and_funds(&world.found("F2", &never.transaction_id).await).await;
    assert_eq!(value(&trade, "订单金额").map(|shown| shown.0), Some("3.00"));
    assert_eq!(funds.fields, [], "nothing moved under its number");

    // F3: a payment that nobody knows, and a movement that is none.
    let (trade, funds) = world.bill_and_funds(&world.found("F3", stray).await).await;
    assert_eq!(trade.fields, [], "the bill has no such payment");
    assert_eq!(value(&funds, "业务类型"), Some(("交易", true)));
    assert_eq!(value(&funds, "收支金额(元)"), Some(("7.00", true)));
    assert_eq!(value(&funds, "微信支付业务单号"), Some((stray, false)));
    let (_, funds) = world.bill_and_funds(&world.found("F3", "8001").await).await;
    assert_eq!(value(&funds, "业务类型"), Some(("投诉赔付", true)));
    assert_eq!(value(&funds, "收支金额(元)"), Some(("0.50", true)));
    assert_eq!(value(&funds, "收支类型"), Some(("支出", true)));
    assert_eq!(value(&funds, "资金流水单号"), Some(("80015", false)));
    world.end().await;
}

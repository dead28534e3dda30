use jiff::Timestamp;
use money::Fen;
use proptest::prelude::*;
use wechat_pay::v2::indexed::{refunds, write_refunds};
use wechat_pay::v2::{Coupon, RefundStatus, RefundSummary};

fn coupon() -> impl Strategy<Value = Coupon> {
    ("[0-9]{1,20}", prop::option::of("CASH|NO_CASH"), 0_i64..1_000).prop_map(|(id, kind, fee)| Coupon {
        id: Some(id),
        kind,
        fee: Some(Fen::new(fee)),
    })
}

fn summary() -> impl Strategy<Value = RefundSummary> {
    let words = prop::sample::select(vec!["SUCCESS", "PROCESSING", "REFUNDCLOSE", "CHANGE", "NEW"]);
    let numbers = ("[0-9A-Za-z@|*_-]{1,64}", "[0-9]{28,32}", 1_i64..2_147_483_647);
    (numbers, words, prop::option::of(1_500_000_000_i64..1_900_000_000), prop::collection::vec(coupon(), 0..3))
        .prop_map(|((out_refund_no, refund_id, fen), word, second, coupons)| RefundSummary {
            out_refund_no,
            refund_id,
            refund_fee: Fen::new(fen),
            settlement_refund_fee: (!coupons.is_empty()).then_some(Fen::new(fen)),
            status: RefundStatus::parse(word),
            channel: Some("ORIGINAL".to_owned()),
            received_by: Some("支付用户零钱".to_owned()),
            succeeded_at: second.map(|second| Timestamp::from_second(second).expect("it is in range")),
            coupon_refund_fee: Some(Fen::ZERO),
            coupons,
        })
}

proptest! {
    #[test]
    fn written_refunds_are_read_back(written in prop::collection::vec(summary(), 0..12)) {
        prop_assert_eq!(refunds(&write_refunds(&written)), Ok(written));
    }
}

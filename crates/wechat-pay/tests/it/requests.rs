use jiff::Timestamp;
use jiff::civil::date;
use money::Fen;
use wechat_pay::v2::{
    BillType, CloseOrder, DownloadBill, FieldProblem, Fields, OpenId, OrderNumber, OrderQuery, OrderStatus, Payer,
    Prepaid, Refund, RefundAccepted, RefundList, RefundNumber, RefundQuery, RefundStatus, SignType, TradeState,
    TradeType, UnifiedOrder, sign, xml,
};

use crate::{identity, key};

fn unified_order() -> UnifiedOrder {
    UnifiedOrder {
        identity: identity(),
        trade_type: TradeType::Jsapi(Payer::App(OpenId::new("oABC"))),
        out_trade_no: "T202001010001".to_owned(),
        body: "店铺-茶".to_owned(),
        total_fee: Fen::new(100),
        spbill_create_ip: "2001:db8::1".parse().expect("an address"),
        notify_url: "https://pay.example.com/n".to_owned(),
        time_start: None,
        time_expire: Some(Timestamp::from_second(1_490_840_662).expect("a time")),
        attach: None,
    }
}

fn pairs(fields: &Fields) -> Vec<(&str, &str)> {
    fields.iter().filter(|(name, _)| *name != "sign").collect()
}

#[test]
fn an_order_says_everything_wechat_asks_for() {
    let fields = unified_order().signed("nonce", &key(), SignType::Md5);
    assert_eq!(
        pairs(&fields),
        [
            ("appid", "wx0000000000000001"),
            ("mch_id", "1900000001"),
            ("nonce_str", "nonce"),
            ("body", "店铺-茶"),
            ("out_trade_no", "T202001010001"),
            ("total_fee", "100"),
            ("spbill_create_ip", "2001:db8::1"),
            ("time_expire", "20170330102422"),
            ("notify_url", "https://pay.example.com/n"),
            ("trade_type", "JSAPI"),
            ("openid", "oABC"),
        ]
    );
    assert!(!format!("{:?}", unified_order()).contains("oABC"));
}

#[test]
fn every_request_verifies_after_its_trip_and_names_only_hmac() {
    let order = OrderNumber::OutTradeNo("T202001010001".to_owned());
    for sign_type in SignType::ALL {
        let requests = [
            unified_order().signed("n", &key(), sign_type),
            OrderQuery { identity: identity(), order: order.clone() }.signed("n", &key(), sign_type),
            CloseOrder { identity: identity(), out_trade_no: "T202001010001".to_owned() }.signed(
                "n",
                &key(),
                sign_type,
            ),
            refund().signed("n", &key(), sign_type),
            RefundQuery { identity: identity(), refund: RefundNumber::OfOrder(order.clone()), offset: Some(10) }
                .signed("n", &key(), sign_type),
            DownloadBill { identity: identity(), bill_date: date(2020, 1, 2), bill_type: BillType::All, gzip: true }
                .signed("n", &key(), sign_type),
        ];
        for request in requests {
            let received = xml::parse("xml", xml::write("xml", &request).as_bytes()).unwrap();
            assert_eq!(sign::verify(&received, &key(), sign_type), Ok(()));
            let named = (sign_type == SignType::HmacSha256).then_some("HMAC-SHA256");
            assert_eq!(received.get("sign_type"), named);
        }
    }
}

#[test]
fn a_prepaid_answer_must_have_its_id_and_trade_type() {
    let trade_type = unified_order().trade_type;
    let fields = Fields::from_iter([("prepay_id", "wx1"), ("trade_type", "JSAPI")]);
    assert_eq!(Prepaid::parse(&fields, &trade_type).unwrap().prepay_id, "wx1");
    let other = Fields::from_iter([("prepay_id", "wx1"), ("trade_type", "NATIVE")]);
    assert_eq!(Prepaid::parse(&other, &trade_type).unwrap_err().problem, FieldProblem::Mismatch);
    assert_eq!(Prepaid::parse(&Fields::new(), &trade_type).unwrap_err().problem, FieldProblem::Missing);
}

#[test]
fn an_unpaid_order_has_no_payment_and_a_paid_one_has_a_whole_one() {
    let order = OrderNumber::OutTradeNo("T202001010001".to_owned());
    let mut fields = Fields::from_iter([("out_trade_no", "T202001010001"), ("trade_state", "NOTPAY")]);
    let status = OrderStatus::parse(&fields, &order).unwrap();
    assert_eq!((status.trade_state, status.payment), (TradeState::NotPay, None));

    fields.insert("trade_state", "SUCCESS");
    assert_eq!(OrderStatus::parse(&fields, &order).unwrap_err().field, "transaction_id");
    fields.insert("transaction_id", "4200000000202001010000000001");
    fields.insert("total_fee", "100");
    fields.insert("time_end", "20200101120000");
    let payment = OrderStatus::parse(&fields, &order).unwrap().payment.unwrap();
    assert_eq!(payment.total_fee, Fen::new(100));

    fields.insert("out_trade_no", "T202001010002");
    assert_eq!(OrderStatus::parse(&fields, &order).unwrap_err().problem, FieldProblem::Mismatch);
    fields.insert("out_trade_no", "T202001010001");
    fields.insert("trade_state", "BRAND_NEW");
    let status = OrderStatus::parse(&fields, &order).unwrap();
    assert_eq!(status.trade_state, TradeState::Other("BRAND_NEW".to_owned()));
}

fn refund() -> Refund {
    Refund {
        identity: identity(),
        order: OrderNumber::TransactionId("4200000000202001010000000001".to_owned()),
        out_refund_no: "R1".to_owned(),
        total_fee: Fen::new(100),
        refund_fee: Fen::new(30),
        refund_desc: None,
        notify_url: None,
    }
}

#[test]
fn an_accepted_refund_must_be_the_one_that_was_asked_for() {
    let fields = Fields::from_iter([
        ("transaction_id", "4200000000202001010000000001"),
        ("out_trade_no", "T202001010001"),
        ("out_refund_no", "R1"),
        ("refund_id", "50000000002020010100000000001"),
        ("refund_fee", "30"),
        ("refund_channel", ""),
        ("coupon_refund_id_0", "c0"),
        ("coupon_refund_fee_0", "10"),
    ]);
    let accepted = RefundAccepted::parse(&fields, &refund()).unwrap();
    assert_eq!((accepted.refund_fee, accepted.coupons.len()), (Fen::new(30), 1));
    for (name, value) in [("out_refund_no", "R2"), ("refund_fee", "31"), ("transaction_id", "4")] {
        let mut other = fields.clone();
        other.insert(name, value);
        assert_eq!(RefundAccepted::parse(&other, &refund()).unwrap_err().problem, FieldProblem::Mismatch, "{name}");
    }
}

#[test]
fn refunds_are_read_by_number_and_not_by_text() {
    let mut fields = Fields::from_iter([
        ("transaction_id", "4"),
        ("out_trade_no", "T"),
        ("total_fee", "100"),
        ("total_refund_count", "35"),
        // Production answers carry these without a number; they belong to no refund.
        ("refund_fee", "99"),
        ("coupon_refund_fee", "99"),
    ]);
    for n in [10, 9, 0] {
        fields.insert(format!("out_refund_no_{n}"), format!("R{n}"));
        fields.insert(format!("refund_id_{n}"), format!("5{n}"));
        fields.insert(format!("refund_fee_{n}"), "3");
        fields.insert(format!("refund_status_{n}"), "SUCCESS");
    }
    fields.insert("refund_success_time_9", "2020-01-01 12:00:00");
    fields.insert("refund_status_10", "REFUNDCLOSE");
    fields.insert("coupon_refund_fee_9", "2");
    fields.insert("coupon_refund_id_9_0", "c");
    fields.insert("coupon_refund_fee_9_0", "2");
    let list = RefundList::parse(&fields).unwrap();
    let numbers: Vec<&str> = list.refunds.iter().map(|refund| refund.out_refund_no.as_str()).collect();
    assert_eq!(numbers, ["R0", "R9", "R10"]);
    assert_eq!(list.total_refund_count, Some(35));
    assert_eq!(list.refunds[1].coupons.len(), 1);
    assert_eq!(list.refunds[1].coupon_refund_fee, Some(Fen::new(2)));
    assert!(list.refunds[0].coupons.is_empty() && list.refunds[1].succeeded_at.is_some());
    assert_eq!(list.refunds[2].status, RefundStatus::Closed);
    assert_eq!(list.only("R10"), Ok(&list.refunds[2]));
    assert!(list.only("R1").is_err(), "a number that only begins alike is another");
    fields.insert("out_refund_no_9", "R10");
    assert!(RefundList::parse(&fields).unwrap().only("R10").is_err(), "two of one number contradict each other");
}

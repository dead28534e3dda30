use super::*;

fn found(code: Code, bill: i64, book: i64, risk: i64, explanation: &str) -> Discrepancy {
    Discrepancy {
        code: code.as_str().into(),
        bill_amount_fen: bill,
        book_amount_fen: book,
        risk_fen: risk,
        account: "BASIC".into(),
        explanation: explanation.into(),
        ..Discrepancy::default()
    }
}

fn told(found: &Discrepancy) -> Sentence {
    in_chinese(found).expect("a code of this release")
}

#[test]
fn every_code_has_sentences_of_its_own_with_every_amount_of_it() {
    let mut sentences = BTreeSet::new();
    for code in Code::ALL {
        for (bill, book) in [(123_456, 0), (0, 654_321), (123_456, 654_321), (777, 777), (0, 0)] {
            for due_date in ["", "2026-11-23"] {
                let found = Discrepancy { due_date: due_date.into(), ..found(code, bill, book, 99_900, "") };
                let Sentence { text, .. } = told(&found);
                assert!(text.contains(is_han) && text.ends_with('。'), "{code}: {text}");
                assert!(text.contains(" 元"), "{code} tells no amount: {text}");
                assert!(!text.contains('{') && !text.contains("  "), "{code}: {text}");
                sentences.insert((text, code));
            }
        }
    }
    let different: BTreeSet<_> = sentences.iter().map(|(text, _)| text).collect();
    assert_eq!(different.len(), sentences.len(), "two codes say the same");
}

/// For each way in which a code comes about: code, fen in the bill, in the books and at risk, due date; what the engine says; what
/// we say in Chinese, with a `+` where the engine says more.
const TABLE: &str = "
P1 990 0 990
The bill has 9.90 yuan for a payment that is still open here; the provider is asked about it.
账单有 9.90 元，我方支付单尚未完成。

P1 990 0 990
The bill has 9.90 yuan for a payment of 9.80 yuan that is still open here; the provider is asked about it.
+ 账单有 9.90 元，我方支付单尚未完成。

P1 990 990 990
The bill has 9.90 yuan and a message of the provider told of them, but no order took them; the provider is asked about it, and order-svc's dead letters say why it refused them.
+ 账单有 9.90 元，微信亦已告知，但没有订单入账。

P2 990 990 990
9.90 yuan came for an order that was closed, and nobody has given them back.
已关闭的订单收到 9.90 元，尚未退回。

P2 990 0 990
The bill has 9.90 yuan for a payment whose order is closed here; the provider is asked about it.
账单有 9.90 元，对应订单已关闭，账簿未入账。

P3 123456789 0 123456789
The bill has 1234567.89 yuan under a number that we never issued; find out who took it.
账单有 1,234,567.89 元，单号并非我方所发；须查明由谁收取。

P4 990 990 690
9.90 yuan came for an order that is paid by another payment, and only 3.00 yuan of them were given back.
+ 订单已由另一笔支付付清，又收到 9.90 元，尚有 6.90 元未退回。

P4 990 0 990
The bill has 9.90 yuan for a payment whose order is paid by another payment; the provider is asked about it.
账单有 9.90 元，但订单已由另一笔支付付清，账簿未入账。

P5 0 990 990 2026-11-23
Our books have 9.90 yuan as paid and the bill does not; until 2026-11-23 it may still stand in a neighbouring day's bill.
账簿有已付 9.90 元，账单没有；2026-11-23 前仍可能出现在相邻日期的账单中。

P5 0 990 990
An order took 9.90 yuan, but neither the bill nor any message of the provider knows about it.
+ 账簿有已付 9.90 元，账单没有。

P6 19900 19800 100
The bill has 199.00 yuan, we asked for 198.00 yuan, the order took 198.00 yuan.
支付金额不一致：账单 199.00 元，账簿 198.00 元，相差 1.00 元。

P6 19900 19900 100
The bill has 199.00 yuan, the order took 199.00 yuan, the provider's message said 198.00 yuan.
+ 账单为 199.00 元，与订单或微信告知的金额不一致，相差 1.00 元。

P7 19900 19900 100
Of 199.00 yuan the payer paid 190.00 yuan, coupons are 8.00 yuan, and 199.00 yuan are settled: they do not add up.
+ 订单金额 199.00 元与用户实付、优惠、应结金额不符，相差 1.00 元。

P8 990 990 990
The bill has this payment and its reversal; our books keep 9.90 yuan as paid.
账单既有此笔支付，又有其撤销；账簿仍为已付 9.90 元。

P8 0 990 990
The bill says that this payment was revoked; our books keep 9.90 yuan as paid.
账单显示此笔支付已撤销，账簿仍为已付 9.90 元。

P9 990 990 0
The bill and the order agree on 9.90 yuan, but no message of the provider told of them; it is asked again.
账单与订单均为 9.90 元，但未收到微信的通知或查询结果。

P10 0 990 990
A message of the provider told of 9.90 yuan that neither the bill nor any order has.
微信告知有 9.90 元，账单没有，也没有订单入账。

R1 990 0 990
The bill gives back 9.90 yuan under a number that our books do not have: a refund of the provider's console.
账单有退款 9.90 元，账簿没有：可能由商户平台发起。

R1 990 990 990
The bill gives back 9.90 yuan, and our books say that the provider refused to; it is asked about it.
账单有退款 9.90 元，账簿却记为微信已拒绝。

R2 0 990 990 2026-11-23
Our books give back 9.90 yuan and the bill does not; until 2026-11-23 it may still stand in a neighbouring day's bill.
账簿有退款 9.90 元，账单没有；2026-11-23 前仍可能出现在相邻日期的账单中。

R3 990 980 10
The bill gives back 9.90 yuan, we asked for 9.80 yuan.
退款金额不一致：账单 9.90 元，账簿 9.80 元，相差 0.10 元。

R4 990 990 990 2026-11-23
The refund of 9.90 yuan is under way; it should have arrived before 2026-11-23.
退款 9.90 元处理中，应在 2026-11-23 前到账。

R4 990 990 990
The refund of 9.90 yuan bounced: the payer's card or account does not take it.
+ 退款 9.90 元未到账：逾期仍在处理、被退回，或已被微信关闭。

F1 0 0 2
The fee is 0.08000 yuan; its rate on 9.90 yuan makes 0.05940 yuan.
+ 手续费与费率或资金账单不符，相差 0.02 元。

F2 990 0 990 2026-11-23
The fund flow has no movement of the payment of 9.90 yuan; until 2026-11-23 it may still stand in a neighbouring day's.
交易 9.90 元在资金账单中没有相符的变动，涉及 9.90 元；2026-11-23 前仍可能出现在相邻日期的资金账单中。

F2 990 0 10
The payment of 9.90 yuan moved 9.80 yuan.
+ 交易 9.90 元在资金账单中没有相符的变动，涉及 0.10 元。

F3 -990 0 990
9.90 yuan left the BASIC account as 投诉赔付, a kind that has no trade.
+ 基本账户支出 9.90 元，没有对应的交易。

F4 10000 0 100
The BASIC account closed with 99.00 yuan on the day before and opened with 100.00 yuan.
+ 基本账户期初 100.00 元，与前一日期末不符，相差 1.00 元。

F4 0 0 990
The bill has trades, and the provider says that nothing moved on the BASIC account.
+ 基本账户余额不连续，或缺少资金账单，涉及 9.90 元。
";

#[test]
fn what_the_engine_says_is_told_in_chinese_and_repeated_only_where_it_knows_more() {
    let mut codes = BTreeSet::new();
    for entry in TABLE.trim().split("\n\n") {
        let mut lines = entry.lines();
        let mut line = || lines.next().expect("three lines");
        let (fields, engine, chinese) = (line(), line(), line());
        let fields: Vec<&str> = fields.split(' ').collect();
        let [bill, book, risk] = [1, 2, 3].map(|at| fields[at].parse().expect("fen"));
        let code: Code = fields[0].parse().expect("a code");
        let due_date = fields.get(4).copied().unwrap_or_default().to_owned();
        let found = Discrepancy { due_date, ..found(code, bill, book, risk, engine) };
        let (text, is_less) = chinese.strip_prefix("+ ").map_or((chinese, false), |text| (text, true));
        assert_eq!(told(&found), Sentence { text: text.to_owned(), is_less }, "{engine}");
        codes.insert(code);
    }
    assert_eq!(codes.len(), Code::ALL.len(), "{codes:?}");
}

#[test]
fn a_code_of_another_release_has_none() {
    assert_eq!(in_chinese(&Discrepancy { code: "P11".into(), ..Discrepancy::default() }), None);
}

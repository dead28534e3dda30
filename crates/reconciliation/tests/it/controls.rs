//! Files that are not to be believed: nothing of them is used.

use money::Fen;
use proptest::prelude::*;
use reconciliation::Refused;

use crate::world::{DAY, DAY_AFTER, Flow, World, fund_flow, trade};

fn paid() -> World {
    let mut world = World::default();
    world.pay(100);
    world.pay(250);
    world.refund(1, 40);
    world
}

fn control(world: &World) -> String {
    match world.reconcile() {
        Err(Refused::Control(problem)) => problem,
        other => panic!("not a failed control: {other:?}"),
    }
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).expect("text");
    assert!(text.contains(from), "{from} is in the file");
    text.replacen(from, to, 1).into_bytes()
}

fn with_trade(from: &str, to: &str) -> Refused {
    let world = paid();
    let mut files = world.files();
    files.trade = files.trade.map(|file| replaced(&file, from, to));
    world.reconcile_files(&files).expect_err("refused")
}

fn with_fund_flow(from: &str, to: &str) -> Refused {
    let world = paid();
    let mut files = world.files();
    files.funds[0] = files.funds[0].as_deref().map(|file| replaced(file, from, to));
    world.reconcile_files(&files).expect_err("refused")
}

#[test]
fn a_trade_bill_of_another_merchant_day_sub_merchant_or_currency_is_refused() {
    let mut world = paid();
    world.payments[0].row_mut().mch_id = "1900000002".to_owned();
    assert_eq!(control(&world), "trade bill, line 2 belongs to another merchant");
    let mut world = paid();
    let row = world.payments[1].row_mut();
    row.trade_time = wechat_pay::time::day_start(DAY_AFTER).expect("a day");
    assert_eq!(control(&world), "trade bill, line 3 belongs to another day");
    let mut world = paid();
    world.payments[0].row_mut().sub_mch_id = Some("1900000315".to_owned());
    assert_eq!(control(&world), "trade bill, line 2: the row belongs to another sub-merchant");
    let mut world = paid();
    "1900000315".clone_into(&mut world.sub_mch_id);
    assert_eq!(control(&world), "trade bill, line 2: the row belongs to another sub-merchant");
    world.payments.clear();
    world.refunds.clear();
    world.pay(100);
    assert!(world.reconcile().is_ok());
    let mut world = paid();
    world.payments[1].row_mut().fee_type = "USD".to_owned();
    assert_eq!(control(&world), "trade bill, line 3: the currency is not CNY");
}

#[test]
fn a_refund_rows_day_is_not_controlled() {
    let mut world = paid();
    world.refunds[0].billed.as_mut().expect("billed").trade_time =
        wechat_pay::time::day_start(DAY_AFTER).expect("a day");
    assert!(world.reconcile().is_ok());
}

#[test]
fn a_row_twice_is_refused() {
    let world = paid();
    let mut files = world.files();
    let (first, again) = (world.payments[0].row(), world.payments[0].row());
    files.trade = Some(trade(&[first, again]));
    assert_eq!(
        world.reconcile_files(&files),
        Err(Refused::Control("trade bill, line 3 repeats an earlier row".to_owned()))
    );
    let flows = [Flow::new(1, "15", "提现", -5), Flow::new(1, "15", "提现", -5)];
    files.trade = world.files().trade;
    files.funds[0] = Some(fund_flow(DAY, &flows, Fen::new(100)));
    assert_eq!(
        world.reconcile_files(&files),
        Err(Refused::Control("fund flow BASIC, line 3 repeats an earlier row".to_owned()))
    );
}

#[test]
fn sums_counts_and_balances_that_do_not_agree_are_refused() {
    for (from, to) in [("`3.0,`", "`4.0,`"), ("`3.50,`", "`3.60,`")] {
        assert!(matches!(with_trade(from, to), Refused::Control(problem) if problem.starts_with("trade bill: ")));
    }
    // The amount of a movement, its balance, and the summary's own count.
    for (from, to) in [("收入,`1.00,`", "收入,`1.01,`"), ("`1000001.00,`", "`1000001.01,`"), ("`5.0,`", "`6.0,`")] {
        assert!(
            matches!(with_fund_flow(from, to), Refused::Control(problem) if problem.starts_with("fund flow BASIC: ")),
            "{from}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_invalid_and_says_where() {
    assert_eq!(
        with_trade("`0.60%,`1.00", "`0.60%,`1.001"),
        Refused::Invalid("trade bill, line 2, column 订单金额: is not an amount in whole fen".to_owned())
    );
    assert_eq!(
        with_trade("`SUCCESS,", "`TRANSFER,"),
        Refused::Invalid("trade bill, line 2: a kind of row that this release does not know".to_owned())
    );
    assert_eq!(with_trade("费率,", "率,"), Refused::Invalid("trade bill: header has no column 费率".to_owned()));
    assert!(
        matches!(with_trade("`SUCCESS,", ""), Refused::Invalid(problem) if problem.starts_with("trade bill, line 2: 26 values"))
    );
    assert!(
        matches!(with_fund_flow("收入,", "进账,"), Refused::Invalid(problem) if problem.starts_with("fund flow BASIC, line 2, column 收支类型: "))
    );
}

#[test]
fn what_is_no_bill_at_all_is_refused() {
    let world = paid();
    for text in [
        "",
        "<html>busy</html>",
        "a,b,c\n`1,`2,`3\n",
        "<xml><return_code>FAIL</return_code><return_msg>busy</return_msg></xml>",
    ] {
        for at in [0, 1] {
            let mut files = world.files();
            if at == 0 {
                files.trade = Some(text.into());
            } else {
                files.funds[0] = Some(text.into());
            }
            assert!(matches!(world.reconcile_files(&files), Err(Refused::Invalid(_))), "{text:?}");
        }
    }
}

#[test]
fn a_refusal_holds_no_value_of_the_file() {
    for refused in [
        with_trade("`0.60%,`1.00", "`0.60%,`secret"),
        with_trade("`JSAPI,`SUCCESS", "`JSAPI,`secret"),
        with_fund_flow("`1.00,`", "`secret,`"),
    ] {
        assert!(!refused.to_string().contains("secret"), "{refused}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_bill_cut_anywhere_is_refused(which in 0..2, at in any::<prop::sample::Index>()) {
        let world = paid();
        let mut files = world.files();
        let file = if which == 0 { files.trade.as_mut() } else { files.funds[0].as_mut() }.expect("a file");
        let end = std::str::from_utf8(file).expect("text").trim_end().len();
        let cut = at.index(end);
        // Without its last characters the summary may still say the same: `0.0` and `0.` and `0` are one number.
        let same_numbers = file[cut..end].iter().all(|byte| matches!(byte, b'0' | b'.'));
        file.truncate(cut);
        prop_assert!(same_numbers || world.reconcile_files(&files).is_err(), "cut after {} bytes", cut);
    }
}

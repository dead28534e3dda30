//! The fourth leg: what moved on the merchant's accounts.

use money::Fen;
use proto::gateway::v1::download_bill_request::Kind;
use proto::reconcile::v1::run::State;
use proto::reconcile::v1::{Run, discrepancy};
use wechat_pay::fund_flow::{Direction, FundFlowWriter, Movement};

use crate::bill::{self, Payment};
use crate::gateway::Bill;
use crate::harness::World;
use crate::holds::yesterday;

/// A fund flow that begins with `opening`: number, kind and amount of each movement.
pub(crate) fn flow(opening: i64, at: jiff::Timestamp, movements: &[(&str, &str, i64)]) -> Bill {
    let mut writer = FundFlowWriter::new(Vec::new()).expect("memory takes every write");
    let mut balance = opening;
    for (line, (number, kind, amount)) in movements.iter().enumerate() {
        balance += amount;
        let row = Movement {
            line: 0,
            booked_at: at,
            number: (*number).to_owned(),
            flow_number: format!("{number}{line}"),
            name: (*kind).to_owned(),
            kind: (*kind).to_owned(),
            direction: if *amount < 0 { Direction::Out } else { Direction::In },
            amount: Fen::new(amount.abs()),
            balance: Fen::new(balance),
            by: "system".to_owned(),
            remark: String::new(),
            voucher: String::new(),
        };
        writer.row(&row).expect("these sums fit");
    }
    Bill::Whole(writer.finish().expect("memory takes every write"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_whose_money_moved_is_balanced_and_tells_its_accounts_and_inputs() {
    let world = World::start().await;
    world.gateway.set_certificate();
    let day = world.day();
    let payment = Payment::on(day, 1000);
    let number = payment.transaction_id.as_str();
    world.book(&[&payment]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    let moved = [(number, "交易", 1000), (number, "扣除交易手续费", -6), ("9001", "提现", -500)];
    world.gateway.set_fund_flow(Kind::FundBasic, day, flow(70, payment.paid_time, &moved));

    let run = world.run(day).await;
    assert_eq!((run.state(), run.problem.as_str()), (State::Balanced, ""), "{:?}", run.differences);
    let basic = &run.accounts[0];
    assert_eq!((basic.account.as_str(), basic.state.as_str()), ("BASIC", "READ"));
    assert_eq!((basic.opening_fen, basic.closing_fen), (Some(70), Some(564)));
    let kinds: Vec<_> = basic.movements.iter().map(|kind| (kind.kind.as_str(), kind.sum_fen, kind.of_trades)).collect();
    assert_eq!(kinds, [("交易", 1000, true), ("扣除交易手续费", -6, true), ("提现", -500, false)]);
    let inputs: Vec<_> = run.inputs.iter().map(|input| (input.input.as_str(), input.state.as_str())).collect();
    let expected = [
        ("TRADE", "READ"),
        ("FUND_BASIC", "READ"),
        ("FUND_OPERATION", "NONE"),
        ("FUND_FEES", "NONE"),
        ("BOOK_PAYMENTS", "READ"),
        ("BOOK_REFUNDS", "READ"),
    ];
    assert_eq!(inputs, expected);
    assert_eq!((run.inputs[0].sha256.as_str(), run.result_sha256.len()), (run.bill_sha256.as_str(), 64));
    assert_eq!(run.as_of, wechat_pay::time::bill_date(world.clock.now()).to_string());

    // Every file is kept as it came, gzipped, and the same bytes once.
    assert_eq!(world.run(day).await, run);
    let kept: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT kind, bytes, (SELECT count(*) FROM bill_pieces p WHERE p.bill_id = b.bill_id) FROM bills b ORDER BY kind",
    )
    .fetch_all(&world.pool)
    .await
    .expect("the bills");
    let expected = [("FUND_BASIC", run.inputs[1].bytes, 1), ("TRADE", run.inputs[0].bytes, 1)];
    assert_eq!(kept, expected.map(|(kind, bytes, pieces)| (kind.to_owned(), bytes, pieces)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_does_not_open_as_it_closed_the_day_before_is_f4() {
    let world = World::start().await;
    world.gateway.set_certificate();
    let day = world.day();
    let before = day.yesterday().expect("within the calendar");
    let at = Payment::on(before, 1).paid_time;
    world.gateway.set_fund_flow(Kind::FundBasic, before, flow(70, at, &[("9001", "充值", 30)]));
    let at = Payment::on(day, 1).paid_time;
    world.gateway.set_fund_flow(Kind::FundBasic, day, flow(101, at, &[("9002", "提现", -1)]));
    // Nobody knows how the day before closed.
    let unknown = world.run(day).await;
    assert_eq!((unknown.state(), unknown.differences.len()), (State::Balanced, 0));

    assert_eq!(world.run(before).await.accounts[0].closing_fen, Some(100));
    let broken = world.run(day).await;
    assert_eq!((broken.state(), broken.version), (State::Differences, 2));
    assert_eq!((broken.differences[0].code.as_str(), broken.differences[0].sum_fen), ("F4", 1));
    let found = &world.discrepancies().await[0];
    assert_eq!((found.account.as_str(), found.critical), ("BASIC", true));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fund_flow_that_does_not_add_up_refuses_the_day_and_the_compared_version_stays() {
    let world = World::start().await;
    world.gateway.set_certificate();
    let day = world.day();
    let at = Payment::on(day, 1).paid_time;
    world.gateway.set_fund_flow(Kind::FundBasic, day, flow(0, at, &[("9001", "充值", 30)]));
    let good = world.run(day).await;
    assert_eq!((good.state(), good.current), (State::Balanced, true));

    let Bill::Whole(text) = flow(0, at, &[("9001", "充值", 30)]) else { unreachable!("it is whole") };
    let altered = String::from_utf8(text).expect("text").replacen("`0.30", "`0.31", 1).into_bytes();
    world.gateway.set_fund_flow(Kind::FundBasic, day, Bill::Whole(altered));
    let refused = world.run(day).await;
    assert_eq!((refused.state(), refused.version, refused.current), (State::ControlFailed, 2, false));
    assert!(refused.problem.starts_with("fund flow BASIC"), "{}", refused.problem);
    assert!(world.get(&good.name).await.current, "what was compared is still shown");
    assert_eq!(world.run(day).await, refused);

    world.gateway.set_fund_flow(Kind::FundBasic, day, Bill::NotReady);
    let not_ready = world.try_run(day).await.expect_err("a fund flow is still being made");
    assert_eq!(svc_kit::refusal::reason_of(&not_ready).as_deref(), Some("BILL_NOT_READY"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_no_fund_flow_is_asked_for_and_no_movement_is_missed() {
    let world = World::start().await;
    let day = world.day();
    let payment = Payment::on(day, 1000);
    world.book(&[&payment]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    let run = world.run(day).await;
    assert_eq!((run.state(), world.gateway.downloads()), (State::Balanced, 1));
    assert!(run.accounts.iter().all(|account| account.state == "NOT_FETCHED"), "{:?}", run.accounts);
    world.end().await;
}

/// Two days before today: a payment of the first moves nothing there, and so much on the second. What its day says then.
async fn moves_on_the_next_day(moved: i64, fee: i64) -> (World, Run, Run) {
    let world = World::start().await;
    world.gateway.set_certificate();
    let next = yesterday(&world);
    let day = next.yesterday().expect("within the calendar");
    let (payment, other) = (Payment::on(day, 1000), Payment::on(day, 500));
    let number = payment.transaction_id.as_str();
    world.book(&[&payment, &other]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment, &other]));
    let others = [(other.transaction_id.as_str(), "交易", 500), (&other.transaction_id, "扣除交易手续费", -3)];
    world.gateway.set_fund_flow(Kind::FundBasic, day, flow(70, payment.paid_time, &others));
    let waiting = world.run(day).await;
    assert_eq!((waiting.state(), waiting.waiting_count, waiting.waiting_sum_fen), (State::Waiting, 1, 1000));

    let at = Payment::on(next, 1).paid_time;
    let moved = [(number, "交易", moved), (number, "扣除交易手续费", -fee)];
    world.gateway.set_fund_flow(Kind::FundBasic, next, flow(567, at, &moved));
    let explained = world.run(next).await;
    assert_eq!((explained.state(), explained.differences.len()), (State::Balanced, 0), "it is no stranger there");
    let again = world.run(day).await;
    assert_eq!(again.version, 2);
    (world, explained, again)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_that_moves_on_the_next_day_is_waited_for_and_found() {
    let (world, explained, again) = moves_on_the_next_day(1000, 6).await;
    assert_eq!(again.state(), State::Balanced);
    let found = &world.discrepancies().await[0];
    assert_eq!((found.code.as_str(), &found.resolved_by), ("F2", &explained.name));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fen_that_moves_less_on_the_next_day_is_f2_at_once() {
    let (world, _, again) = moves_on_the_next_day(999, 6).await;
    let found: Vec<_> = again.differences.iter().map(|code| (code.code.as_str(), code.count, code.sum_fen)).collect();
    assert_eq!((again.state(), found), (State::Differences, vec![("F2", 1, 1)]));
    let found = &world.discrepancies().await[0];
    assert_eq!((found.state(), found.risk_fen), (discrepancy::State::Open, 1));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_that_is_charged_on_the_next_day_is_the_bills() {
    let (world, _, again) = moves_on_the_next_day(1000, 900).await;
    let found: Vec<_> = again.differences.iter().map(|code| (code.code.as_str(), code.count, code.sum_fen)).collect();
    assert_eq!((again.state(), found), (State::Differences, vec![("F1", 1, 894)]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_moves_again_on_the_next_day_has_its_day_looked_at_again() {
    let world = World::start().await;
    world.gateway.set_certificate();
    let day = world.day();
    let next = day.tomorrow().expect("within the calendar");
    let payment = Payment::on(day, 1000);
    let moved = [(payment.transaction_id.as_str(), "交易", 1000)];
    world.book(&[&payment]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    world.gateway.set_fund_flow(Kind::FundBasic, day, flow(0, payment.paid_time, &moved));
    assert_eq!(world.run(day).await.state(), State::Balanced);
    yesterday(&world);
    let at = Payment::on(next, 1).paid_time;
    world.gateway.set_fund_flow(Kind::FundBasic, next, flow(1000, at, &moved));
    assert_eq!(world.run(next).await.state(), State::Balanced, "a payment that we know");
    assert_eq!(world.days_to_look_at().await, [day.to_string()]);
    let twice = world.run(day).await;
    let found: Vec<_> = twice.differences.iter().map(|code| (code.code.as_str(), code.count, code.sum_fen)).collect();
    assert_eq!((twice.state(), found), (State::Differences, vec![("F2", 1, 1000)]));
    world.end().await;
}

//! Every bill of WeChat's, fetched through pay-gateway: each says the same day in its own words.

mod day;
mod fund_flow;

use e2e::{Options, World, selling::MERCHANT, story};
use jiff::civil::Date;
use money::{Fen, MilliFen};
use proto::{error::ErrorReason, gateway::v1::download_bill_request::Kind};
use tonic::Code;
use wechat_pay::bill::{BillState, Expected, Summary, TradeBillReader, TradeRow, cells::CellReader};

use self::{
    day::Day,
    fund_flow::{FundFlow, Movement},
};
use super::lacks_certificate;
use crate::{
    merchant_file::{self, without_certificate},
    reconcile::{next_morning, noon, sell},
    refused::refused,
};

/// A trade bill that was checked as a whole: its columns, its rows, its sums.
async fn trade_bill(world: &World, day: Date, kind: Kind) -> (usize, Vec<TradeRow>, Summary) {
    let bill = world.bill(MERCHANT, day, kind).await.expect("there is a bill");
    let columns = CellReader::open(&bill[..]).expect("a header").columns().len();
    let expected = Expected { mch_id: day::MCH_ID.to_owned(), bill_date: Some(day) };
    let open = || TradeBillReader::open(&bill[..], expected.clone()).expect("a header that is known");
    let rows = open().collect::<Result<_, _>>().expect("every row and every sum is right");
    (columns, rows, open().finish().expect("every sum is right"))
}

fn states(rows: &[TradeRow]) -> Vec<&str> {
    rows.iter().map(|row| row.state.as_str()).collect()
}

fn refunded(row: &TradeRow) -> i64 {
    row.refund.as_ref().map_or(0, |refund| refund.refund_fee.get())
}

#[test]
fn every_trade_bill_has_its_columns_and_its_part_of_the_day() {
    story(Options::default(), async |world| {
        let date = noon(world).await;
        let day = Day::lived(world).await;
        next_morning(world).await;

        let (columns, all, sums) = trade_bill(world, date, Kind::TradeAll).await;
        assert_eq!(columns, 27);
        assert_eq!(states(&all), ["SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "REVOKED", "REFUND"]);
        let of = |state: BillState| all.iter().filter(move |row| row.state == state);
        let paid: Vec<_> = of(BillState::Success).map(|row| (row.out_trade_no.as_str(), row.total_fee.get())).collect();
        assert_eq!(paid, day.paid.iter().map(|(number, fen)| (number.as_str(), *fen)).collect::<Vec<_>>());
        let [revoked] = of(BillState::Revoked).collect::<Vec<_>>()[..] else { panic!("one charge was taken back") };
        assert_eq!((&revoked.out_trade_no, refunded(revoked)), (&day.reversed, day::REVERSED));
        assert_eq!(revoked.trade_type, "MICROPAY");
        let [back] = of(BillState::Refund).collect::<Vec<_>>()[..] else { panic!("one refund from sales") };
        let refund = back.refund.as_ref().expect("a refund");
        assert_eq!((&refund.out_refund_no, refunded(back)), (&day.refund, day::REFUNDED));
        assert_eq!(refund.refund_status, "SUCCESS");
        let total: i64 = day.paid.iter().map(|(_, fen)| fen).sum();
        assert_eq!(sums.total_fee.map(Fen::get), Some(total));
        assert_eq!(sums.refund_fee.map(Fen::get), Some(day::REVERSED + day::REFUNDED));

        let (columns, payments, sums) = trade_bill(world, date, Kind::TradeSuccess).await;
        assert_eq!((columns, sums.rows, sums.total_fee.map(Fen::get)), (20, 4, Some(total)));
        let same: Vec<_> = of(BillState::Success).cloned().collect();
        assert_eq!(payments, same);

        let (columns, refunds, _) = trade_bill(world, date, Kind::TradeRefund).await;
        assert_eq!((columns, states(&refunds)), (29, vec!["REVOKED", "REFUND"]));
        let told = refunds[1].refund.as_ref().expect("a refund");
        assert_eq!(told.applied_at, Some(back.trade_time));
        assert!(told.applied_at < told.succeeded_at, "{told:?}");

        let (columns, recharged, sums) = trade_bill(world, date, Kind::TradeRechargeRefund).await;
        assert_eq!((columns, states(&recharged)), (29, vec!["REFUND"]));
        assert_eq!(recharged[0].refund.as_ref().expect("a refund").out_refund_no, day.recharged);
        assert_eq!(sums.refund_fee.map(Fen::get), Some(day::RECHARGED));

        // Whoever names no kind gets all of it.
        let unspecified = world.bill(MERCHANT, date, Kind::Unspecified).await.expect("there is a bill");
        assert_eq!(unspecified, world.bill(MERCHANT, date, Kind::TradeAll).await.expect("there is a bill"));
    });
}

#[test]
fn the_fund_flow_of_a_day_moves_what_its_trade_bills_say() {
    story(Options::default(), async |world| {
        let date = noon(world).await;
        let day = Day::lived(world).await;
        next_morning(world).await;

        let basic = FundFlow::read(&world.bill(MERCHANT, date, Kind::FundBasic).await.expect("there is a bill"));
        let mut moved = 0;
        let mut movements = 0;
        for kind in [Kind::TradeAll, Kind::TradeRechargeRefund] {
            for row in trade_bill(world, date, kind).await.1 {
                let number = row.refund.as_ref().map_or(&row.transaction_id, |refund| &refund.refund_id);
                let amount = row.total_fee.get() - refunded(&row);
                let of: Vec<i64> = basic.of(number).map(Movement::signed).collect();
                assert_eq!(of, [amount, -rounded(row.fee)], "{row:?}");
                moved += amount - rounded(row.fee);
                movements += of.len();
            }
        }
        assert_eq!((basic.balance_of_the_day(), basic.movements.len()), (moved, movements));

        let operation = world.bill(MERCHANT, date, Kind::FundOperation).await.expect("there is a bill");
        let operation = FundFlow::read(&operation);
        let packets: Vec<_> =
            operation.movements.iter().map(|moved| (moved.voucher.as_str(), moved.signed())).collect();
        assert_eq!(packets, [(day::RED_PACKET, -day::GIVEN)]);
        // Red packets are in no trade bill.
        assert!(day.paid.iter().all(|(number, _)| number != day::RED_PACKET));

        let none = world.bill(MERCHANT, date, Kind::FundFees).await;
        refused(none, Code::NotFound, ErrorReason::NoBill);
    });
}

/// The fee of a bill in whole fen, as an account has it.
fn rounded(fee: MilliFen) -> i64 {
    let magnitude = (fee.get().abs() + 500) / 1_000;
    if fee.get() < 0 { -magnitude } else { magnitude }
}

#[test]
fn a_day_without_a_movement_or_before_its_morning_has_no_bill_of_any_kind() {
    story(Options::default(), async |world| {
        let date = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        let kinds = [
            Kind::TradeAll,
            Kind::TradeSuccess,
            Kind::TradeRefund,
            Kind::TradeRechargeRefund,
            Kind::FundBasic,
            Kind::FundOperation,
            Kind::FundFees,
        ];
        for kind in kinds {
            let today = world.bill(MERCHANT, date, kind).await;
            refused(today, Code::FailedPrecondition, ErrorReason::BillNotReady);
            let before = world.bill(MERCHANT, date.yesterday().expect("inside the calendar"), kind).await;
            refused(before, Code::NotFound, ErrorReason::NoBill);
        }
        world.pass_to_next_day(8, 0).await;
        for kind in kinds {
            let early = world.bill(MERCHANT, date, kind).await;
            refused(early, Code::FailedPrecondition, ErrorReason::BillNotReady);
        }
    });
}

#[test]
fn fund_flows_need_the_certificate_and_trade_bills_do_not() {
    story(Options::default(), async |world| {
        let date = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        next_morning(world).await;
        merchant_file::change(world, without_certificate).await;
        for kind in [Kind::FundBasic, Kind::FundOperation, Kind::FundFees] {
            lacks_certificate(world.bill(MERCHANT, date, kind).await);
        }
        assert_eq!(trade_bill(world, date, Kind::TradeSuccess).await.1.len(), 1);
    });
}

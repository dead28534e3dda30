//! WeChat is told how its calls went (交易保障), in the background.

use e2e::{
    Options, Part, World, eventually,
    sandbox_client::{Fault, FaultPoint, Report, always, once},
    selling::{MERCHANT, State},
    story,
};
use proto::error::ErrorReason;
use tonic::Code;

use crate::refused::refused;

fn reporting() -> Options {
    Options::default().setting(Part::PayGateway, "WECHAT_REPORT_PER_MILLE", 1000)
}

/// Waits for the report about a call with this number.
async fn report(world: &World, path: &str, out_trade_no: &str) -> Report {
    eventually(&format!("{path} of {out_trade_no} is reported"), async || {
        let reports = world.sandbox.reports().await;
        let told = |report: &Report, field: &str| report.fields.get(field).cloned().unwrap_or_default();
        let about = |report: &Report| {
            told(report, "interface_url").ends_with(path) && told(report, "out_trade_no") == out_trade_no
        };
        reports.into_iter().find(about)
    })
    .await
}

async fn ended(world: &World, outcome: &str) -> i64 {
    world.metric(Part::PayGateway, "provider_reports_total", &[("outcome", outcome)]).await
}

#[test]
fn wechat_hears_how_each_call_went() {
    story(reporting(), async |world| {
        world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        cashier.order().becomes_when_asked(State::Paid).await;
        for path in ["/pay/unifiedorder", "/pay/orderquery"] {
            let report = report(world, path, cashier.out_trade_no()).await;
            assert_eq!(report.merchant, MERCHANT);
            for (field, value) in [("return_code", "SUCCESS"), ("result_code", "SUCCESS"), ("user_ip", "127.0.0.1")] {
                assert_eq!(report.fields[field], value, "{report:?}");
            }
            assert!(report.fields["execute_time"].parse::<u64>().is_ok(), "{report:?}");
        }

        let no = Fault::ErrorCode { code: "INVALID_REQUEST".to_owned(), executed: false };
        world.sandbox.fault(once(FaultPoint::UnifiedOrder, no)).await;
        let order = world.create_order(100).await;
        refused(order.pay_by_openid().attempt().await, Code::FailedPrecondition, ErrorReason::ProviderRefused);
        let number = order.now().await.payments[0].out_trade_no.clone();
        let report = report(world, "/pay/unifiedorder", &number).await;
        assert_eq!((&*report.fields["result_code"], &*report.fields["err_code"]), ("FAIL", "INVALID_REQUEST"));
        world.counts(Part::PayGateway, "provider_reports_total", &[("outcome", "failed")], 0).await;
    });
}

#[test]
fn reports_that_hang_or_fail_delay_no_payment() {
    // Each hangs for two seconds before it is given up, one after the other.
    const CALLS: i64 = 10;
    story(reporting(), async |world| {
        let hangs = world.sandbox.fault(always(FaultPoint::Report, Fault::Late { delay_ms: 60_000 })).await;
        for _ in 0..CALLS {
            let cashier = world.open_cashier(100).await;
            cashier.pay().await;
            cashier.order().becomes(State::Paid).await;
        }
        eventually("a report hangs", async || 1 <= world.sandbox.hits(&hangs).await).await;
        assert_eq!(ended(world, "taken").await, 0);
        let given_up = ended(world, "failed").await;
        assert!(given_up < CALLS - 1, "{given_up} of {CALLS} reports were waited for");

        world.sandbox.clear_faults().await;
        let fails = Fault::Status { status: 500, executed: false };
        let fails = world.sandbox.fault(always(FaultPoint::Report, fails)).await;
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        cashier.order().becomes(State::Paid).await;
        eventually("a report fails", async || 1 <= world.sandbox.hits(&fails).await).await;
        world.sandbox.clear_faults().await;
        // What was not told is not told again.
        let last = world.open_cashier(100).await;
        report(world, "/pay/unifiedorder", last.out_trade_no()).await;
        assert!(1 <= ended(world, "failed").await);
    });
}

#[test]
fn nobody_is_told_anything_unless_it_is_asked_for() {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        cashier.pay().await;
        cashier.order().becomes(State::Paid).await;
        assert_eq!(world.sandbox.reports().await, []);
    });
}

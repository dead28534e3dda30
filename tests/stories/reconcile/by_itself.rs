//! Every morning at ten in Beijing, without anybody asking.

use std::time::Duration;

use e2e::{
    Options, World, eventually,
    sandbox_client::{Fault, FaultPoint, FaultRule, once},
    selling::{MERCHANT, OTHER_MERCHANT},
    story,
};
use jiff::civil::Date;
use proto::reconcile::v1::{ListRunsRequest, Run};

use super::{assert_balanced, noon, sell};

#[test]
fn every_merchants_yesterday_is_compared_at_ten() {
    story(by_itself(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100, 250]).await;
        sell(world, OTHER_MERCHANT, &[777]).await;
        world.books_are_written().await;
        world.pass_to_next_day(10, 5).await;
        assert_balanced(&run_of(world, MERCHANT, day).await, 1, 2, 350);
        assert_balanced(&run_of(world, OTHER_MERCHANT, day).await, 1, 1, 777);
    });
}

#[test]
fn a_bill_that_is_not_ready_at_ten_is_fetched_half_an_hour_later() {
    story(by_itself(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100]).await;
        world.books_are_written().await;
        let creating = Fault::ErrorCode { code: "Bill Creating".to_owned(), executed: false };
        let rule = FaultRule { merchant: Some(MERCHANT.to_owned()), ..once(FaultPoint::DownloadBill, creating) };
        let creating = world.sandbox.fault(rule).await;
        world.pass_to_next_day(10, 5).await;
        eventually("the bill is not ready", async || world.sandbox.hits(&creating).await == 1).await;
        // Merchants are tried one after the other, so the first try of this morning is over with the last of them.
        run_of(world, OTHER_MERCHANT, day).await;
        world.pass(Duration::from_mins(30)).await;
        assert_balanced(&run_of(world, MERCHANT, day).await, 1, 1, 100);
    });
}

fn by_itself() -> Options {
    Options { reconcile_by_itself: true, ..Options::default().with_reconcile() }
}

/// Waits for the current run of a day.
async fn run_of(world: &World, merchant: &str, day: Date) -> Run {
    let request =
        ListRunsRequest { merchant: merchant.to_owned(), bill_date: day.to_string(), ..ListRunsRequest::default() };
    eventually(&format!("{merchant} {day} is compared"), async || {
        let listed = world.reconcile().list_runs(request.clone()).await.map_err(|status| status.to_string())?;
        listed.into_inner().runs.into_iter().find(|run| run.current).ok_or_else(|| "not yet".to_owned())
    })
    .await
}

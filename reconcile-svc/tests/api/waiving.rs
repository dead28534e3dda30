use std::time::Duration;

use jiff::ToSpan as _;
use proto::reconcile::v1::ResolveDiscrepancyRequest;
use proto::reconcile::v1::discrepancy::State;
use proto::reconcile::v1::resolve_discrepancy_request::Step;

use crate::bill::{self, Payment};
use crate::harness::World;
use crate::people::{ONE, request};

#[tokio::test(flavor = "multi_thread")]
async fn one_lives_with_a_difference_until_the_day_that_was_said() {
    let world = World::start().await;
    let day = world.day();
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&Payment::on(day, 100)]));
    world.run(day).await;
    let found = world.discrepancies().await.remove(0);
    let today = wechat_pay::time::bill_date(world.clock.now());
    let waive = |until: jiff::civil::Date| ResolveDiscrepancyRequest {
        waive_until: until.to_string(),
        note: "微信处理中".to_owned(),
        ..request(&found, Step::Waive)
    };
    for until in [today, today.saturating_sub(1.day()), today.saturating_add(181.days())] {
        let status = world.resolve(ONE, waive(until)).await.expect_err("not a day until which one can wait");
        assert!(status.message().starts_with("waive_until: "), "{status}");
    }
    let until = today.saturating_add(3.days());
    let waived = world.resolve(ONE, waive(until)).await.expect("one can live with it");
    assert_eq!(
        (waived.state(), waived.waived_until, waived.resolution.as_str()),
        (State::Waived, until.to_string(), "WAIVED")
    );
    // A run that still finds it does not open it.
    world.book(&[&Payment::on(day, 7)]).await;
    world.run(day).await;
    let waived = |found: &proto::reconcile::v1::Discrepancy| found.state() == State::Waived;
    assert!(world.discrepancies().await.iter().any(waived));

    let midnight = wechat_pay::time::day_start(until).expect("within the calendar");
    let minute_before = midnight.duration_since(world.clock.now()) - jiff::SignedDuration::from_mins(1);
    world.hand.advance(Duration::try_from(minute_before).expect("it lies ahead"));
    assert!(world.discrepancies().await.iter().any(waived), "its day has not come");
    world.hand.advance(Duration::from_mins(1));
    let open = world
        .until("it is open again", async || {
            let all = world.discrepancies().await;
            all.into_iter().find(|one| one.name == found.name && one.state() == State::Open)
        })
        .await;
    assert_eq!((open.waived_until.as_str(), open.resolution.as_str()), ("", ""));

    let told = world.messages("RECON", 6).await;
    let of = |fact: &str| {
        let subject = format!("recon.v1.discrepancy.{fact}.acme-mini");
        let is = |body: &serde_json::Value| body["discrepancy"] == found.name.as_str();
        told.iter().filter(|(on, body)| *on == subject && is(body)).map(|(_, body)| body.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("resolved").len(), 1);
    assert_eq!(of("resolved")[0]["resolution"], "WAIVED");
    let opened = of("opened");
    assert_eq!(opened.len(), 2);
    assert!(opened.iter().any(|body| body["run"].as_str().unwrap_or_default().is_empty()), "{opened:?}");
    let log = world.log().await;
    // What is open again may already be asked about.
    let ended: Vec<_> = log.iter().filter(|(_, action, _)| action == "WAIVER_ENDED").collect();
    assert_eq!(ended.len(), 1, "{log:?}");
    let (actor, _, detail) = ended[0];
    assert_eq!(actor, "reconcile-svc");
    assert!(detail.contains(&until.to_string()), "{detail}");
    world.end().await;
}

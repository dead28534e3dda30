use std::time::Duration;

use sandbox::control::{ClockState, Problem};
use serde_json::json;

use crate::harness::Bench;

#[tokio::test]
async fn time_goes_forward_by_command() {
    let bench = Bench::start().await;
    let before = bench.clock().await;
    assert_eq!(before.offset_ms, 0);
    let after = bench.advance(Duration::from_hours(24)).await;
    assert_eq!(after.offset_ms, 86_400_000);
    assert!(before.now + Duration::from_hours(24) <= after.now);
    assert_eq!(bench.advance(Duration::ZERO).await.offset_ms, 86_400_000);
}

#[tokio::test]
async fn who_follows_the_clock_hears_of_a_jump() {
    let bench = Bench::start().await;
    let follow = bench.http.get(format!("{}/_sandbox/clock?after=0", bench.url)).send();
    let (heard, _) = tokio::join!(follow, bench.advance(Duration::from_mins(5)));
    let heard: ClockState = heard.unwrap().json().await.unwrap();
    assert_eq!(heard.offset_ms, 300_000);
}

#[tokio::test]
async fn who_asks_after_an_old_offset_is_answered_at_once() {
    let bench = Bench::start().await;
    bench.advance(Duration::from_mins(5)).await;
    let url = format!("{}/_sandbox/clock?after=0", bench.url);
    let heard: ClockState = bench.http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(heard.offset_ms, 300_000);
}

#[tokio::test]
async fn the_clock_does_not_go_back_or_out_of_the_calendar() {
    let bench = Bench::start().await;
    for command in [json!({ "advance_ms": -1 }), json!({ "advance_ms": u64::MAX }), json!({}), json!({ "advance": 1 })]
    {
        let url = format!("{}/_sandbox/clock", bench.url);
        let response = bench.http.post(url).json(&command).send().await.unwrap();
        assert_eq!(response.status(), 400, "{command}");
        assert!(!response.json::<Problem>().await.unwrap().error.is_empty());
    }
    assert_eq!(bench.clock().await.offset_ms, 0);
}

//! Bills that somebody gives, whole, in place of what the ledger says.

use jiff::{SignedDuration, civil::Date};
use reqwest::Method;
use sandbox::control::{GivenBill, Problem};
use wechat_pay::{
    bill::plain,
    time,
    v2::{FileDigest, xml},
};

use crate::harness::{ACME, Bench};

/// What somebody gave. Whether it is a bill is a matter of whoever reads it.
const GIVEN: &[u8] = "记账时间,微信支付业务单号\r\n`2026-11-28 10:00:00,`4200002764202611280000000001\r\n".as_bytes();

/// A bench on whose first day 1.00 yuan was paid, the next morning.
async fn next_morning() -> (Bench, Date) {
    let bench = Bench::start().await;
    let day = time::bill_date(bench.clock().await.now).tomorrow().unwrap();
    bench.advance_to(time::day_start(day).unwrap() + SignedDuration::from_hours(8)).await;
    bench.sell(&ACME, "A00000001", 100).await;
    bench.advance_to(time::day_start(day.tomorrow().unwrap()).unwrap() + SignedDuration::from_hours(10)).await;
    (bench, day)
}

async fn tell(bench: &Bench, method: Method, place: &str, body: &[u8]) -> reqwest::Response {
    let url = format!("{}/_sandbox/merchants/{place}", bench.url);
    bench.http.request(method, url).body(body.to_vec()).send().await.unwrap()
}

async fn given(bench: &Bench, day: Date, kind: &str, body: &[u8]) -> GivenBill {
    let response = tell(bench, Method::PUT, &format!("{}/bills/{day}/{kind}", ACME.name), body).await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn trade_bill(bench: &Bench, day: Date, more: &[(&str, &str)]) -> Vec<u8> {
    let date = time::print_date(day);
    let fields = ACME.signed(&[&[("bill_date", &*date)], more].concat());
    let request = xml::write("xml", &fields).into_bytes();
    bench.send("/pay/downloadbill", request).await.unwrap().bytes().await.unwrap().to_vec()
}

fn unpacked(body: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    std::io::copy(&mut plain(body).unwrap(), &mut text).unwrap();
    text
}

#[tokio::test]
async fn a_given_trade_bill_is_what_downloads_get_until_it_is_taken_away() {
    let (bench, day) = next_morning().await;
    let own = trade_bill(&bench, day, &[]).await;
    let answer = given(&bench, day, "trade", GIVEN).await;
    assert_eq!(answer.bytes, u64::try_from(GIVEN.len()).unwrap());
    assert_eq!(trade_bill(&bench, day, &[]).await, GIVEN);
    let packed = trade_bill(&bench, day, &[("tar_type", "GZIP")]).await;
    assert_eq!((packed.len(), unpacked(&packed)), (usize::try_from(answer.gzip_bytes).unwrap(), GIVEN.to_vec()));
    // It stands for the bill of all kinds alone.
    assert_ne!(trade_bill(&bench, day, &[("bill_type", "SUCCESS")]).await, GIVEN);
    let place = format!("{}/bills/{day}/trade", ACME.name);
    assert_eq!(tell(&bench, Method::DELETE, &place, &[]).await.status(), 204);
    assert_eq!(tell(&bench, Method::DELETE, &place, &[]).await.status(), 404);
    assert_eq!(trade_bill(&bench, day, &[]).await, own);
}

#[tokio::test]
async fn a_given_fund_flow_comes_with_the_digest_of_what_is_packed_in_it() {
    let (bench, day) = next_morning().await;
    given(&bench, day, "trade", GIVEN).await;
    let packed = trade_bill(&bench, day, &[("tar_type", "GZIP")]).await;
    assert_eq!(given(&bench, day, "basic", &packed).await.bytes, u64::try_from(GIVEN.len()).unwrap());
    let date = time::print_date(day);
    let fields = ACME.signed(&[("bill_date", &date), ("account_type", "Basic"), ("tar_type", "GZIP")]);
    let response = bench.send_certified(&ACME, "/pay/downloadfundflow", &fields).await;
    let digest = response.headers()["digest"].to_str().unwrap().to_owned();
    let body = response.bytes().await.unwrap();
    assert_eq!(body, packed);
    let mut promised = FileDigest::promised(&digest).unwrap().unwrap();
    promised.served(&body);
    promised.plain(GIVEN);
    assert!(promised.holds());
}

#[tokio::test]
async fn what_cannot_be_a_bill_of_this_merchant_is_refused_with_the_reason() {
    let (bench, day) = next_morning().await;
    let broken = [0x1f, 0x8b, 8, 0, 1, 2, 3];
    for (place, body, status, reason) in [
        (format!("nobody/bills/{day}/trade"), GIVEN, 404, "no merchant"),
        (format!("{}/bills/tomorrow/trade", ACME.name), GIVEN, 400, "2026-11-28"),
        (format!("{}/bills/{day}/trades", ACME.name), GIVEN, 400, "trade, basic, operation or fees"),
        (format!("{}/bills/{day}/trade", ACME.name), &[], 400, "empty"),
        (format!("{}/bills/{day}/trade", ACME.name), &broken, 400, "unpacked"),
    ] {
        let response = tell(&bench, Method::PUT, &place, body).await;
        assert_eq!(response.status(), status, "{place}");
        let problem: Problem = response.json().await.unwrap();
        assert!(problem.error.contains(reason), "{place}: {}", problem.error);
    }
}

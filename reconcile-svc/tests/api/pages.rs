//! Report pages of a running service; what they look like is in `tests/pages/`.

use std::time::{Duration, Instant};

use jiff::ToSpan as _;
use proto::reconcile::v1::run::State;

use crate::bill::{self, Payment};
use crate::harness::World;

#[tokio::test(flavor = "multi_thread")]
async fn finance_finds_from_the_start_page_to_the_run_in_its_language() {
    let world = World::start().await;
    let (status, empty) = world.page("/").await;
    assert_eq!(status, 200);
    assert!(empty.contains("No run yet."), "{empty}");

    let day = world.day();
    let (ours, strange) = (Payment::on(day, 100), Payment::on(day, 123_456));
    world.book(&[&ours]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&ours, &strange]));
    let run = world.run(day).await;
    assert_eq!(run.state(), State::Differences);

    let (_, start) = world.page("/").await;
    let cell =
        format!("<td class=\"bad\"><a href=\"/{}\" aria-label=\"{day} 1 difference, 1 open\">1</a></td>", run.name);
    assert!(start.contains(&cell), "{cell} in {start}");
    assert!(start.contains("1,234.56") && start.contains("number never issued by us"), "{start}");

    let (_, page) = world.page(&format!("/{}?lang=zh", run.name)).await;
    assert!(page.contains("<html lang=\"zh-CN\">") && page.contains("账单有，非我方单号"), "{page}");
    assert!(page.contains("href=\"/?lang=zh\""), "the language stays: {page}");
    assert!(page.contains("1 笔差异，涉及 1,234.56 元。"), "{page}");

    // The filter leaves out what is not asked for, and says so.
    let (_, other) = world.page(&format!("/{}?code=P5", run.name)).await;
    assert!(other.contains("None is like this.") && !other.contains(strange.out_trade_no.as_str()), "{other}");
    let (_, wanted) = world.page(&format!("/{}?number={}&unfinished=1", run.name, strange.out_trade_no)).await;
    assert!(
        wanted.contains(&format!("<div class=\"id\" title=\"our number (out_trade_no)\">{}", strange.out_trade_no))
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_cannot_be_asked_are_told_as_such() {
    let world = World::start().await;
    let nobody = "019aa5f0-0000-7000-8000-000000000000";
    for path in [
        format!("/runs/{nobody}"),
        "/runs/1".to_owned(),
        "/discrepancies/x".to_owned(),
        format!("/runs/{nobody}/export.exe"),
        format!("/runs/{nobody}/else.csv"),
        "/somewhere/else".to_owned(),
    ] {
        assert_eq!(world.page(&path).await.0, 404, "{path}");
    }
    let (status, page) = world.page(&format!("/runs/{nobody}?page=nonsense")).await;
    assert_eq!(status, 404, "{page}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_told_to_run_and_fetch_nothing() {
    let world = World::start().await;
    for path in ["/", "/runs/x", "/nowhere"] {
        let headers = world.page_headers(path).await;
        let policy = headers["content-security-policy"].to_str().expect("text");
        for rule in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "style-src 'unsafe-inline'"]
        {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("script"), "{path}: {policy}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
    }
    world.end().await;
}

/// The bound is far above what it takes (some tens of milliseconds), because tests share their machine.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_merchants_and_thirty_days_are_one_quick_page() {
    let world = World::start().await;
    let yesterday = world.day().saturating_add(1.day());
    sqlx::query(
        "INSERT INTO runs (run_id, merchant, bill_date, version, state, current, engine_version, start_time, end_time)
         SELECT gen_random_uuid(), 'merchant-' || to_char(m, 'FM000'), $1::DATE - d, v,
           CASE WHEN (m + d) % 7 = 0 THEN 'DIFFERENCES' ELSE 'BALANCED' END, v = 3, 4, now(), now()
         FROM generate_series(1, 100) m, generate_series(0, 89) d, generate_series(1, 3) v",
    )
    .bind(jiff_sqlx::ToSqlx::to_sqlx(yesterday))
    .execute(&world.pool)
    .await
    .expect("runs");
    sqlx::query(
        "INSERT INTO discrepancies (discrepancy_id, merchant, bill_date, code, out_trade_no, transaction_id, app_id,
           bill_amount_fen, book_amount_fen, risk_fen, explanation, state, open_time, opened_by, resolve_time, resolved_by,
           fingerprint)
         SELECT gen_random_uuid(), r.merchant, r.bill_date, 'P6', n::TEXT, n::TEXT, '', 2, 1, 2, 'why',
           CASE n WHEN 1 THEN 'OPEN' ELSE 'RESOLVED' END, now(), r.run_id, CASE n WHEN 1 THEN NULL ELSE now() END,
           CASE n WHEN 1 THEN NULL ELSE r.run_id END, r.bill_date::TEXT || n
         FROM runs r, generate_series(1, 20) n WHERE r.state = 'DIFFERENCES' AND r.current",
    )
    .execute(&world.pool)
    .await
    .expect("differences");
    // The first look warms caches up.
    assert_eq!(world.page("/").await.0, 200);
    let begun = Instant::now();
    let (_, page) = world.page("/").await;
    let took = begun.elapsed();
    println!("the start page took {took:?} and has {} bytes", page.len());
    assert_eq!(page.matches("<th scope=\"row\">").count(), 100);
    assert_eq!(page.matches("aria-label=\"2").count(), 3_000);
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
    assert!(took < Duration::from_secs(2), "{took:?}");
    world.end().await;
}

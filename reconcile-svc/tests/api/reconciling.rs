use money::Fen;
use proto::reconcile::v1::run::State;
use wechat_pay::bill::BillState;

use crate::bill::{self, Payment};
use crate::gateway::Bill;
use crate::harness::World;
use crate::refund::Refund;

#[tokio::test(flavor = "multi_thread")]
async fn a_day_on_which_bill_and_books_agree_is_balanced_and_told() {
    let world = World::start().await;
    let day = world.day();
    let (one, two) = (Payment::on(day, 100), Payment::on(day, 2550));
    world.book(&[&one, &two]).await;
    let refund = Refund::of(&two, 50);
    world.publish(&[refund.accepted("REQUESTED")]).await;
    world.publish(&[refund.succeeded("REQUESTED")]).await;
    world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(bill::text(&[one.row(), two.row(), refund.row()])));

    let run = world.run(day).await;
    assert_eq!((run.state(), run.version, run.current, run.problem.as_str()), (State::Balanced, 1, true, ""));
    assert_eq!((run.bill_count, run.bill_sum_fen), (2, 2650));
    assert_eq!((run.book_count, run.book_sum_fen, run.matched_count, run.matched_sum_fen), (2, 2650, 2, 2650));
    assert_eq!((run.bill_refund_count, run.bill_refund_sum_fen), (1, 50));
    assert_eq!((run.book_refund_count, run.book_refund_sum_fen), (1, 50));
    assert_eq!((run.matched_refund_count, run.matched_refund_sum_fen), (1, 50));
    assert_eq!(run.bill_fee_yuan, "0.15600");
    assert_eq!((run.bill_sha256.len(), run.books_sha256.len()), (64, 64));
    assert_eq!(run, world.get(&run.name).await);

    let told = world.messages("RECON", 1).await;
    assert_eq!(told[0].0, "recon.v1.run.completed.acme-mini");
    assert_eq!((&told[0].1["verdict"], &told[0].1["billSumFen"]), (&"BALANCED".into(), &"2650".into()));

    let (status, page) = world.page(&format!("/{}", run.name)).await;
    assert_eq!(status, 200);
    assert!(page.contains("Balanced") && page.contains("26.50") && page.contains("verdict good"), "{page}");
    assert!(world.page("/").await.1.contains(&format!("href=\"/{}\"", run.name)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_difference_is_opened_told_and_shown() {
    let world = World::start().await;
    let day = world.day();
    let fine = Payment::on(day, 1);
    let pending = Payment::on(day, 10_000);
    let mut unknown = Payment::on(day, 20_000);
    unknown.out_trade_no = "<img src=x onerror=alert(1)>".to_owned();
    let mut book_only = Payment::on(day, 30_000);
    book_only.order_no = "\"><script>alert(2)</script>".to_owned();
    let differs = Payment::on(day, 40_000);
    let revoked = Payment::on(day, 50_000);
    world.book(&[&fine, &book_only, &differs, &revoked]).await;
    world.publish(&[pending.issued()]).await;
    let elsewhere = Refund::of(&fine, 1);
    let (mut more, mut gone) = (differs.row(), revoked.row());
    (more.total_fee, more.settlement_total_fee) = (Fen::new(40_001), Fen::new(40_001));
    gone.state = BillState::Revoked;
    let rows = [fine.row(), pending.row(), unknown.row(), more, gone, elsewhere.row()];
    world.gateway.set_bill(bill::MERCHANT, day, Bill::Whole(bill::text(&rows)));

    let run = world.run(day).await;
    assert_eq!(run.state(), State::Differences);
    let codes: Vec<_> = run.differences.iter().map(|code| (code.code.as_str(), code.count, code.sum_fen)).collect();
    let expected =
        [("P1", 1, 10_000), ("P3", 1, 20_000), ("P5", 1, 30_000), ("P6", 1, 1), ("P8", 1, 50_000), ("R1", 1, 1)];
    assert_eq!(codes, expected);
    assert_eq!((run.matched_count, run.matched_sum_fen), (1, 1));

    let found = world.discrepancies().await;
    let mut told: Vec<_> =
        found.iter().map(|found| (found.code.as_str(), found.bill_amount_fen, found.book_amount_fen)).collect();
    let largest_first: Vec<&str> = told[..4].iter().map(|(code, ..)| *code).collect();
    assert_eq!(largest_first, ["P8", "P5", "P3", "P1"]);
    told.sort_unstable();
    let of = |code| told.iter().find(|(found, ..)| *found == code).map(|(_, bill, book)| (*bill, *book));
    assert_eq!((of("P6"), of("P5"), of("R1")), (Some((40_001, 40_000)), Some((0, 30_000)), Some((1, 0))));
    assert!(found.iter().all(|found| found.opened_by == run.name && !found.explanation.is_empty()));

    let told = world.messages("RECON", 7).await;
    let opened = told.iter().filter(|(subject, _)| subject == "recon.v1.discrepancy.opened.acme-mini");
    assert_eq!(opened.count(), 6);
    let completed = told.iter().find(|(subject, _)| subject.starts_with("recon.v1.run.completed"));
    assert_eq!(completed.expect("a completed run").1["openDiscrepancies"], "6");

    let (status, page) = world.page(&format!("/{}", run.name)).await;
    assert_eq!(status, 200);
    assert!(page.contains("6 differences, 1,100.02 yuan at risk") && page.contains("verdict bad"), "{page}");
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"), "{page}");
    assert!(page.contains("&quot;&gt;&lt;script&gt;alert(2)&lt;/script&gt;"), "{page}");
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_a_bill_is_balanced_when_nobody_paid_and_p5_for_each_payment_otherwise() {
    let world = World::start().await;
    let day = world.day();
    let empty = world.run(day).await;
    assert_eq!((empty.state(), empty.bill_count, empty.bill_sha256.as_str()), (State::Balanced, 0, ""));

    world.book(&[&Payment::on(day, 100), &Payment::on(day, 200)]).await;
    let run = world.run(day).await;
    assert_eq!((run.state(), run.version, run.book_sum_fen), (State::Differences, 2, 300));
    assert_eq!((run.differences[0].code.as_str(), run.differences[0].count), ("P5", 2));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_not_there_say_so() {
    let world = World::start().await;
    for path in ["/runs/00000000-0000-7000-8000-000000000000", "/runs/<script>", "/favicon.ico"] {
        let (status, page) = world.page(path).await;
        assert_eq!(status, 404, "{path}");
        assert!(!page.contains("<script"), "{page}");
    }
    world.end().await;
}

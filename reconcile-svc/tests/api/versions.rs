use proto::event::repair_answered::Outcome;
use proto::reconcile::v1::discrepancy::State as DiscrepancyState;
use proto::reconcile::v1::run::State;
use proto::reconcile::v1::{ListDiscrepanciesRequest, ListRunsRequest};

use crate::bill::{self, Payment};
use crate::harness::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_inputs_are_the_same_run_and_new_inputs_the_next_version() {
    let world = World::start().await;
    let day = world.day();
    let payment = Payment::on(day, 100);
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    let first = world.run(day).await;
    assert_eq!((first.state(), first.differences[0].code.as_str()), (State::Differences, "P3"));
    assert_eq!(world.run(day).await, first);
    assert_eq!(world.gateway.downloads(), 2);

    world.book(&[&payment]).await;
    let second = world.run(day).await;
    assert_eq!((second.state(), second.version, second.current), (State::Balanced, 2, true));
    assert_eq!(second.bill_sha256, first.bill_sha256);
    assert_ne!(second.books_sha256, first.books_sha256);

    // The first version stays readable as it was, but for the mark that it is not the last.
    let mut kept = world.get(&first.name).await;
    assert!(!std::mem::replace(&mut kept.current, true));
    assert_eq!(kept, first);

    let found = world.discrepancies().await;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].state(), &found[0].opened_by), (DiscrepancyState::Resolved, &first.name));
    assert_eq!(found[0].resolved_by, second.name);
    let told = world.messages("RECON", 4).await;
    let resolved = told.iter().find(|(subject, _)| subject == "recon.v1.discrepancy.resolved.acme-mini");
    assert_eq!(resolved.expect("a resolved difference").1["run"], second.name);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_keeps_its_identity_and_its_age_over_versions() {
    let world = World::start().await;
    let day = world.day();
    let (stays, comes) = (Payment::on(day, 100), Payment::on(day, 50));
    world.book(&[&stays]).await;
    let first = world.run(day).await;
    world.in_state(DiscrepancyState::Resolving).await;
    let before = world.discrepancies().await;

    world.book(&[&comes]).await;
    let second = world.run(day).await;
    assert_eq!(second.version, 2);
    let after = world.discrepancies().await;
    assert_eq!(after.len(), 2);
    assert_eq!(after[0], before[0]);
    assert_eq!((&after[0].opened_by, &after[1].opened_by), (&first.name, &second.name));

    // It vanishes and comes back: still the same difference, open again.
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&stays, &comes]));
    assert_eq!(world.run(day).await.state(), State::Balanced);
    assert!(world.discrepancies().await.iter().all(|found| found.state() == DiscrepancyState::Resolved));
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&comes]));
    assert_eq!(world.run(day).await.version, 4);
    let again = world.discrepancies().await;
    assert_eq!((&again[0].name, again[0].state()), (&before[0].name, DiscrepancyState::Open));
    assert_eq!((again[0].open_time, again[0].resolve_time), (before[0].open_time, None));
    assert_eq!(again[1].state(), DiscrepancyState::Resolved);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_of_one_day_at_once_are_one_run() {
    let world = World::start().await;
    let day = world.day();
    let payment = Payment::on(day, 100);
    world.book(&[&payment]).await;
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    let (one, two, three) = tokio::join!(world.run(day), world.run(day), world.run(day));
    assert_eq!((&one, &two), (&two, &three));
    let runs = world.runs().await;
    assert_eq!(runs, [one]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_and_filters_hold() {
    let world = World::start().await;
    let day = world.day();
    let payments: Vec<Payment> = (1..=5).map(|fen| Payment::on(day, fen * 100)).collect();
    world.book(&payments.iter().collect::<Vec<_>>()).await;
    world.run(day).await;
    world.run(day.yesterday().expect("within the calendar")).await;

    let mut client = world.client.clone();
    let mut request = ListDiscrepanciesRequest { page_size: 2, code: "P5".to_owned(), ..Default::default() };
    let mut amounts = Vec::new();
    loop {
        let page = client.list_discrepancies(request.clone()).await.expect("a page").into_inner();
        assert!(page.discrepancies.len() <= 2);
        amounts.extend(page.discrepancies.iter().map(|found| found.book_amount_fen));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(amounts, [500, 400, 300, 200, 100]);
    for nothing in [
        ListDiscrepanciesRequest { code: "P1".to_owned(), ..Default::default() },
        ListDiscrepanciesRequest { merchant: "other".to_owned(), ..Default::default() },
        ListDiscrepanciesRequest { state: DiscrepancyState::Resolved.into(), ..Default::default() },
    ] {
        assert_eq!(client.list_discrepancies(nothing).await.expect("a page").into_inner().discrepancies, []);
    }

    let first =
        client.list_runs(ListRunsRequest { page_size: 1, ..Default::default() }).await.expect("a page").into_inner();
    let token = first.next_page_token.clone();
    let rest = ListRunsRequest { page_size: 1, page_token: token, ..Default::default() };
    let second = client.list_runs(rest).await.expect("a page").into_inner();
    assert_eq!((first.runs.len(), second.runs.len(), second.next_page_token.as_str()), (1, 1, ""));
    assert_ne!(first.runs[0].name, second.runs[0].name);
    let of_day = ListRunsRequest { bill_date: day.to_string(), ..Default::default() };
    let of_day = client.list_runs(of_day).await.expect("a page").into_inner().runs;
    assert_eq!(of_day.iter().map(|run| run.bill_date.as_str()).collect::<Vec<_>>(), [day.to_string()]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_day_still_tells_ends_with_that_days_next_version() {
    let world = World::start().await;
    let next = world.day();
    let day = next.yesterday().expect("within the calendar");
    let payment = Payment::on(day, 100);
    let later = Payment { paid_time: payment.paid_time + jiff::SignedDuration::from_hours(24), ..payment.clone() };
    let other = Payment::on(day, 7);
    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&payment]));
    world.run(day).await;
    world.gateway.set_bill(bill::MERCHANT, next, bill::of(&[&later]));
    world.run(next).await;
    let found = world.discrepancies().await;
    assert_eq!((found.len(), found[0].code.as_str(), &found[0].bill_date), (1, "P3", &day.to_string()));
    let state = async || {
        let all = world.discrepancies().await;
        all.iter().find(|one| one.name == found[0].name).expect("it stays").state()
    };

    world.gateway.set_bill(bill::MERCHANT, day, bill::of(&[&other]));
    assert_eq!(world.run(day).await.version, 2);
    assert_eq!(state().await, DiscrepancyState::Open, "the next day has it still");
    world.gateway.set_bill(bill::MERCHANT, next, bill::of(&[]));
    let last = world.run(next).await;
    assert_eq!((last.version, state().await), (2, DiscrepancyState::Resolved));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_and_is_found_again_is_open_again_although_the_version_stays() {
    let world = World::start().await;
    let next = world.day();
    let day = next.yesterday().expect("within the calendar");
    let midnight = wechat_pay::time::day_start(next).expect("within the calendar");
    let payment = Payment::at(midnight - jiff::SignedDuration::from_secs(2), 100);
    world.book(&[&payment]).await;
    let missing = world.run(day).await;
    world.in_state(DiscrepancyState::Resolving).await;
    let mut row = payment.row();
    row.trade_time = midnight;
    world.gateway.set_bill(bill::MERCHANT, next, crate::gateway::Bill::Whole(bill::text(&[row])));
    world.run(next).await;
    let ended = world.discrepancies().await.remove(0);
    assert_eq!((ended.code.as_str(), ended.state()), ("P5", DiscrepancyState::Resolved));

    // WeChat's next file of that day has it no more.
    world.gateway.set_bill(bill::MERCHANT, next, bill::of(&[]));
    assert_eq!(world.run(next).await.version, 2);
    assert_eq!(world.run(day).await, missing, "nothing else is new");
    // order-svc was asked about it before it ended, and its answer counts.
    let again = world.discrepancies().await.remove(0);
    assert_eq!((&again.name, again.state()), (&ended.name, DiscrepancyState::Resolving));
    assert_eq!((&again.resolve_time, again.resolution.as_str(), again.resolved_by.as_str()), (&None, "", ""));
    let log = world.log().await;
    let reopened = log.iter().filter(|(_, action, _)| action == "REOPENED").count();
    assert_eq!(reopened, 1, "{log:?}");
    let opened = async || {
        let all = world.messages("RECON", 0).await;
        all.into_iter().filter(|(subject, _)| subject == "recon.v1.discrepancy.opened.acme-mini").count()
    };
    world.until("it is told again", async || (opened().await == 2).then_some(())).await;

    // Somebody is at it: nothing changes it once more.
    let before = world.log().await.len();
    assert_eq!(world.run(day).await, missing);
    assert_eq!((world.discrepancies().await, world.log().await.len()), (vec![again], before));
    let question = world.question(1).await;
    world.answer(&question, Outcome::Confirmed, "paid").await;
    assert_eq!(world.in_state(DiscrepancyState::Open).await.answer, "CONFIRMED: paid");
    world.end().await;
}

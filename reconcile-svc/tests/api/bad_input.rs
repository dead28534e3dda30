use jiff::ToSpan as _;
use proto::reconcile::v1::{GetRunRequest, ListDiscrepanciesRequest, ListRunsRequest, RunReconciliationRequest};
use svc_kit::refusal::reason_of;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::bill::MERCHANT;
use crate::harness::World;

fn fields(status: &Status) -> Vec<String> {
    assert_eq!((status.code(), reason_of(status).as_deref()), (Code::InvalidArgument, Some("INVALID_ARGUMENT")));
    let told = status.get_details_bad_request().expect("a BadRequest").field_violations;
    told.into_iter().map(|violation| violation.field).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_named_at_once() {
    let world = World::start().await;
    let mut client = world.client.clone();
    let nothing = RunReconciliationRequest::default();
    let refused = client.run_reconciliation(nothing).await.expect_err("all fields are missing");
    assert_eq!(fields(&refused), ["request_id", "merchant", "bill_date"]);

    let today = wechat_pay::time::bill_date(world.clock.now());
    let wrong_dates = [
        // Tomorrow too, so that a midnight during the test changes nothing.
        today.saturating_add(1.days()).to_string(),
        today.saturating_sub(4.months()).to_string(),
        "2026-02-30".to_owned(),
        "20261121".to_owned(),
        "2026-11-21T00:00:00".to_owned(),
    ];
    for bill_date in wrong_dates {
        let request = RunReconciliationRequest {
            request_id: Uuid::new_v4().to_string(),
            merchant: MERCHANT.to_owned(),
            bill_date: bill_date.clone(),
        };
        let refused = client.run_reconciliation(request).await.expect_err("a wrong date");
        assert_eq!(fields(&refused), ["bill_date"], "{bill_date}");
    }

    let request = ListDiscrepanciesRequest {
        merchant: "Acme!".to_owned(),
        bill_date: "yesterday".to_owned(),
        state: 99,
        code: "P99".to_owned(),
        page_size: 201,
        page_token: "x".to_owned(),
        ..ListDiscrepanciesRequest::default()
    };
    let mut wrong = fields(&client.list_discrepancies(request).await.expect_err("all fields are wrong"));
    wrong.sort_unstable();
    assert_eq!(wrong, ["bill_date", "code", "merchant", "page_size", "page_token", "state"]);

    let request = ListRunsRequest { page_size: -1, page_token: "'".to_owned(), ..ListRunsRequest::default() };
    let refused = client.list_runs(request).await.expect_err("both fields are wrong");
    assert_eq!(fields(&refused), ["page_size", "page_token"]);
    for name in ["", "runs/", "runs/1", "orders/00000000-0000-7000-8000-000000000000"] {
        let refused = client.get_run(GetRunRequest { name: name.to_owned() }).await.expect_err("no name");
        assert_eq!(fields(&refused), ["name"], "{name}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    let world = World::start().await;
    let mut client = world.client.clone();
    let name = format!("runs/{}", Uuid::new_v4());
    let refused = client.get_run(GetRunRequest { name }).await.expect_err("no such run");
    assert_eq!((refused.code(), reason_of(&refused).as_deref()), (Code::NotFound, Some("RUN_NOT_FOUND")));
    let request = RunReconciliationRequest {
        request_id: Uuid::new_v4().to_string(),
        merchant: "nobody".to_owned(),
        bill_date: world.day().to_string(),
    };
    let refused = client.run_reconciliation(request).await.expect_err("no such merchant");
    assert_eq!((refused.code(), reason_of(&refused).as_deref()), (Code::NotFound, Some("MERCHANT_NOT_FOUND")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_replays_its_run_and_refuses_other_content() {
    let world = World::start().await;
    let mut client = world.client.clone();
    let request = RunReconciliationRequest {
        request_id: Uuid::new_v4().to_string(),
        merchant: MERCHANT.to_owned(),
        bill_date: world.day().to_string(),
    };
    let first = client.run_reconciliation(request.clone()).await.expect("a run").into_inner();
    // The books change; the same request still means the same run.
    world.book(&[&crate::bill::Payment::on(world.day(), 100)]).await;
    let again = client.run_reconciliation(request.clone()).await.expect("the same run").into_inner();
    assert_eq!(again, first);
    assert_eq!(world.gateway.downloads(), 1);
    let other = RunReconciliationRequest { merchant: "other".to_owned(), ..request };
    let refused = client.run_reconciliation(other).await.expect_err("other content");
    assert_eq!((refused.code(), reason_of(&refused).as_deref()), (Code::AlreadyExists, Some("REQUEST_ID_REUSED")));
    world.end().await;
}

//! One difference over its legs, and two versions of a day.

use proto::reconcile::v1::discrepancy::State;
use proto::reconcile::v1::{DiffRunsResponse, Discrepancy, ExplainDiscrepancyResponse, Leg, LegField, Run};
use reconcile_svc::report::{diff_page, discrepancy_page};
use reconciliation::Code;

use crate::fixtures::{balanced, broken, difference, explained, id};
use crate::look::text;
use crate::rendered;

#[test]
fn the_four_legs_stand_side_by_side_and_say_what_differs() {
    let html = rendered("discrepancy", |view| discrepancy_page(&explained(), view));
    let shown = text(&html);
    for told in [
        "P6 payment amounts differ",
        "The bill has 199.00 yuan, our books took 198.00 yuan.",
        "O Our orders our number (out_trade_no)",
        "amount (yuan) ≠ differs 198.00 State PAID",
        "订单金额 ≠ differs 199.00",
        "told by the provider's callback",
        "row 1 业务类型 交易 收支金额(元) 199.00 row 2 业务类型 扣除交易手续费",
        "Ask the provider again",
        "assigned 王小明",
        "shop SO-2026-11-21-000123",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert!(html.contains(&format!("discrepancies/{} --propose settled-elsewhere", id(1_005))), "{html}");
    assert!(html.contains("&lt;b&gt;x&lt;/b&gt;") && !html.contains("<b>"), "{html}");
}

#[test]
fn what_has_ended_offers_nothing_and_says_how_it_ended() {
    let ended = ExplainDiscrepancyResponse {
        discrepancy: Some(Discrepancy {
            state: State::Resolved.into(),
            resolution: "RESOLVED_BY_RERUN".into(),
            resolved_by: format!("runs/{}", id(2)),
            ..difference(Code::P1, 0)
        }),
        next_steps: Vec::new(),
        legs: vec![Leg { leg: "F".into(), fields: Vec::new() }],
        ..explained()
    };
    let shown = text(&rendered("discrepancy-ended", |view| discrepancy_page(&ended, view)));
    assert!(shown.contains("a later run no longer found it"), "{shown}");
    assert!(shown.contains("F Fund flow Nothing is known here."), "{shown}");
    assert!(shown.contains("Nothing: it has ended") && !shown.contains("payctl"), "{shown}");
}

#[test]
fn a_page_about_one_difference_has_a_limit() {
    let mut long = explained();
    let field = LegField { name: "x".repeat(40), value: "y".repeat(200), differs: true };
    long.legs.iter_mut().for_each(|leg| leg.fields = vec![field.clone(); 5_000]);
    let entry = long.history[0].clone();
    long.history = vec![entry; 5_000];
    let shown = text(&rendered("discrepancy-long", |view| discrepancy_page(&long, view)));
    assert!(shown.contains("4500 older entries are not shown."), "{shown}");
}

fn diff(rows: u128) -> DiffRunsResponse {
    let many =
        |from: u128| (from..from + rows).map(|of| difference(Code::ALL[usize::try_from(of % 18).expect("small")], of));
    let count = i64::try_from(rows).expect("small");
    DiffRunsResponse {
        from: Some(Run { version: 2, name: format!("runs/{}", id(12)), current: false, ..balanced() }),
        to: Some(broken()),
        changed_inputs: vec!["TRADE".into(), "BOOK_PAYMENTS".into()],
        appeared: many(0).collect(),
        vanished: many(2_000).collect(),
        changed: many(4_000).take(3).collect(),
        appeared_count: count,
        vanished_count: count,
        changed_count: 3,
    }
}

#[test]
fn two_versions_tell_what_appeared_vanished_and_changed() {
    let html = rendered("diff", |view| diff_page(&diff(5), view));
    let shown = text(&html);
    for told in [
        "acme-mini · 2026-11-21 version 2 → 3",
        "5 appeared, 5 vanished, 3 changed.",
        "Inputs that are not the same Trade bill Payments in our books",
        "Payments that agree ≠ 123,456.78 × 1,204 121,549.90 × 1,192 -1,906.88 -12",
        "Payments in the bill 123,456.78 × 1,204 123,456.78 × 1,204 –",
        "Differences ≠ 0.00 × 0 148,060.28 × 840 +148,060.28 +840",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert!(html.contains(&format!("/runs/{}\">version 2", id(12))), "{html}");
}

#[test]
fn thousands_that_changed_are_counted_and_the_largest_shown() {
    let mut many = diff(1_000);
    many.appeared_count = 84_211;
    let shown = text(&rendered("diff-many", |view| diff_page(&many, view)));
    assert!(shown.contains("84,211 appeared, 1,000 vanished"), "{shown}");
    assert!(shown.contains("The largest 200 of 84,211."), "{shown}");
}

#[test]
fn versions_that_found_the_same_say_so() {
    let same = DiffRunsResponse { from: Some(broken()), to: Some(broken()), ..DiffRunsResponse::default() };
    let shown = text(&rendered("diff-same", |view| diff_page(&same, view)));
    assert!(shown.contains("Both versions found the same differences."), "{shown}");
}

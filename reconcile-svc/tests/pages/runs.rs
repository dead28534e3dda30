use proto::reconcile::v1::run::State;
use proto::reconcile::v1::{Discrepancy, ListDiscrepanciesResponse, Run};
use reconcile_svc::report::{Filter, Language, View, run_page};
use reconciliation::Code;

use crate::fixtures::{balanced, broken, difference, id, page, refused};
use crate::look::text;
use crate::{now, rendered};

#[test]
fn a_balanced_day_says_so_with_its_sums() {
    let page = page(balanced());
    let shown = text(&rendered("run-balanced", |view| run_page(&page, view)));
    for told in [
        "Balanced : 1,204 payments, 123,456.78 yuan, agree to the fen. 37 refunds, 987.65 yuan, agree too.",
        "Net of refunds 122,469.13 122,469.13 122,469.13",
        "Net after fees 121,734.31 520",
        // What was not looked at does not shine.
        "Whether the money moved is not proved",
        "Opening 500,000.00",
        "交易 × 1,204 123,456.78",
        "提现 needs no trade × 1 -400,000.00",
        "Closing 221,740.23 ✓",
        "Fund flow, fees account Not fetched",
        "412,334 bytes",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert!(!shown.contains("does not add up"), "{shown}");
}

#[test]
fn a_day_without_payments_says_so() {
    let nothing = Run {
        bill_count: 0,
        bill_sum_fen: 0,
        bill_refund_count: 0,
        bill_refund_sum_fen: 0,
        book_count: 0,
        book_sum_fen: 0,
        matched_count: 0,
        matched_sum_fen: 0,
        matched_refund_count: 0,
        matched_refund_sum_fen: 0,
        book_refund_count: 0,
        book_refund_sum_fen: 0,
        bill_revoked_count: 0,
        bill_fee_yuan: "0.00000".into(),
        accounts: Vec::new(),
        inputs: Vec::new(),
        bill_sha256: String::new(),
        ..balanced()
    };
    let mut nothing = page(nothing);
    nothing.days.clear();
    let shown = text(&rendered("run-nothing", |view| run_page(&nothing, view)));
    assert!(shown.contains("no payments on either side."), "{shown}");
    assert!(shown.contains("the provider says that there is none"), "{shown}");
}

#[test]
fn a_day_with_differences_shows_every_code_and_adds_up() {
    let page = page(broken());
    let html = rendered("run-differences", |view| run_page(&page, view));
    let shown = text(&html);
    for told in [
        "840 differences, 148,060.28 yuan at risk. Of this day 700 are open now, 140,000.00 yuan.",
        "Payments in the bill 123,456.78 × 1,204 = 121,549.90 × 1,192 + 1,906.88 × 12 \
         P1 × 3, P2 × 1, P3 × 2, P4 × 1, P6 × 1, P7 × 2, P8 × 1, P9 × 1",
        "Refunds in the bill 987.65 × 37 = 787.15 × 34 + 200.50 × 3 R1 × 2, R3 × 1",
        "25 items, 1,234.50 yuan, may still come with a later bill",
        "until 2026-11-23",
        "version 3",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    for code in Code::ALL {
        assert!(shown.contains(&format!("{code} {}", code.meaning())), "{code}");
        assert!(html.contains(&format!("/runs/{}?code={code}#list", id(2))), "{code}");
    }
    assert!(html.contains("#list\">All that waits"), "{html}");
    assert!(html.contains(&format!("/diff?from=runs%2F{}&amp;to=runs%2F{}", id(11), id(2))), "{html}");
    for form in ["xlsx", "csv", "json"] {
        assert!(html.contains(&format!("/runs/{}/export.{form}", id(2))), "{form}");
    }
    assert!(!shown.contains("does not add up"), "{shown}");
}

#[test]
fn a_chinese_page_tells_every_difference_in_chinese_and_repeats_no_english_that_says_the_same() {
    let page = page(broken());
    let html = run_page(&page, &View::new(Language::Zh, now()));
    let sentences: Vec<&str> = html.split("<td class=\"why\" data-label=\"说明\">").skip(1).collect();
    assert_eq!(sentences.len(), page.found.discrepancies.len() + page.waiting.len());
    for sentence in sentences {
        let begin = sentence.chars().next().expect("a sentence");
        assert!(('\u{4e00}'..='\u{9fff}').contains(&begin), "{sentence}");
    }
    let shown = text(&html);
    assert!(shown.contains("账单有 1,098.90 元，单号并非我方所发；须查明由谁收取。"), "{shown}");
    assert!(!shown.contains("The bill has 1098.90 yuan"), "{shown}");
    // Of a fee the message has the difference alone, and the engine both sides.
    assert!(shown.contains("手续费与费率或资金账单不符，相差 5,494.50 元。 The bill has 5494.50 yuan"), "{shown}");
}

#[test]
fn counts_that_do_not_add_up_are_told() {
    let short = page(Run { matched_count: 1_190, ..broken() });
    let shown = text(&run_page(&short, &View::new(Language::En, now())));
    assert!(shown.contains("does not add up"), "{shown}");
}

#[test]
fn a_refused_bill_says_what_and_where_and_what_still_counts() {
    for state in [State::ControlFailed, State::BillInvalid] {
        let page = page(Run { state: state.into(), ..refused() });
        let html = rendered("run-refused", |view| run_page(&page, view));
        let shown = text(&html);
        for told in [
            "nothing of it was used: trade bill, line 1206",
            "Where trade bill, line 1206, column 手续费总金额 What the summary says 734.81480",
            "What still counts version 2 ✓ Balanced",
        ] {
            assert!(shown.contains(told), "{told}: {shown}");
        }
        assert!(html.contains(&format!("<a href=\"/runs/{}\">version 2</a>", id(12))), "{html}");
        assert!(!shown.contains("Counts and sums") && !shown.contains("As a file"), "{shown}");
    }
}

#[test]
fn an_earlier_version_points_to_the_one_that_counts() {
    let mut old = page(Run { version: 1, current: false, name: format!("runs/{}", id(11)), ..broken() });
    old.versions = page(broken()).versions;
    let html = rendered("run-superseded", |view| run_page(&old, view));
    assert!(html.contains("A later version exists"), "{html}");
    assert!(html.contains(&format!("/diff?from=runs%2F{}&amp;to=runs%2F{}", id(11), id(2))), "{html}");
}

#[test]
fn a_waiting_day_agrees_and_names_what_may_come() {
    let mut waiting = page(Run { state: State::Waiting.into(), differences: Vec::new(), ..broken() });
    waiting.found.discrepancies.clear();
    let shown = text(&rendered("run-waiting", |view| run_page(&waiting, view)));
    assert!(shown.contains("25 more, 1,234.50 yuan, may still come with a later bill."), "{shown}");
}

#[test]
fn a_run_under_way_says_so() {
    let mut running = page(Run { state: State::Running.into(), end_time: None, current: false, ..refused() });
    running.versions.truncate(1);
    let shown = text(&rendered("run-running", |view| run_page(&running, view)));
    assert!(shown.contains("Running : the bill is being fetched and compared."), "{shown}");
}

#[test]
fn text_of_a_bill_stays_text_wherever_it_stands() {
    let hostile = "\"><script>alert(1)</script>\u{202e}&'";
    let found = Discrepancy {
        name: hostile.into(),
        code: hostile.into(),
        out_trade_no: hostile.into(),
        transaction_id: hostile.into(),
        out_refund_no: hostile.into(),
        refund_id: hostile.into(),
        movement: hostile.into(),
        account: hostile.into(),
        explanation: hostile.into(),
        assignee: hostile.into(),
        due_date: hostile.into(),
        ..difference(Code::P1, 0)
    };
    let mut run = Run { merchant: hostile.into(), name: hostile.into(), ..broken() };
    run.differences[0].code = hostile.into();
    run.accounts[0].movements[0].kind = hostile.into();
    run.inputs[0].sha256 = hostile.into();
    run.inputs[0].input = hostile.into();
    let mut page = page(run);
    page.found = ListDiscrepanciesResponse { discrepancies: vec![found; 3], next_page_token: hostile.into() };
    page.orders.values_mut().for_each(|order| order.app = hostile.into());
    let html = rendered("run-hostile", |view| run_page(&page, view));
    assert!(!html.contains("<script") && !html.contains('\u{202e}'), "{html}");
    assert!(html.contains("&lt;script&gt;"), "{html}");
    let refused = rendered("run-hostile-refused", |view| {
        run_page(&super::fixtures::page(Run { problem: hostile.into(), ..refused() }), view)
    });
    assert!(!refused.contains("<script"), "{refused}");
}

#[test]
fn a_page_of_differences_has_a_limit_and_its_filter_goes_on_with_it() {
    let query = [("code", "P1"), ("number", "42"), ("page", "9-x")];
    let query = query.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let view = View::of("en", now(), &format!("/runs/{}", id(2)), query);
    let mut page = page(broken());
    page.filter = Filter::of(&view);
    page.found.discrepancies = (0..200).map(|of| difference(Code::P1, of)).collect();
    page.found.next_page_token = "1-abc".into();
    let html = rendered("run-many", |_| run_page(&page, &view));
    assert!(html.contains("?code=P1&amp;number=42&amp;page=1-abc#list\" rel=\"next\""), "{html}");
    assert!(html.contains("?code=P1&amp;number=42#list\">⇤ First page"), "{html}");
    assert!(html.contains("name=\"number\" value=\"42\""), "{html}");
}

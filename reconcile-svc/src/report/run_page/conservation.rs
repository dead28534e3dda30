//! Conservation told as equations: what a side has is what agrees and what differs, and nothing else.

use maud::{Markup, html};
use money::Fen;
use proto::reconcile::v1::Run;

use super::super::figures::{count, yuan};
use super::super::texts::Text;
use super::super::view::View;

/// Codes of payments, and of refunds, that the bill has.
const PAYMENTS_IN_BILL: [&str; 8] = ["P1", "P2", "P3", "P4", "P6", "P7", "P8", "P9"];
const REFUNDS_IN_BILL: [&str; 2] = ["R1", "R3"];

/// A count and a sum in fen.
type Tally = (i64, i64);

pub(super) fn conservation(view: &View, run: &Run) -> Markup {
    let payments = (run.matched_count, run.matched_sum_fen);
    let refunds = (run.matched_refund_count, run.matched_refund_sum_fen);
    let (bill, books) = ((run.bill_count, run.bill_sum_fen), (run.book_count, run.book_sum_fen));
    let bill_refunds = (run.bill_refund_count, run.bill_refund_sum_fen);
    let book_refunds = (run.book_refund_count, run.book_refund_sum_fen);
    let has_refunds = 0 < bill_refunds.0 || 0 < book_refunds.0;
    html! {
        h2 { (view.text(Text::NothingLost)) }
        div.wide { table.equations {
            thead { tr {
                td {} th.n scope="col" { (view.text(Text::Whole)) } td {} th.n scope="col" { (view.text(Text::Agree)) } td {}
                th.n scope="col" { (view.text(Text::DifferOrWait)) } th scope="col" { (view.text(Text::OfWhich)) }
            } }
            tbody {
                (equation(view, Text::BillPayments, bill, payments, Some(&by_code(run, &PAYMENTS_IN_BILL))))
                (equation(view, Text::BookPayments, books, payments, None))
                @if has_refunds {
                    (equation(view, Text::BillRefunds, bill_refunds, refunds, Some(&by_code(run, &REFUNDS_IN_BILL))))
                    (equation(view, Text::BookRefunds, book_refunds, refunds, None))
                }
            }
        } }
    }
}

fn by_code<'a>(run: &'a Run, codes: &[&str]) -> Vec<(&'a str, i64)> {
    let of_side = run.differences.iter().filter(|of_code| codes.contains(&of_code.code.as_str()));
    of_side.map(|of_code| (of_code.code.as_str(), of_code.count)).collect()
}

fn equation(view: &View, name: Text, whole: Tally, agree: Tally, codes: Option<&[(&str, i64)]>) -> Markup {
    let rest = whole.0.checked_sub(agree.0).zip(whole.1.checked_sub(agree.1));
    html! {
        tr {
            th scope="row" { (view.text(name)) }
            (term(view, Some(whole))) td.op { "=" } (term(view, Some(agree))) td.op { "+" } (term(view, rest))
            td.quiet { @if let (Some(codes), Some(rest)) = (codes, rest) { (named(view, codes, rest.0)) } }
        }
    }
}

fn term(view: &View, tally: Option<Tally>) -> Markup {
    html! {
        td.n {
            @match tally {
                Some((number, fen)) => { (yuan(Fen::new(fen))) div.quiet { (view.fill(Text::Pieces, &[&count(number)])) } }
                None => "?",
            }
        }
    }
}

/// Which differences make up the rest; when these are not as many, somebody is told instead of being shown a nice sum.
fn named(view: &View, codes: &[(&str, i64)], rest: i64) -> Markup {
    let sum = codes.iter().fold(0_i64, |sum, (_, number)| sum.saturating_add(*number));
    html! {
        @for (place, (code, number)) in codes.iter().enumerate() {
            @if 0 < place { ", " }
            (code) " × " (count(*number))
        }
        @if sum == rest {
            @if rest == 0 { (view.text(Text::NothingDiffers)) }
        } @else {
            " " span.mark.bad { span aria-hidden="true" { "≠" } " " (view.text(Text::DoesNotAddUp)) }
        }
    }
}

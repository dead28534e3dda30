//! Counts and sums of each leg.

use maud::{Markup, html};
use money::{Fen, MilliFen};
use proto::reconcile::v1::{Account, Run};

use super::super::figures::{count, fine, yuan};
use super::super::marks::account_name;
use super::super::texts::Text;
use super::super::view::View;

/// Payments, refunds, net and fees: our books (O and E) beside the trade bill (T).
pub(super) fn trades(view: &View, run: &Run) -> Markup {
    let t = |text| view.text(text);
    let net = |payments: i64, refunds: i64| Fen::new(payments).checked_sub(Fen::new(refunds));
    let bill_net = net(run.bill_sum_fen, run.bill_refund_sum_fen);
    let fee = MilliFen::parse_yuan(&run.bill_fee_yuan).ok();
    let settled = bill_net.and_then(MilliFen::from_fen).zip(fee).and_then(|(net, fee)| net.checked_sub(fee));
    html! {
        h2 #sums { (t(Text::CountsAndSums)) }
        div.wide { table.legs {
            thead {
                tr { td {}
                    th.n colspan="2" scope="colgroup" { (t(Text::LegBooks)) } th.n colspan="2" scope="colgroup" { (t(Text::LegBill)) }
                    th.n colspan="2" scope="colgroup" { (t(Text::AgreeLeg)) } }
                tr { td {} @for _ in 0..3 { th.n scope="col" { (t(Text::Count)) } th.n scope="col" { (t(Text::Yuan)) } } }
            }
            tbody {
                tr { th scope="row" { (t(Text::Payments)) }
                    (pair(run.book_count, run.book_sum_fen)) (pair(run.bill_count, run.bill_sum_fen))
                    (pair(run.matched_count, run.matched_sum_fen)) }
                tr { th scope="row" { (t(Text::Refunds)) }
                    (pair(run.book_refund_count, run.book_refund_sum_fen)) (pair(run.bill_refund_count, run.bill_refund_sum_fen))
                    (pair(run.matched_refund_count, run.matched_refund_sum_fen)) }
                @if 0 < run.bill_revoked_count {
                    tr { th scope="row" { (t(Text::Reversals)) }
                        td.n { "–" } td.n { "–" } (pair(run.bill_revoked_count, run.bill_revoked_sum_fen)) td.n { "–" } td.n { "–" } }
                }
                tr.sum { th scope="row" { (t(Text::Net)) }
                    td {} (money(net(run.book_sum_fen, run.book_refund_sum_fen))) td {} (money(bill_net)) td {}
                    (money(net(run.matched_sum_fen, run.matched_refund_sum_fen))) }
                tr { th scope="row" { (t(Text::Fees)) }
                    td {} td {} td {} (fees(fee, &run.bill_fee_yuan)) td {} td {} }
                tr.sum { th scope="row" { (t(Text::AfterFees)) }
                    td {} td {} td {} (fees(settled, "?")) td {} td {} }
            }
        } }
    }
}

fn pair(number: i64, fen: i64) -> Markup {
    html! { td.n { (count(number)) } (money(Some(Fen::new(fen)))) }
}

fn money(amount: Option<Fen>) -> Markup {
    html! { td.n { (amount.map_or_else(|| "?".to_owned(), yuan)) } }
}

fn fees(amount: Option<MilliFen>, else_told: &str) -> Markup {
    html! { td.n { @match amount { Some(amount) => (fine(amount)), None => (else_told) } } }
}

/// The money that moved (F), account by account.
pub(super) fn accounts(view: &View, accounts: &[Account]) -> Markup {
    html! {
        @if !accounts.is_empty() {
            h2 #money { (view.text(Text::MoneyThatMoved)) }
            div.accounts { @for account in accounts { (one_account(view, account)) } }
        }
    }
}

fn one_account(view: &View, account: &Account) -> Markup {
    let t = |text| view.text(text);
    let name = account_name(view, &account.account);
    let note = match account.state.as_str() {
        "NONE" => Some(Text::NothingMoved),
        "NOT_FETCHED" => Some(Text::NotFetched),
        _ => None,
    };
    let balance = |fen: Option<i64>| fen.map_or_else(|| t(Text::NotKnown).to_owned(), |fen| yuan(Fen::new(fen)));
    html! {
        section.account {
            h3 { (name) }
            @if let Some(note) = note { p.quiet { (t(note)) } }
            @if account.state != "NOT_FETCHED" {
                table {
                    tbody {
                        tr { th scope="row" { (t(Text::Opening)) } td.n {} td.n { (balance(account.opening_fen)) } }
                        @for moved in &account.movements {
                            tr {
                                td { span lang="zh-CN" { (moved.kind) }
                                    @if !moved.of_trades { " " span.quiet { (t(Text::WithoutTrade)) } } }
                                td.n.quiet { "× " (count(moved.count)) }
                                td.n { (yuan(Fen::new(moved.sum_fen))) }
                            }
                        }
                        tr.sum { th scope="row" { (t(Text::Closing)) } td.n {} td.n { (balance(account.closing_fen))
                            (check(view, account)) } }
                    }
                }
            }
        }
    }
}

/// Whether opening and movements give closing, where all three are known.
fn check(view: &View, account: &Account) -> Markup {
    let moved = account.movements.iter().try_fold(0_i64, |sum, moved| sum.checked_add(moved.sum_fen));
    let expected = account.opening_fen.zip(moved).and_then(|(opening, moved)| opening.checked_add(moved));
    html! {
        @match account.closing_fen {
            Some(closing) if expected == Some(closing) => { " " span.fits title=(view.text(Text::AddsUp)) { "✓" } }
            Some(_) if account.opening_fen.is_some() => { " " span.mark.bad { "≠ " (view.text(Text::DoesNotAddUp)) } }
            _ => {}
        }
    }
}

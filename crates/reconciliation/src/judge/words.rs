//! The one sentence that finance reads. It names amounts, days and WeChat's words, never who paid.

use std::fmt::Write as _;

use jiff::civil::Date;
use money::{Fen, MilliFen};

use crate::books::{BookPayment, BookRefund, RefundState};
use crate::movement_kind::Kind;
use crate::trade::{BillRow, RowKind};
use crate::{AccountKind, Code};

pub(super) fn never_issued(bill: Fen) -> String {
    format!("The bill has {bill} yuan under a number that we never issued; find out who took it.")
}

/// `asked` is what we asked for under that number.
pub(super) fn bill_only(code: Code, bill: Fen, asked: Fen) -> String {
    let payment = if asked == bill { "a payment".to_owned() } else { format!("a payment of {asked} yuan") };
    let state = match code {
        Code::P2 => "whose order is closed here",
        Code::P4 => "whose order is paid by another payment",
        _ => "that is still open here",
    };
    format!("The bill has {bill} yuan for {payment} {state}; the provider is asked about it.")
}

pub(super) fn not_taken(code: Code, told: Fen) -> String {
    let order = match code {
        Code::P2 => "the order is closed and did not take them",
        Code::P4 => "the order is paid by another payment and did not take them",
        _ => "no order took them",
    };
    format!(
        "The bill has {told} yuan and a message of the provider told of them, but {order}; the provider is asked about it, and \
         order-svc's dead letters say why it refused them."
    )
}

pub(super) fn surplus(code: Code, amount: Fen, given_back: Fen) -> String {
    let order = if code == Code::P4 { "that is paid by another payment" } else { "that was closed" };
    if given_back == Fen::ZERO {
        format!("{amount} yuan came for an order {order}, and nobody has given them back.")
    } else {
        format!("{amount} yuan came for an order {order}, and only {given_back} yuan of them were given back.")
    }
}

pub(super) fn book_only(book: &BookPayment, due: Option<Date>) -> String {
    let ours = book.amount();
    if book.fact.is_none() {
        return format!(
            "An order took {ours} yuan, but neither the bill nor any message of the provider knows about it."
        );
    }
    match due {
        Some(due) => format!(
            "Our books have {ours} yuan as paid and the bill does not; until {due} it may still stand in a neighbouring day's bill."
        ),
        None => format!("Our books have {ours} yuan as paid, and neither the bill nor those of its neighbours do."),
    }
}

pub(super) fn orphan(told: Fen, due: Option<Date>) -> String {
    match due {
        Some(_) => format!(
            "A message of the provider told of {told} yuan a moment ago, which no order has taken yet; the next run decides."
        ),
        None => format!("A message of the provider told of {told} yuan that neither the bill nor any order has."),
    }
}

pub(super) fn amounts(book: &BookPayment, bill: Fen) -> String {
    let mut text = format!("The bill has {bill} yuan");
    let legs = [
        ("we asked for", book.issued),
        ("the order took", book.taken.map(|taken| taken.amount)),
        ("the provider's message said", book.fact.map(|fact| fact.amount)),
    ];
    for (words, amount) in legs {
        if let Some(amount) = amount {
            write!(text, ", {words} {amount} yuan").expect("a String takes every write");
        }
    }
    text.push('.');
    text
}

/// `on` is the other day.
pub(super) fn billed_again(amount: Fen, on: Date) -> String {
    format!("This day's bill has a payment of {amount} yuan that the bill of {on} has as well; our books have it once.")
}

/// `on` is the other day.
pub(super) fn refund_billed_again(amount: Fen, on: Date) -> String {
    format!(
        "This day's bill gives back {amount} yuan that the bill of {on} gives back as well; our books give them back once."
    )
}

pub(super) fn settlement(row: &BillRow, payer: Option<Fen>) -> String {
    let paid = payer.map_or_else(String::new, |payer| format!("the payer paid {payer} yuan, "));
    format!(
        "Of {} yuan {paid}coupons are {} yuan, and {} yuan are settled: they do not add up.",
        row.amount, row.coupon, row.settled
    )
}

/// `is_paid_here` says whether the same bill has the payment as well.
pub(super) fn revoked(ours: Fen, is_paid_here: bool) -> String {
    if is_paid_here {
        format!("The bill has this payment and its reversal; our books keep {ours} yuan as paid.")
    } else {
        format!("The bill says that this payment was revoked; our books keep {ours} yuan as paid.")
    }
}

pub(super) fn fact_missing(amount: Fen) -> String {
    format!(
        "The bill and the order agree on {amount} yuan, but no message of the provider told of them; it is asked again."
    )
}

pub(super) fn refund_bill_only(bill: Fen) -> String {
    format!(
        "The bill gives back {bill} yuan under a number that our books do not have: a refund of the provider's console."
    )
}

pub(super) fn refund_rejected(bill: Fen) -> String {
    format!("The bill gives back {bill} yuan, and our books say that the provider refused to; it is asked about it.")
}

pub(super) fn refund_book_only(ours: Fen, due: Option<Date>) -> String {
    match due {
        Some(due) => format!(
            "Our books give back {ours} yuan and the bill does not; until {due} it may still stand in a neighbouring day's bill."
        ),
        None => format!("Our books give back {ours} yuan, and neither the bill nor those of its neighbours do."),
    }
}

pub(super) fn refund_amounts(book: &BookRefund, bill: Fen) -> String {
    let told = book.fact.map_or_else(String::new, |fact| format!(", the provider's message said {fact} yuan"));
    format!("The bill gives back {bill} yuan, we asked for {} yuan{told}.", book.amount)
}

pub(super) fn stuck(state: RefundState, amount: Fen, due: Option<Date>) -> String {
    match (state, due) {
        (RefundState::Abnormal, _) => {
            format!("The refund of {amount} yuan bounced: the payer's card or account does not take it.")
        }
        (RefundState::Closed, _) => format!("The provider accepted the refund of {amount} yuan and then closed it."),
        (_, Some(due)) => format!("The refund of {amount} yuan is under way; it should have arrived before {due}."),
        (_, None) => format!("The refund of {amount} yuan is under way for longer than refunds take."),
    }
}

pub(super) fn fee(fee: MilliFen, expected: MilliFen, base: Fen) -> String {
    format!("The fee is {fee} yuan; its rate on {base} yuan makes {expected} yuan.")
}

pub(super) fn rate_unreadable(fee: MilliFen) -> String {
    format!("The fee is {fee} yuan, and its rate cannot be read.")
}

/// `billed` in milli-fen, `moved` in fen.
pub(super) fn moved_fee(billed: i128, moved: i128) -> String {
    let billed = MilliFen::new(i64::try_from(billed).unwrap_or(i64::MAX));
    let moved = Fen::new(i64::try_from(moved).unwrap_or(i64::MAX));
    format!("The bill's fee is {billed} yuan, the account was charged {moved} yuan.")
}

fn what_moves(row: &BillRow) -> &'static str {
    match row.kind {
        RowKind::Payment => "payment",
        RowKind::Refund => "refund",
        RowKind::Revoked => "reversal",
    }
}

pub(super) fn not_moved(row: &BillRow, due: Option<Date>) -> String {
    let (what, amount) = (what_moves(row), row.settled);
    match due {
        Some(due) => format!(
            "The fund flow has no movement of the {what} of {amount} yuan; until {due} it may still stand in a neighbouring day's."
        ),
        None => format!("The {what} of {amount} yuan moved no money, neither on its day nor on those after it."),
    }
}

/// `on` is the other day on which some of it moved.
pub(super) fn moved_otherwise(row: &BillRow, moved: Fen, on: Option<Date>) -> String {
    let (what, amount) = (what_moves(row), row.settled);
    match on {
        Some(on) => format!("The {what} of {amount} yuan moved {moved} yuan, with what moved on {on}."),
        None => format!("The {what} of {amount} yuan moved {moved} yuan."),
    }
}

pub(super) fn unexplained(account: AccountKind, word: &str, amount: Fen, kind: Kind) -> String {
    let (size, direction) = match i64::try_from(amount.get().unsigned_abs()) {
        Ok(size) if amount < Fen::ZERO => (Fen::new(size), "left"),
        _ => (amount, "came into"),
    };
    let reason = match kind {
        Kind::Other | Kind::Ordinary => "a kind that has no trade",
        _ => "and neither the bill nor our books have its trade",
    };
    format!("{size} yuan {direction} the {} account as {}, {reason}.", account.as_str(), carried(word))
}

/// Longest word of a file that is told.
const MAX_WORD_CHARS: usize = 32;

/// A word of a file as people can be shown it.
fn carried(word: &str) -> String {
    word.chars().filter(|character| !character.is_control()).take(MAX_WORD_CHARS).collect()
}

pub(super) fn file_missing(account: AccountKind) -> String {
    format!("The bill has trades, and the provider says that nothing moved on the {} account.", account.as_str())
}

pub(super) fn discontinuous(account: AccountKind, closed: Fen, opened: Fen) -> String {
    format!(
        "The {} account closed with {closed} yuan on the day before and opened with {opened} yuan.",
        account.as_str()
    )
}

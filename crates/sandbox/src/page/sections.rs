use money::Fen;
use wechat_pay::time;

use super::html::{STYLE, amount, button, cell, code, instant, table, text, word};
use crate::control::{
    AnswerClass, Attempt, Callback, CallbackKind, CallbackState, ClockState, Faults, Ledger, Order, Refund, RefundState,
};

/// The buttons that move the clock, with what they post.
const JUMPS: [(&str, &str); 6] = [
    ("15", "+15 s"),
    ("60", "+1 min"),
    ("600", "+10 min"),
    ("3600", "+1 h"),
    ("86400", "+1 day"),
    ("morning", "10:05 tomorrow"),
];

/// The whole page.
pub(super) fn page(said: Option<&str>, open: &[Order], latest: &Ledger, refunds: &[Refund], faults: &Faults) -> String {
    let said = said.map(|said| format!("<p class=\"said\">{}</p>", text(said))).unwrap_or_default();
    let body = [
        clock(&latest.clock),
        said,
        format!("<h2>Open payments</h2>{}", open_payments(open)),
        format!("<h2>Transactions</h2>{}", transactions(latest)),
        format!("<h2>Refunds</h2>{}", self::refunds(refunds)),
        format!("<h2>Callbacks</h2>{}", callbacks(latest)),
        format!("<h2>Faults</h2>{}", fault_rules(faults)),
    ]
    .concat();
    // The refresh goes to the bare page, so that what was said is read once.
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>WeChat sandbox</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><meta http-equiv=\"refresh\" content=\"2; url=/\">\
         <style>{STYLE}</style></head><body>{body}</body></html>"
    )
}

fn clock(clock: &ClockState) -> String {
    let jumps: String = JUMPS.iter().map(|(by, label)| button("/advance", &[("by", by)], "", label) + " ").collect();
    let ahead = match clock.offset_ms / 1000 {
        0 => "as this machine".to_owned(),
        seconds => format!("{seconds} s ahead of this machine"),
    };
    let now = time::print_spaced(clock.now);
    format!(
        "<header><h1>WeChat sandbox</h1><div><a href=\"/phone\">phone</a></div><div><b>{now}</b> <small>Beijing time, {ahead}</small></div><div>{jumps}</div></header>"
    )
}

fn open_payments(orders: &[Order]) -> String {
    let rows: Vec<Vec<String>> = orders
        .iter()
        .map(|order| {
            let fields = [("out_trade_no", order.out_trade_no.as_str()), ("merchant", order.merchant.as_str())];
            let expiry = order.expires_at.map_or_else(|| word("soft", "never"), instant);
            vec![
                cell(&whose(order)),
                cell(&code(&order.out_trade_no)),
                cell(&text(&order.description)),
                amount(&yuan(order.amount_fen)),
                cell(&text(&order.trade_type)),
                cell(&expiry),
                cell(&button("/pay", &fields, "pay", "Pay")),
            ]
        })
        .collect();
    let heads = ["merchant", "out_trade_no", "description", "¥", "type", "expires", ""];
    table(&heads, &rows, "Nobody waits to be paid. Orders appear here when a service calls unifiedorder.")
}

fn transactions(latest: &Ledger) -> String {
    let rows: Vec<Vec<String>> = latest
        .orders
        .iter()
        .map(|order| {
            let state = order.trade_state.as_str();
            let class = if order.payment.is_some() { "good" } else { "soft" };
            let (paid, at, id) = match &order.payment {
                Some(payment) => (yuan(payment.amount_fen), instant(payment.paid_at), code(&payment.transaction_id)),
                None => (String::new(), String::new(), String::new()),
            };
            vec![
                cell(&whose(order)),
                cell(&code(&order.out_trade_no)),
                cell(&text(&order.trade_type)),
                cell(&code(&order.app_id)),
                cell(&word(class, state)),
                amount(&yuan(order.amount_fen)),
                amount(&paid),
                cell(&at),
                cell(&id),
            ]
        })
        .collect();
    let heads =
        ["merchant", "out_trade_no", "type", "app", "state", "¥ ordered", "¥ paid", "paid at", "transaction_id"];
    table(&heads, &rows, "No orders yet.")
}

/// The merchant, with the sub-merchant's number in service-provider mode.
fn whose(order: &Order) -> String {
    let below = order.sub_mch_id.as_deref().map(|number| format!("<br>{}", code(number))).unwrap_or_default();
    format!("{}{below}", text(&order.merchant))
}

fn refunds(refunds: &[Refund]) -> String {
    let rows: Vec<Vec<String>> = refunds
        .iter()
        .map(|refund| {
            let (class, ways): (_, &[RefundState]) = match refund.state {
                RefundState::Processing => {
                    ("wait", &[RefundState::Success, RefundState::Change, RefundState::RefundClose])
                }
                RefundState::Change => ("bad", &[RefundState::Success, RefundState::RefundClose]),
                RefundState::Success => ("good", &[]),
                RefundState::RefundClose => ("soft", &[]),
            };
            vec![
                cell(&text(&refund.merchant)),
                cell(&code(&refund.out_trade_no)),
                cell(&code(&refund.out_refund_no)),
                cell(&text(refund.source.as_str())),
                amount(&yuan(refund.amount_fen)),
                cell(&word(class, refund.state.as_str())),
                cell(&instant(refund.created_at)),
                cell(&refund.settled_at.map(instant).unwrap_or_default()),
                cell(&ways.iter().map(|way| settle_button(refund, *way) + " ").collect::<String>()),
            ]
        })
        .collect();
    let heads = ["merchant", "out_trade_no", "out_refund_no", "by", "¥", "state", "accepted", "arrived", ""];
    table(&heads, &rows, "No refunds yet.")
}

fn settle_button(refund: &Refund, state: RefundState) -> String {
    let fields = [
        ("out_refund_no", refund.out_refund_no.as_str()),
        ("merchant", refund.merchant.as_str()),
        ("state", state.as_str()),
    ];
    button("/settle", &fields, "", state.as_str())
}

fn callbacks(latest: &Ledger) -> String {
    let rows: Vec<Vec<String>> = latest
        .callbacks
        .iter()
        .map(|callback| {
            let attempts: String = callback.attempts.iter().map(attempt).collect();
            let next = callback.next_attempt_at.map(instant).unwrap_or_default();
            vec![
                cell(&text(&callback.id.to_string())),
                cell(&code(&callback.out_trade_no)),
                cell(&about(callback)),
                cell(&code(&callback.url)),
                cell(&state(callback)),
                cell(&format!("<ol>{attempts}</ol>")),
                cell(&next),
            ]
        })
        .collect();
    table(&["#", "out_trade_no", "about", "to", "state", "attempts and answers", "next"], &rows, "No callbacks yet.")
}

fn about(callback: &Callback) -> String {
    match &callback.kind {
        CallbackKind::Payment => text("payment"),
        CallbackKind::Refund { out_refund_no, state } => {
            format!("refund {} {}", code(out_refund_no), text(state.as_str()))
        }
    }
}

fn state(callback: &Callback) -> String {
    match callback.state {
        CallbackState::Waiting => word("wait", "waiting"),
        CallbackState::Sending => word("wait", "sending"),
        CallbackState::Delivered => word("good", "delivered"),
        CallbackState::GivenUp => word("bad", "given up"),
    }
}

fn attempt(attempt: &Attempt) -> String {
    let (class, answer) = match attempt.answer {
        AnswerClass::Accepted => ("good", "SUCCESS"),
        AnswerClass::Refused => ("bad", "FAIL"),
        AnswerClass::NotXml => ("bad", "not the answer's XML"),
        AnswerClass::WrongStatus => ("bad", "wrong HTTP status"),
        AnswerClass::TimedOut => ("bad", "no answer in time"),
        AnswerClass::Unreachable => ("bad", "not reachable"),
        AnswerClass::NotSent => ("soft", "not sent"),
    };
    let status = attempt.status.map(|status| format!(" {status}")).unwrap_or_default();
    let fault = attempt.fault.as_deref().map(|fault| format!(" · fault: {fault}")).unwrap_or_default();
    let at = instant(attempt.at);
    format!("<li>{} <small>{at}{}</small></li>", word(class, answer), text(&format!("{status}{fault}")))
}

fn fault_rules(faults: &Faults) -> String {
    let rows: Vec<Vec<String>> = faults
        .faults
        .iter()
        .map(|active| {
            let rule = &active.rule;
            let whom =
                [rule.merchant.as_deref(), rule.out_trade_no.as_deref()].into_iter().flatten().collect::<Vec<_>>();
            let whom = if whom.is_empty() { "everyone".to_owned() } else { whom.join(" ") };
            vec![
                cell(&text(rule.on.as_str())),
                cell(&text(rule.fault.as_str())),
                cell(&text(&whom)),
                cell(&format!("{} of {}", active.hits, rule.times)),
            ]
        })
        .collect();
    let clear = if rows.is_empty() { String::new() } else { button("/clear_faults", &[], "", "Clear faults") };
    table(&["on", "do", "for", "struck"], &rows, "Nothing goes wrong on purpose.") + &clear
}

/// Yuan for people.
fn yuan(fen: i64) -> String {
    Fen::new(fen).to_string()
}

//! Orders, payments and refunds as people read them.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _},
};

use anyhow::Context as _;
use money::Fen;
use proto::{
    order::v1::{Order, PayOrderResponse, Payment, Refund, order, pay_order_response::Invocation, payment, refund},
    time::from_wire,
};
use svc_kit::clock::Clock;

use super::qr;

/// The time of this machine, to the millisecond.
pub(super) fn now() -> String {
    Clock::system().now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// An order with its payments.
pub(super) fn order(order: &Order) -> String {
    let mut text = format!("{}\n", state_line(order));
    // A text takes everything.
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(text, "  {name:<12} {value}");
        }
    };
    line("order_no", order.order_no.clone());
    line("merchant", order.merchant.clone());
    line("description", order.description.clone());
    line("created", instant(order.create_time.as_ref()));
    line("expires", instant(order.expire_time.as_ref()));
    line("paid", instant(order.paid_time.as_ref()));
    line("closed", instant(order.close_time.as_ref()));
    for payment in &order.payments {
        line("payment", self::payment(payment));
    }
    text
}

/// An order in one line.
pub(super) fn state_line(order: &Order) -> String {
    let state = word(order::State::try_from(order.state).map(|state| state.as_str_name()));
    let mut line = format!("{} {state} {} yuan, version {}", order.name, yuan(order.amount_fen), order.version);
    for (fen, what) in [(order.refunded_fen, "refunded"), (order.refunding_fen, "being refunded")] {
        if fen != 0 {
            // A text takes everything.
            let _ = write!(line, ", {} yuan {what}", yuan(fen));
        }
    }
    if order.close_requested {
        line.push_str(", to be closed");
    }
    line
}

fn payment(payment: &Payment) -> String {
    let state = word(payment::State::try_from(payment.state).map(|state| state.as_str_name()));
    let mut line = format!("{} {state} {} out_trade_no {}", payment.name, payment.method, payment.out_trade_no);
    for (name, value) in [("transaction_id", &payment.transaction_id), ("provider_code", &payment.provider_code)] {
        if !value.is_empty() {
            // A text takes everything.
            let _ = write!(line, " {name} {value}");
        }
    }
    let closed = payment.state() == payment::State::Closed;
    let back = if closed { " taken back" } else { " being taken back" };
    for (holds, what) in [(payment.surplus, " surplus"), (payment.reversing, back)] {
        if holds {
            line.push_str(what);
        }
    }
    line
}

/// A refund in one line.
pub(super) fn refund(refund: &Refund) -> String {
    let state = word(refund::State::try_from(refund.state).map(|state| state.as_str_name()));
    let mut line =
        format!("{} {state} {} yuan out_refund_no {}", refund.name, yuan(refund.amount_fen), refund.out_refund_no);
    if refund.waiting != 0 {
        let waiting = word(refund::Waiting::try_from(refund.waiting).map(|waiting| waiting.as_str_name()));
        // A text takes everything.
        let _ = write!(line, ", waiting for {waiting}");
    }
    if !refund.provider_code.is_empty() {
        let _ = write!(line, ", provider_code {}", refund.provider_code);
    }
    line + "\n"
}

/// What opens the cashier.
pub(super) fn opened(opened: &PayOrderResponse) -> anyhow::Result<String> {
    let mut text = opened.payment.as_ref().map(|attempt| payment(attempt) + "\n").unwrap_or_default();
    let usable_until = instant(opened.usable_until.as_ref());
    match &opened.invocation {
        Some(Invocation::Native(native)) => {
            text.push_str(&qr::drawn(&native.code_url, io::stdout().is_terminal())?);
            // A text takes everything.
            let _ = writeln!(text, "{}", native.code_url);
        }
        Some(Invocation::H5(h5)) => {
            let _ = writeln!(text, "{}", h5.url);
        }
        Some(Invocation::Jsapi(invocation)) => json(&mut text, invocation)?,
        Some(Invocation::App(invocation)) => json(&mut text, invocation)?,
        None => text.push_str("nothing to open: `payctl order watch` tells how it ends\n"),
    }
    if !usable_until.is_empty() {
        let _ = writeln!(text, "usable until {usable_until}");
    }
    Ok(text)
}

fn json(text: &mut String, invocation: &impl serde::Serialize) -> anyhow::Result<()> {
    text.push_str(&serde_json::to_string_pretty(invocation).context("the invocation is no JSON")?);
    text.push('\n');
    Ok(())
}

/// `STATE_PENDING` as `PENDING`; what this release does not know as `UNKNOWN`.
fn word<E>(name: Result<&'static str, E>) -> &'static str {
    let name = name.unwrap_or("UNKNOWN");
    name.strip_prefix("STATE_").or_else(|| name.strip_prefix("WAITING_")).unwrap_or(name)
}

fn yuan(fen: i64) -> String {
    Fen::new(fen).to_yuan()
}

fn instant(wire: Option<&pbjson_types::Timestamp>) -> String {
    wire.and_then(from_wire).map(|instant| instant.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proto::order::v1::{NativeInvocation, Order, PayOrderResponse, Refund, pay_order_response::Invocation};

    use super::{opened, order, refund, state_line};

    #[test]
    fn an_order_is_told_in_yuan_and_without_the_prefix_of_its_state() {
        let told = Order { name: "orders/1".into(), state: 1, amount_fen: 990, version: 3, ..Order::default() };
        assert_eq!(state_line(&told), "orders/1 PENDING 9.90 yuan, version 3");
        let told = Order { state: 4, refunded_fen: 100, refunding_fen: 1, ..told };
        assert!(state_line(&told).ends_with(", 1.00 yuan refunded, 0.01 yuan being refunded"));
        assert!(!order(&told).contains("paid  "), "what is not there is not told");
    }

    #[test]
    fn a_state_of_a_later_release_is_unknown() {
        assert!(state_line(&Order { state: 99, ..Order::default() }).contains(" UNKNOWN "));
    }

    #[test]
    fn a_refund_says_what_it_waits_for() {
        let told =
            Refund { name: "orders/1/refunds/2".into(), state: 1, waiting: 2, amount_fen: 5, ..Refund::default() };
        assert_eq!(refund(&told), "orders/1/refunds/2 CREATED 0.05 yuan out_refund_no , waiting for BALANCE\n");
    }

    #[test]
    fn a_native_payment_is_a_picture_and_its_text() {
        let code_url = "weixin://wxpay/bizpayurl?pr=abcdefgh".to_owned();
        let native = NativeInvocation { code_url: code_url.clone(), ..NativeInvocation::default() };
        let answer = PayOrderResponse { invocation: Some(Invocation::Native(native)), ..PayOrderResponse::default() };
        let told = opened(&answer).unwrap();
        assert!(told.contains('▀') && told.ends_with(&format!("{code_url}\n")), "{told}");
    }

    #[test]
    fn what_needs_no_cashier_says_how_to_go_on() {
        assert!(opened(&PayOrderResponse::default()).unwrap().contains("payctl order watch"));
    }
}

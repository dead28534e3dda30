use std::fmt::Write as _;

use money::Fen;

use super::super::html::{button, code, text};
use crate::{control::Cashier, ledger::Open};

/// How the phone looks.
const STYLE: &str = "
:root { color-scheme: light dark; --line: #8883; --soft: #767676; --good: #07c160 }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 26rem; min-height: 100vh; padding: 1rem; border: solid var(--line); border-width: 0 1px }
header { display: flex; justify-content: space-between; align-items: baseline } h1 { font-size: 1.1rem; margin: 0 } h2 { font-size: .9rem; color: var(--soft); margin: 1.5rem 0 .25rem }
.said { border-left: 4px solid var(--good); padding: .4rem .8rem } .soft { color: var(--soft) } .amount { font-size: 2.4rem; text-align: center; margin: 1.5rem 0 .5rem }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere } dl { display: grid; grid-template-columns: auto 1fr; gap: .4rem 1rem; border-top: 1px solid var(--line); padding-top: 1rem } dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
textarea, button { font: inherit; width: 100%; border: 1px solid var(--line); border-radius: .5rem; padding: .6rem; margin-top: .5rem; background: none; color: inherit } button { cursor: pointer } button.pay { background: var(--good); border-color: var(--good); color: #fff }
ul { list-style: none; margin: 0; padding: 0 } li { border-bottom: 1px solid var(--line); padding: .6rem 0 } li form { display: inline } a { color: inherit } li b { float: right }
";

/// The kinds of open orders, with the trade types that each holds.
const KINDS: [(&str, &[&str]); 3] =
    [("Open payments", &["JSAPI", "APP"]), ("Codes on screens", &["NATIVE"]), ("H5 links", &["MWEB"])];

/// The first page: scan something, or choose among what is open.
pub(super) fn home(said: Option<&str>, open: &[Open]) -> String {
    let mut body = said.map(|said| format!("<p class=\"said\">{}</p>", text(said))).unwrap_or_default();
    body.push_str(
        "<form method=\"post\" action=\"/phone/scan\"><textarea name=\"text\" rows=\"3\" required \
         placeholder=\"Text of a QR code, an H5 link, or a prepay id\"></textarea>\
         <button class=\"pay\">Scan</button></form><p><a href=\"/phone/pay-code\">Show my pay code</a></p>",
    );
    for (head, trade_types) in KINDS {
        let of_kind = || open.iter().filter(|open| trade_types.contains(&&*open.order.trade_type));
        let items: String = of_kind().map(item).collect();
        let list =
            if items.is_empty() { "<p class=\"soft\">None.</p>".to_owned() } else { format!("<ul>{items}</ul>") };
        let _ = write!(body, "<h2>{}</h2>{list}", text(head));
    }
    page("Phone", &body)
}

fn item(open: &Open) -> String {
    let Open { order, prepay } = open;
    // Only the text of a code is scanned; everything else is opened where it is.
    let scanned = if order.trade_type == "NATIVE" { prepay.code_url() } else { prepay.prepay_id.clone() };
    format!(
        "<li><b>¥{}</b>{}<br><span class=\"soft\">{}</span><br>{}{}</li>",
        Fen::new(order.amount_fen),
        text(&order.description),
        text(&order.merchant),
        code(&scanned),
        button("/phone/scan", &[("text", &scanned)], "", if order.trade_type == "NATIVE" { "Scan" } else { "Open" }),
    )
}

/// The cashier of an order. `back` is where an H5 payer returns to.
pub(super) fn cashier(cashier: &Cashier, back: Option<&str>) -> String {
    let facts = [
        ("For", &*cashier.description),
        ("Merchant", &cashier.merchant),
        ("Order number", &cashier.out_trade_no),
        ("Paid as", &cashier.trade_type),
    ];
    let facts = facts.map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", text(value))).concat();
    let ways = [("pay", "pay", "Pay"), ("declined", "", "Pay with a card that is declined"), ("cancel", "", "Cancel")];
    let ways: String = ways
        .iter()
        .map(|(how, class, label)| {
            let fields = [
                ("prepay_id", &*cashier.prepay_id),
                ("how", how),
                // Whoever sees this button has the cashier open, whatever becomes of the order meanwhile.
                ("in_cashier", "true"),
                ("redirect_url", back.unwrap_or_default()),
            ];
            button("/phone/pay", &fields, class, label)
        })
        .collect();
    let amount = Fen::new(cashier.amount_fen);
    page("Cashier", &format!("<p class=\"amount\">¥{amount}</p><dl>{facts}</dl>{ways}"))
}

/// What a page of an official account asks for.
pub(super) fn consent(action: &str, merchant: &str, app_id: &str, fields: &[(&str, &str)]) -> String {
    let body = format!(
        "<p>A page of {} ({}) asks for your name and picture.</p>{}<p><a href=\"/phone\">Refuse</a></p>",
        text(merchant),
        code(app_id),
        button(action, fields, "pay", "Allow"),
    );
    page("Sign in with WeChat", &body)
}

/// A page with one sentence.
pub(super) fn sentence(head: &str, sentence: &str) -> String {
    page(head, &format!("<p class=\"said\">{}</p><p><a href=\"/phone\">Back</a></p>", text(sentence)))
}

fn page(title: &str, body: &str) -> String {
    let title = text(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head>\
         <body><header><h1>{title}</h1><a href=\"/phone\">Phone</a></header>{body}</body></html>"
    )
}

//! A person's phone scans a code: it opens an order that was placed before, or makes WeChat ask the merchant for one
//! (Native mode 1).

mod code;
mod question;

use futures::future;

use crate::{
    control::{Cashier, Scan, Scanned, Shown},
    ledger::{Ledger, PaymentRefused, Prepay},
    platform::Platform,
};
use code::Code;
use question::Question;

/// Most questions about one scan beyond the first.
pub(crate) const MAX_DUPLICATES: u32 = 20;

/// Scans a code. What the merchant is asked, it is asked as often as the scan wants.
pub(crate) async fn scan(platform: &Platform, scan: &Scan) -> Scanned {
    // A short URL stands for the text that was shortened.
    let long_url = platform.ledger().desk.long_url(scan.code_url.trim()).map(str::to_owned);
    let shown = match Code::read(long_url.as_deref().unwrap_or(&scan.code_url)) {
        Some(Code::Product(fields)) => match Question::about(platform, &fields, scan.openid.as_deref()) {
            Ok(question) => return ask(platform, &question, scan).await,
            Err(why) => nothing(why),
        },
        Some(Code::Order(code_url)) => {
            open(platform, |ledger| ledger.prepay_of_code(code_url).cloned(), scan.openid.as_deref())
        }
        Some(Code::Link(prepay_id)) => {
            let now = platform.clock.now();
            let fresh = |ledger: &Ledger| ledger.prepay(&prepay_id).filter(|prepay| prepay.is_fresh_link(now)).cloned();
            open(platform, fresh, scan.openid.as_deref())
        }
        Some(Code::Prepaid(prepay_id)) => {
            open(platform, |ledger| ledger.prepay(&prepay_id).cloned(), scan.openid.as_deref())
        }
        None => nothing("this is no code of WeChat Pay"),
    };
    Scanned { shown, answers: Vec::new() }
}

async fn ask(platform: &Platform, question: &Question, scan: &Scan) -> Scanned {
    let times = 1 + scan.duplicate.min(MAX_DUPLICATES);
    let asked = (0..times).map(|_| question.ask(platform, scan.corrupt.as_deref()));
    let answers = future::join_all(asked).await;
    let cashier = answers.iter().find(|shown| matches!(shown, Shown::Cashier(_)));
    let shown = cashier.or(answers.first()).cloned().expect("it is asked at least once");
    Scanned { shown, answers }
}

/// Opens the cashier of an order that was placed before.
fn open(platform: &Platform, find: impl FnOnce(&Ledger) -> Option<Prepay>, openid: Option<&str>) -> Shown {
    let now = platform.clock.now();
    let mut ledger = platform.ledger();
    let Some(prepay) = find(&ledger) else { return nothing("WeChat does not know this code, or no longer") };
    let shown = cashier(&ledger, &prepay, now);
    if let (Shown::Cashier(_), Some(openid)) = (&shown, openid) {
        ledger.scanned(prepay.order, openid);
    }
    shown
}

/// The cashier of a prepay id, or why it does not open.
pub(crate) fn cashier(ledger: &Ledger, prepay: &Prepay, now: jiff::Timestamp) -> Shown {
    match ledger.openable(prepay, now) {
        Ok(order) => Shown::Cashier(Cashier {
            merchant: order.merchant.to_string(),
            out_trade_no: order.out_trade_no.clone(),
            prepay_id: prepay.prepay_id.clone(),
            amount_fen: order.amount.get(),
            description: order.ordered("body").unwrap_or_default().to_owned(),
            trade_type: order.trade_type.clone(),
        }),
        Err(PaymentRefused::PrepayStale) => nothing("the code is older than two hours"),
        Err(refused) => nothing(&refused.to_string()),
    }
}

fn nothing(why: &str) -> Shown {
    Shown::Nothing { why: why.to_owned() }
}

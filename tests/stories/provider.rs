//! WeChat does not answer, answers nonsense, or says no. Only a definite, signed word decides anything.

mod asking;
mod login;
mod prepay;
mod refusal;

use std::time::Duration;

use e2e::{sandbox_client::Fault, selling::Order};
use proto::order::v1;

/// Long enough for the question that was due after ten minutes, with its jitter.
const NEXT_QUESTION: Duration = Duration::from_mins(12);

/// Every way in which a call ends without a word that counts, and whether WeChat did it all the same.
pub(crate) fn answers_that_prove_nothing() -> Vec<(Fault, bool)> {
    vec![
        (Fault::Status { status: 502, executed: false }, false),
        (Fault::Status { status: 503, executed: true }, true),
        (Fault::Status { status: 404, executed: false }, false),
        (Fault::Garbage, true),
        (Fault::BadSignature, true),
        (Fault::Lost, true),
        (Fault::NotExecuted, false),
        (code_word("SYSTEMERROR"), false),
        (Fault::ErrorCode { code: "SYSTEMERROR".to_owned(), executed: true }, true),
        (Fault::Redirect, false),
    ]
}

async fn only_payment(order: &Order) -> v1::Payment {
    only(order.now().await)
}

fn only(order: v1::Order) -> v1::Payment {
    let [payment] = <[v1::Payment; 1]>::try_from(order.payments).expect("one attempt");
    payment
}

/// WeChat answers with this code and has done nothing.
fn code_word(code: &str) -> Fault {
    Fault::ErrorCode { code: code.to_owned(), executed: false }
}

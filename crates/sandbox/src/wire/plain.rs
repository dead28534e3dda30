//! Answers that nobody signs.

use axum::response::Response;
use wechat_pay::v2::{Fields, xml};

use super::{Refusal, exchange::text};

/// The fields of an answer without identity, nonce and signature.
pub(super) fn fields(outcome: Result<Fields, Refusal>) -> Fields {
    let mut answer: Fields = [("return_code", "SUCCESS"), ("return_msg", "OK")].into_iter().collect();
    match outcome {
        Ok(fields) => {
            answer.insert("result_code", "SUCCESS");
            for (name, value) in fields.iter() {
                answer.insert(name, value);
            }
        }
        Err(refusal) => {
            answer.insert("result_code", "FAIL");
            answer.insert("err_code", refusal.err_code);
            answer.insert("err_code_des", refusal.err_code_des);
        }
    }
    answer
}

/// Such an answer.
pub(super) fn answer(outcome: Result<Fields, Refusal>) -> Response {
    text(xml::write("xml", &fields(outcome)))
}

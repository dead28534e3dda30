//! What an answer proves, judged in the one order that is safe.

use super::sign::{self, SignError};
use super::xml::{self, XmlError};
use super::{ApiKey, Fields, Identity, SignType};

/// Longest piece of WeChat's free text that is kept; WeChat declares 128 characters.
const MAX_MESSAGE_CHARS: usize = 128;

/// What an answer proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Verified, and the *call* succeeded. That a payment succeeded is said by the fields of the calls that can say it.
    Success(Fields),
    /// Verified, and the call was refused. A definite answer; [`action`](super::action) says what it calls for.
    Refused {
        /// WeChat's code: an open set, empty when WeChat sent none.
        err_code: String,
        /// WeChat's words for people; never to be branched on.
        err_code_des: String,
        /// Everything that was answered, e.g. `recall`.
        fields: Fields,
    },
    /// Nothing is proven: the call may or may not have been carried out.
    Unknown(Unknown),
}

/// Why an answer proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// Anything but HTTP 200; WeChat answers business failures with 200.
    #[error("HTTP status {0}")]
    HttpStatus(u16),
    /// Not a message: an HTML page, a cut-off body, garbage.
    #[error("answer cannot be read: {0}")]
    Unreadable(#[source] XmlError),
    /// `return_code` is not `SUCCESS`: unsigned, so anybody on the way could have written it.
    #[error("unsigned failure: {return_msg}")]
    NotSigned {
        /// WeChat's words, shortened.
        return_msg: String,
        /// A code, where WeChat puts one beside an unsigned failure.
        err_code: Option<String>,
    },
    /// The signature is missing or wrong. Raise an alarm: a genuine answer is always signed.
    #[error("answer is not authentic: {0}")]
    BadSign(#[source] SignError),
    /// Signed with our key, but about somebody else.
    #[error("answer names another {field}")]
    Foreign {
        /// The identity field that differs.
        field: &'static str,
    },
    /// Verified, but `result_code` is neither `SUCCESS` nor `FAIL`.
    #[error("answer has no result")]
    NoResult,
}

impl Answer {
    /// The fields of a success.
    ///
    /// # Errors
    /// The answer itself when it is anything else.
    pub fn success(self) -> Result<Fields, Answer> {
        match self {
            Answer::Success(fields) => Ok(fields),
            other => Err(other),
        }
    }
}

/// Judges the answer to a request of `request`, signed with `sign_type`.
///
/// The order is WeChat's and matters: transport, readability, `return_code`, signature, identity, and only then the
/// result. Refused is therefore always verified, and an answer signed with another type than the request is unknown.
pub fn judge(status: u16, body: &[u8], request: &Identity, key: &ApiKey, sign_type: SignType) -> Answer {
    match verified(status, body, request, key, sign_type) {
        Ok(fields) => result(fields, None),
        Err(unknown) => Answer::Unknown(unknown),
    }
}

/// As [`judge`], for the one call whose answers may lack a `result_code`
/// ([`FaceCredentialRequest`](super::FaceCredentialRequest)): there a verified answer without one is a success.
pub fn judge_credential(status: u16, body: &[u8], request: &Identity, key: &ApiKey, sign_type: SignType) -> Answer {
    match verified(status, body, request, key, sign_type) {
        Ok(fields) => result(fields, Some("SUCCESS")),
        Err(unknown) => Answer::Unknown(unknown),
    }
}

/// The verified fields of an answer, whatever its result.
fn verified(
    status: u16,
    body: &[u8],
    request: &Identity,
    key: &ApiKey,
    sign_type: SignType,
) -> Result<Fields, Unknown> {
    if status != 200 {
        return Err(Unknown::HttpStatus(status));
    }
    let fields = xml::parse("xml", body).map_err(Unknown::Unreadable)?;
    if fields.text("return_code") != Some("SUCCESS") {
        return Err(Unknown::NotSigned {
            return_msg: fields.text("return_msg").map(shortened).unwrap_or_default(),
            err_code: fields.text("err_code").map(shortened),
        });
    }
    sign::verify(&fields, key, sign_type).map_err(Unknown::BadSign)?;
    match request.first_mismatch(&fields) {
        Some(field) => Err(Unknown::Foreign { field }),
        None => Ok(fields),
    }
}

/// Reads the result of verified fields; `absent` is what the lack of one means.
fn result(fields: Fields, absent: Option<&str>) -> Answer {
    match fields.text("result_code").or(absent) {
        Some("SUCCESS") => Answer::Success(fields),
        Some("FAIL") => Answer::Refused {
            err_code: fields.text("err_code").map(shortened).unwrap_or_default(),
            err_code_des: fields.text("err_code_des").map(shortened).unwrap_or_default(),
            fields,
        },
        _ => Answer::Unknown(Unknown::NoResult),
    }
}

/// A piece of WeChat's text without control characters, at most as long as WeChat declares it.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MAX_MESSAGE_CHARS).collect()
}

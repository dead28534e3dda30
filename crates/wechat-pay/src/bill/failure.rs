//! The XML that WeChat answers in place of a bill.

use std::fmt;

use crate::v2::Fields;
use crate::v2::xml;

/// Why WeChat sent no bill. Not signed: TLS is its only protection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BillFailure {
    /// There was no transaction on that day. Believable only when our books say the same.
    NoBillExist,
    /// The bill is still being made: ask again, at least 30 minutes later and after 10:00 Beijing time.
    Creating,
    /// WeChat is busy: ask again.
    Busy {
        /// WeChat's words.
        return_msg: String,
    },
    /// We asked wrongly: an alarm, not a retry.
    Refused {
        /// WeChat's words.
        return_msg: String,
        /// WeChat's number, e.g. `20001` for a bad signature.
        error_code: Option<String>,
    },
}

/// Longest piece of WeChat's free text that is kept.
const MAX_MESSAGE_CHARS: usize = 128;

impl BillFailure {
    /// Reads the answer, or `None` when it is not an error message at all.
    pub fn parse(body: &[u8]) -> Option<BillFailure> {
        let fields = xml::parse("xml", body).ok()?;
        fields.text("return_code")?;
        Some(BillFailure::of(&fields))
    }

    fn of(fields: &Fields) -> BillFailure {
        // Trade bills say it in `return_msg`, fund flow bills in `err_code`.
        let words = fields.text("err_code").or_else(|| fields.text("return_msg")).unwrap_or_default();
        let return_msg: String =
            words.chars().filter(|character| !character.is_control()).take(MAX_MESSAGE_CHARS).collect();
        let error_code = fields.text("error_code").map(str::to_owned);
        match return_msg.to_ascii_lowercase().replace('_', " ").as_str() {
            "no bill exist" => BillFailure::NoBillExist,
            _ if error_code.as_deref() == Some("20002") => BillFailure::NoBillExist,
            "bill creating" => BillFailure::Creating,
            "systemerror" | "compressgzip error" | "uncompressgzip error" => BillFailure::Busy { return_msg },
            _ => BillFailure::Refused { return_msg, error_code },
        }
    }
}

impl fmt::Display for BillFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BillFailure::NoBillExist => f.write_str("No Bill Exist"),
            BillFailure::Creating => f.write_str("Bill Creating"),
            BillFailure::Busy { return_msg } | BillFailure::Refused { return_msg, error_code: None } => {
                f.write_str(return_msg)
            }
            BillFailure::Refused { return_msg, error_code: Some(error_code) } => {
                write!(f, "{return_msg} ({error_code})")
            }
        }
    }
}

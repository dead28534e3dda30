//! How a call to a provider ended: done, a definite no, or unknown.

use proto::gateway::v1;
pub(crate) use proto::gateway::v1::not_done::Kind;

/// Longest words of a provider that are handed on, in characters.
const MAX_MESSAGE_CHARS: usize = 128;

/// Longest code of a provider that is handed on, in characters; WeChat declares 32.
const MAX_CODE_CHARS: usize = 64;

/// What is known after one call.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    /// The provider did it, or answered the question.
    Done(T),
    /// A definite no.
    NotDone(NotDone),
    /// It may or may not have happened.
    Unknown(Unknown),
}

/// A definite no of the provider.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotDone {
    pub(crate) kind: Kind,
    /// The provider's code, for people and metrics.
    pub(crate) code: String,
    /// The provider's words.
    pub(crate) message: String,
}

impl NotDone {
    pub(crate) fn new(kind: Kind, code: impl AsRef<str>, message: impl AsRef<str>) -> NotDone {
        NotDone {
            kind,
            code: shortened(code.as_ref(), MAX_CODE_CHARS),
            message: shortened(message.as_ref(), MAX_MESSAGE_CHARS),
        }
    }
}

/// Nothing can be said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) why: Why,
    /// The provider's code, or the HTTP status; empty when there is neither.
    pub(crate) code: String,
    /// What went wrong below, for our log alone; never holds a URL, because a URL can hold a secret.
    pub(crate) cause: Option<String>,
}

impl Unknown {
    pub(crate) fn new(why: Why) -> Unknown {
        Unknown { why, code: String::new(), cause: None }
    }

    /// Adds the provider's code.
    pub(crate) fn with_code(mut self, code: impl AsRef<str>) -> Unknown {
        self.code = shortened(code.as_ref(), MAX_CODE_CHARS);
        self
    }

    /// Adds what went wrong below, with the errors that it names as its sources.
    pub(crate) fn because(mut self, error: &dyn std::error::Error) -> Unknown {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(below) = source {
            text.push_str(": ");
            text.push_str(&below.to_string());
            source = below.source();
        }
        self.cause = Some(text);
        self
    }
}

/// Why nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// No answer within the time that the call had.
    Timeout,
    /// No connection.
    Connect,
    /// The connection broke before the head of an answer was there.
    Transport,
    /// The connection broke inside the answer.
    CutOff,
    /// An HTTP status other than 200 and no redirect.
    HttpStatus,
    /// The answer points elsewhere; nobody goes there with signed fields.
    Redirect,
    /// The answer is larger than any answer of this kind.
    TooLarge,
    /// The answer is not a message of this provider.
    NotXml,
    /// The login answer is not JSON.
    NotJson,
    /// The answer is not signed, or not by the provider.
    BadSignature,
    /// The answer claims a failure without signing it.
    Unsigned,
    /// The answer is about another merchant, app or number.
    WrongIdentity,
    /// The answer is genuine but lacks what it promises.
    BadAnswer,
    /// The file is not the one whose digest was promised with it.
    WrongDigest,
    /// The provider says that it does not know.
    SystemError,
    /// The number was used before with other content: what became of that is to be asked.
    NumberInUse,
    /// A code that nobody has told us about.
    UnlistedCode,
    /// The provider asks to be called again.
    Recall,
    /// This process stops before the answer was whole.
    Stopping,
    /// The instant before which the call had to leave was over, and nothing was sent. No caller hears it as an outcome: it is
    /// refused instead.
    TooLateToLeave,
    /// Our own fault, after the call may have left.
    Internal,
}

impl Why {
    /// The word on the wire, in logs and in metrics.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Why::Timeout => "timeout",
            Why::Connect => "connect",
            Why::Transport => "transport",
            Why::CutOff => "cut_off",
            Why::HttpStatus => "http_status",
            Why::Redirect => "redirect",
            Why::TooLarge => "too_large",
            Why::NotXml => "not_xml",
            Why::NotJson => "not_json",
            Why::BadSignature => "bad_signature",
            Why::Unsigned => "unsigned_failure",
            Why::WrongIdentity => "wrong_identity",
            Why::BadAnswer => "bad_answer",
            Why::WrongDigest => "wrong_digest",
            Why::SystemError => "system_error",
            Why::NumberInUse => "number_in_use",
            Why::UnlistedCode => "unlisted_code",
            Why::Recall => "recall",
            Why::Stopping => "stopping",
            Why::TooLateToLeave => "too_late_to_leave",
            Why::Internal => "internal",
        }
    }
}

/// The word of a definite no in logs and metrics.
pub(crate) const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Unspecified => "unspecified",
        Kind::Refused => "refused",
        Kind::AlreadyPaid => "already_paid",
        Kind::AlreadyClosed => "already_closed",
        Kind::Configuration => "configuration",
        Kind::RateLimited => "rate_limited",
        Kind::TooEarly => "too_early",
        Kind::LoginCodeInvalid => "login_code_invalid",
        Kind::InsufficientBalance => "insufficient_balance",
        Kind::PayCodeInvalid => "pay_code_invalid",
        Kind::PayerCannotPay => "payer_cannot_pay",
        Kind::TooLate => "too_late",
    }
}

/// Everything but done; lets a provider's code leave with `?`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    NotDone(NotDone),
    Unknown(Unknown),
}

impl From<NotDone> for Failure {
    fn from(not_done: NotDone) -> Failure {
        Failure::NotDone(not_done)
    }
}

impl From<Unknown> for Failure {
    fn from(unknown: Unknown) -> Failure {
        Failure::Unknown(unknown)
    }
}

impl<T> From<Result<T, Failure>> for Outcome<T> {
    fn from(result: Result<T, Failure>) -> Outcome<T> {
        match result {
            Ok(done) => Outcome::Done(done),
            Err(Failure::NotDone(not_done)) => Outcome::NotDone(not_done),
            Err(Failure::Unknown(unknown)) => Outcome::Unknown(unknown),
        }
    }
}

impl From<NotDone> for v1::NotDone {
    fn from(not_done: NotDone) -> v1::NotDone {
        v1::NotDone { kind: not_done.kind.into(), provider_code: not_done.code, provider_message: not_done.message }
    }
}

impl From<Unknown> for v1::Unknown {
    fn from(unknown: Unknown) -> v1::Unknown {
        v1::Unknown { why: unknown.why.word().to_owned(), provider_code: unknown.code }
    }
}

/// Makes the response message of an outcome: each has its own, of the same shape.
macro_rules! response {
    ($done:ty, $response:ident, $module:ident) => {
        impl From<Outcome<$done>> for v1::$response {
            fn from(outcome: Outcome<$done>) -> v1::$response {
                use v1::$module::Outcome as Wire;
                let outcome = match outcome {
                    Outcome::Done(done) => Wire::Done(done),
                    Outcome::NotDone(not_done) => Wire::NotDone(not_done.into()),
                    Outcome::Unknown(unknown) => Wire::Unknown(unknown.into()),
                };
                v1::$response { outcome: Some(outcome) }
            }
        }
    };
}

response!(v1::Prepaid, PrepayResponse, prepay_response);
response!(v1::PaymentStatus, QueryPaymentResponse, query_payment_response);
response!(v1::Closed, ClosePaymentResponse, close_payment_response);
response!(v1::RefundAccepted, CreateRefundResponse, create_refund_response);
response!(v1::RefundStatus, QueryRefundResponse, query_refund_response);
response!(v1::Resolved, ResolveOpenidResponse, resolve_openid_response);
response!(v1::PaymentStatus, ChargeResponse, charge_response);
response!(v1::Reversed, ReversePaymentResponse, reverse_payment_response);
response!(v1::FaceCredential, GetFaceCredentialResponse, get_face_credential_response);
response!(v1::ShortUrl, ShortenUrlResponse, shorten_url_response);
response!(v1::ProviderRefunds, ListProviderRefundsResponse, list_provider_refunds_response);
response!(v1::Comments, ListCommentsResponse, list_comments_response);
response!(v1::RedPacketSent, SendRedPacketResponse, send_red_packet_response);
response!(v1::RedPacket, GetRedPacketResponse, get_red_packet_response);

fn shortened(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::{Kind, NotDone, Unknown, Why};

    #[test]
    fn the_words_of_a_provider_are_cut_at_128_characters() {
        let not_done = NotDone::new(Kind::Refused, "NOTENOUGH", "余".repeat(500));
        assert_eq!(not_done.message.chars().count(), 128);
    }

    #[test]
    fn a_cause_is_told_with_its_sources() {
        let inner = std::io::Error::other("connection reset");
        let outer = anyhow::Error::new(inner).context("reading the answer");
        let unknown = Unknown::new(Why::CutOff).because(outer.as_ref());
        assert_eq!(unknown.cause.as_deref(), Some("reading the answer: connection reset"));
    }
}

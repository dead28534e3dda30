//! What became of a callback. Metrics, logs and answers all speak these words.

/// How one callback to a known address ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// Taken, and what it says is on the stream: a payment's fact, or the hint of a refund.
    Recorded,
    /// Genuine, and says that nothing was paid.
    NotPaid,
    /// A scan that was answered with a prepaid order.
    Answered,
    /// A scan that the owner of orders answered with words for the payer.
    Declined,
    /// Not a flat XML message: no XML, nested or repeated elements, another root, not UTF-8.
    Malformed,
    /// With a DOCTYPE: nobody sends one by accident.
    Doctype,
    /// Without a signature.
    Unsigned,
    /// The signature is not the account's.
    SignWrong,
    /// The account's own signature, but of the sign type that its orders do not use.
    SignTypeGenuine,
    /// `return_code` is not SUCCESS.
    ReturnCode,
    /// A refund notice that does not decrypt to text with the account's keys.
    SealedWrong,
    /// Signed or sealed with the key, but about another merchant number, or about another sub-merchant than the account's.
    OtherAccount,
    /// A field that every notice of its kind must have is missing or unreadable.
    Field,
    /// The body is too large.
    TooLarge,
    /// The body did not arrive in time.
    TooSlow,
    /// The client went away, or its framing is broken.
    Broken,
    /// As many callbacks as may wait for the bus were waiting.
    Overloaded,
    /// The bus could not be reached.
    BusDown,
    /// The stream said no: it is full, or its disk is.
    BusRefused,
    /// The bus did not acknowledge in time; the fact may be stored or not.
    Unacknowledged,
    /// Nobody listens for scans.
    NobodyListens,
    /// Nobody answered a scan in time.
    Unanswered,
    /// The answer to a scan was not one.
    AnswerWrong,
}

impl Outcome {
    /// Every outcome.
    #[cfg(test)]
    pub(crate) const ALL: [Outcome; 23] = [
        Outcome::Recorded,
        Outcome::NotPaid,
        Outcome::Answered,
        Outcome::Declined,
        Outcome::Malformed,
        Outcome::Doctype,
        Outcome::Unsigned,
        Outcome::SignWrong,
        Outcome::SignTypeGenuine,
        Outcome::ReturnCode,
        Outcome::SealedWrong,
        Outcome::OtherAccount,
        Outcome::Field,
        Outcome::TooLarge,
        Outcome::TooSlow,
        Outcome::Broken,
        Outcome::Overloaded,
        Outcome::BusDown,
        Outcome::BusRefused,
        Outcome::Unacknowledged,
        Outcome::NobodyListens,
        Outcome::Unanswered,
        Outcome::AnswerWrong,
    ];

    /// The word in metrics, logs and answers.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Outcome::Recorded => "recorded",
            Outcome::NotPaid => "not_paid",
            Outcome::Answered => "answered",
            Outcome::Declined => "declined",
            Outcome::Malformed => "malformed",
            Outcome::Doctype => "doctype",
            Outcome::Unsigned => "unsigned",
            Outcome::SignWrong => "sign_wrong",
            Outcome::SignTypeGenuine => "sign_type_genuine",
            Outcome::ReturnCode => "return_code",
            Outcome::SealedWrong => "sealed_wrong",
            Outcome::OtherAccount => "other_account",
            Outcome::Field => "field",
            Outcome::TooLarge => "too_large",
            Outcome::TooSlow => "too_slow",
            Outcome::Broken => "broken",
            Outcome::Overloaded => "overloaded",
            Outcome::BusDown => "bus_down",
            Outcome::BusRefused => "bus_refused",
            Outcome::Unacknowledged => "unacknowledged",
            Outcome::NobodyListens => "nobody_listens",
            Outcome::Unanswered => "unanswered",
            Outcome::AnswerWrong => "answer_wrong",
        }
    }

    /// Whose doing it is, and so how the provider is answered.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Outcome::Recorded | Outcome::NotPaid | Outcome::Answered | Outcome::Declined => Kind::Taken,
            Outcome::Malformed
            | Outcome::Doctype
            | Outcome::Unsigned
            | Outcome::SignWrong
            | Outcome::SignTypeGenuine
            | Outcome::ReturnCode
            | Outcome::SealedWrong
            | Outcome::OtherAccount
            | Outcome::Field => Kind::Refused,
            Outcome::TooLarge | Outcome::TooSlow | Outcome::Broken => Kind::Unread,
            Outcome::Overloaded
            | Outcome::BusDown
            | Outcome::BusRefused
            | Outcome::Unacknowledged
            | Outcome::NobodyListens
            | Outcome::Unanswered
            | Outcome::AnswerWrong => Kind::Later,
        }
    }
}

/// The four ways to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The provider need not come again.
    Taken,
    /// Nothing that we believe.
    Refused,
    /// We never saw all of it.
    Unread,
    /// It may well be true, and we could not keep it: the provider is to come again. Of a scan: the payer is to scan again.
    Later,
}

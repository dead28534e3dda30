use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Asks for a pay code, as a phone shows it, or for a face code. Everything is optional; an empty body makes a code of
/// a new user who pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewPayCode {
    /// The user, under the app that will charge; a new user when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openid: Option<String>,
    /// What a charge of the code comes to.
    pub behaviour: PayBehaviour,
    /// How long a user takes who pays late, in seconds of the sandbox's clock.
    pub after_s: u32,
}

impl Default for NewPayCode {
    fn default() -> NewPayCode {
        NewPayCode { openid: None, behaviour: PayBehaviour::Pays, after_s: 5 }
    }
}

/// What a charge of a code comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayBehaviour {
    /// The money is taken at once.
    #[default]
    Pays,
    /// `USERPAYING`, until the control API's `pay` enters the password, or its `cancel` does not.
    Password,
    /// `USERPAYING`; the user pays after [`NewPayCode::after_s`].
    PaysLate,
    /// `NOTENOUGH`.
    NoMoney,
    /// `NOTSUPORTCARD` (sic).
    WrongCard,
    /// `BUYER_MISMATCH`.
    BuyerMismatch,
    /// `SYSTEMERROR`, although the money was taken.
    SystemErrorPaid,
    /// `SYSTEMERROR`, and no money was taken.
    SystemErrorUnpaid,
    /// `BANKERROR`, and no money was taken.
    BankError,
}

impl PayBehaviour {
    /// Every behaviour.
    pub const ALL: [PayBehaviour; 9] = [
        PayBehaviour::Pays,
        PayBehaviour::Password,
        PayBehaviour::PaysLate,
        PayBehaviour::NoMoney,
        PayBehaviour::WrongCard,
        PayBehaviour::BuyerMismatch,
        PayBehaviour::SystemErrorPaid,
        PayBehaviour::SystemErrorUnpaid,
        PayBehaviour::BankError,
    ];

    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            PayBehaviour::Pays => "pays",
            PayBehaviour::Password => "password",
            PayBehaviour::PaysLate => "pays_late",
            PayBehaviour::NoMoney => "no_money",
            PayBehaviour::WrongCard => "wrong_card",
            PayBehaviour::BuyerMismatch => "buyer_mismatch",
            PayBehaviour::SystemErrorPaid => "system_error_paid",
            PayBehaviour::SystemErrorUnpaid => "system_error_unpaid",
            PayBehaviour::BankError => "bank_error",
        }
    }
}

/// A pay code: good once, for a minute of the sandbox's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayCode {
    /// 18 digits, the first two 10 to 15.
    pub auth_code: String,
    /// Whose phone shows it.
    pub openid: String,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

/// A face code: good once, for a minute of the sandbox's clock, at micropay as `auth_code` or at facepay as `face_code`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaceCode {
    /// 18 digits, the first two not 10 to 15.
    pub face_code: String,
    /// Whose face it is.
    pub openid: String,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

/// The user who is asked for a password does not enter it. Everything is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cancel {
    /// Our name of the merchant; needed only when two merchants used the same number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
}

//! `/mmpaymkttransfers/sendredpack`, `/sendgroupredpack`, `/sendminiprogramhb`: send a red packet. They need the merchant's client
//! certificate; their answers are unsigned.

use std::net::Ipv4Addr;

use money::Fen;

use super::answer::{Answer, Unknown};
use super::fields::FieldProblem;
use super::request::sign_into;
use super::{ApiKey, FieldError, Fields, Identity, OpenId, SignType, xml};

/// Sends a red packet. `mch_billno` is its idempotency key: whatever came of a sending, it is repeated with the same number and
/// content, at least a second later, or looked up; a new number would be a second packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendRedpack {
    /// For whom; `wxappid` on the wire.
    pub identity: Identity,
    /// Which kind.
    pub kind: RedpackKind,
    /// Our number, see [`limits::check_mch_billno`](super::limits::check_mch_billno).
    pub mch_billno: String,
    /// Who sends, as the user reads it, at most 32 bytes.
    pub send_name: String,
    /// Who gets it, under the app that [`Identity::launching_appid`] names.
    pub re_openid: OpenId,
    /// Altogether.
    pub total_amount: Fen,
    /// Into how many parts.
    pub total_num: u32,
    /// At most 128 bytes.
    pub wishing: String,
    /// At most 32 bytes.
    pub act_name: String,
    /// At most 256 bytes.
    pub remark: String,
    /// The caller's address.
    pub client_ip: Ipv4Addr,
    /// `PRODUCT_1` to `PRODUCT_8`; needed outside 1 to 200 yuan.
    pub scene_id: Option<String>,
    /// What is known about the user, percent-encoded already: it is signed in that form.
    pub risk_info: Option<String>,
}

/// Which kind of red packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RedpackKind {
    /// For one user.
    Normal,
    /// For one user, who shares it with others.
    Group,
    /// For one user of a mini program, opened there.
    MiniProgram,
}

impl SendRedpack {
    /// The only type that this call takes, whatever the merchant's.
    pub const SIGN_TYPE: SignType = SignType::Md5;

    /// Path below WeChat's host.
    pub const fn path(kind: RedpackKind) -> &'static str {
        match kind {
            RedpackKind::Normal => "/mmpaymkttransfers/sendredpack",
            RedpackKind::Group => "/mmpaymkttransfers/sendgroupredpack",
            RedpackKind::MiniProgram => "/mmpaymkttransfers/sendminiprogramhb",
        }
    }

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey) -> Fields {
        let mut fields =
            Fields::from_iter([("wxappid", self.identity.appid.as_str()), ("mch_id", &self.identity.mch_id)]);
        if let Some(sub_mch_id) = &self.identity.sub_mch_id {
            fields.insert("sub_mch_id", sub_mch_id);
            // The app whose user gets it.
            fields.insert("msgappid", self.identity.launching_appid());
        }
        for (name, value) in [
            ("nonce_str", nonce),
            ("mch_billno", &self.mch_billno),
            ("send_name", &self.send_name),
            ("re_openid", self.re_openid.as_str()),
            ("total_amount", &self.total_amount.get().to_string()),
            ("total_num", &self.total_num.to_string()),
            ("wishing", &self.wishing),
            ("client_ip", &self.client_ip.to_string()),
            ("act_name", &self.act_name),
            ("remark", &self.remark),
        ] {
            fields.insert(name, value);
        }
        match self.kind {
            RedpackKind::Normal => {}
            RedpackKind::Group => _ = fields.insert("amt_type", "ALL_RAND"),
            RedpackKind::MiniProgram => _ = fields.insert("notify_way", "MINI_PROGRAM_JSAPI"),
        }
        for (name, value) in [("scene_id", &self.scene_id), ("risk_info", &self.risk_info)] {
            if let Some(value) = value {
                fields.insert(name, value);
            }
        }
        sign_into(&mut fields, key, SendRedpack::SIGN_TYPE);
        fields
    }

    /// Reads a successful answer to this request.
    ///
    /// # Errors
    /// [`FieldError`] when it is about another packet, or lacks what opens this one.
    pub fn sent(&self, fields: &Fields) -> Result<RedpackSent, FieldError> {
        if fields.required("mch_billno")? != self.mch_billno {
            return Err(FieldError::new("mch_billno", FieldProblem::Mismatch));
        }
        if fields.fen("total_amount")?.is_some_and(|told| told != self.total_amount) {
            return Err(FieldError::new("total_amount", FieldProblem::Mismatch));
        }
        let package = match self.kind {
            RedpackKind::MiniProgram => Some(fields.required("package")?.to_owned()),
            RedpackKind::Normal | RedpackKind::Group => None,
        };
        Ok(RedpackSent { send_listid: fields.text("send_listid").unwrap_or_default().to_owned(), package })
    }
}

/// A red packet that WeChat accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedpackSent {
    /// WeChat's number of it; empty when it tells none.
    pub send_listid: String,
    /// What a mini program opens it with; see [`RedpackInvocation`](super::RedpackInvocation).
    pub package: Option<String>,
}

/// Judges the unsigned answer to a red packet call of `identity`: only TLS says that it is WeChat's. `Success` and `Refused` are
/// therefore less than elsewhere, and nothing but them is a definite answer.
pub fn judge_redpack(body: &[u8], identity: &Identity) -> Answer {
    match xml::parse_leaving_out("xml", body, "hblist") {
        Ok(fields) => judged(fields, identity),
        Err(error) => Answer::Unknown(Unknown::Unreadable(error)),
    }
}

fn judged(fields: Fields, identity: &Identity) -> Answer {
    let told = |name| fields.text(name).map(super::answer::shortened).unwrap_or_default();
    if fields.text("return_code") != Some("SUCCESS") {
        let err_code = fields.text("err_code").map(super::answer::shortened);
        return Answer::Unknown(Unknown::NotSigned { return_msg: told("return_msg"), err_code });
    }
    for (name, ours) in [("mch_id", &identity.mch_id), ("wxappid", &identity.appid)] {
        if fields.text(name).is_some_and(|theirs| theirs != ours) {
            return Answer::Unknown(Unknown::Foreign { field: name });
        }
    }
    match fields.text("result_code") {
        Some("SUCCESS") => Answer::Success(fields),
        Some("FAIL") => Answer::Refused { err_code: told("err_code"), err_code_des: told("err_code_des"), fields },
        _ => Answer::Unknown(Unknown::NoResult),
    }
}

//! `/mmpaymkttransfers/gethbinfo`: asks what became of a red packet. Needs the merchant's client certificate; its answer is
//! unsigned and holds a list of who opened it, which is left out.

use jiff::Timestamp;
use money::Fen;

use super::fields::FieldProblem;
use super::request::sign_into;
use super::{ApiKey, FieldError, Fields, Identity, SignType};

/// Asks what became of a red packet. The answer is judged by [`judge_redpack`](super::judge_redpack).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedpackQuery {
    /// For whom.
    pub identity: Identity,
    /// Our number.
    pub mch_billno: String,
}

impl RedpackQuery {
    /// Path below WeChat's host.
    pub const PATH: &str = "/mmpaymkttransfers/gethbinfo";

    /// The only type that this call takes, whatever the merchant's.
    pub const SIGN_TYPE: SignType = SignType::Md5;

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey) -> Fields {
        let mut fields = Fields::from_iter([
            ("nonce_str", nonce),
            ("mch_billno", &self.mch_billno),
            ("mch_id", &self.identity.mch_id),
            ("appid", &self.identity.appid),
            // Our number, not one of WeChat's.
            ("bill_type", "MCHT"),
        ]);
        if let Some(sub_mch_id) = &self.identity.sub_mch_id {
            fields.insert("sub_mch_id", sub_mch_id);
        }
        sign_into(&mut fields, key, RedpackQuery::SIGN_TYPE);
        fields
    }
}

/// A red packet as WeChat knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedpackStatus {
    /// Our number.
    pub mch_billno: String,
    /// WeChat's number, when told.
    pub detail_id: Option<String>,
    /// `SENDING`, `SENT`, `FAILED`, `RECEIVED`, `RFUND_ING` (sic), `REFUND`: an open set.
    pub status: String,
    /// Altogether.
    pub total_amount: Fen,
    /// How many parts.
    pub total_num: u32,
    /// Why it failed.
    pub reason: Option<String>,
    /// When it was sent.
    pub send_time: Option<Timestamp>,
    /// When what nobody took came back.
    pub refund_time: Option<Timestamp>,
    /// What came back.
    pub refund_amount: Option<Fen>,
}

impl RedpackStatus {
    /// Reads a successful answer to a query for `mch_billno`.
    ///
    /// # Errors
    /// [`FieldError`] when it is about another packet, or lacks its state or amount.
    pub fn parse(fields: &Fields, mch_billno: &str) -> Result<RedpackStatus, FieldError> {
        if fields.required("mch_billno")? != mch_billno {
            return Err(FieldError::new("mch_billno", FieldProblem::Mismatch));
        }
        let text = |name| fields.text(name).map(str::to_owned);
        Ok(RedpackStatus {
            mch_billno: mch_billno.to_owned(),
            detail_id: text("detail_id"),
            status: fields.required("status")?.to_owned(),
            total_amount: fields.required_fen("total_amount")?,
            total_num: fields.count("total_num")?.unwrap_or_default(),
            reason: text("reason"),
            send_time: fields.time_spaced("send_time")?,
            refund_time: fields.time_spaced("refund_time")?,
            refund_amount: fields.fen("refund_amount")?,
        })
    }
}

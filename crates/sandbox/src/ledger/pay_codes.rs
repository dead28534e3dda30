//! Pay codes and face codes: what a phone or a face device shows, whose it is, and what a charge of it comes to.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::{control::PayBehaviour, ids};

/// A phone shows another code after a minute.
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(1);

/// Codes remembered, spent or not; the oldest is forgotten first.
const MAX_CODES: usize = 10_000;

/// What shows a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeKind {
    /// A phone.
    Phone,
    /// A face device, about whoever stands before it.
    Face,
}

/// One code.
#[derive(Clone, Debug)]
pub(crate) struct PayCode {
    pub(crate) kind: CodeKind,
    pub(crate) openid: String,
    pub(crate) behaviour: PayBehaviour,
    /// How long a user takes who pays late.
    pub(crate) after: SignedDuration,
    made_at: Timestamp,
    spent: bool,
    /// The only merchant that may charge it, once one has asked whose it is.
    asked_by: Option<String>,
}

/// Why a code cannot be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeRefused {
    /// Never shown, or another merchant's to charge.
    Invalid,
    /// Older than a minute.
    Expired,
    /// It works once, and that was before.
    Spent,
}

/// The codes of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct PayCodes {
    codes: HashMap<String, PayCode>,
    /// Codes in the order they were made.
    order: VecDeque<String>,
}

impl PayCodes {
    /// Makes a code of a user; of a new one when none is named. Tells the code and the user.
    pub(crate) fn make(
        &mut self,
        kind: CodeKind,
        openid: Option<String>,
        behaviour: PayBehaviour,
        after: SignedDuration,
        now: Timestamp,
    ) -> (String, String) {
        if self.order.len() == MAX_CODES
            && let Some(oldest) = self.order.pop_front()
        {
            self.codes.remove(&oldest);
        }
        let code = match kind {
            CodeKind::Phone => ids::pay_code(),
            CodeKind::Face => ids::face_code(),
        };
        let openid = openid.unwrap_or_else(ids::openid);
        let entry =
            PayCode { kind, openid: openid.clone(), behaviour, after, made_at: now, spent: false, asked_by: None };
        self.order.push_back(code.clone());
        self.codes.insert(code.clone(), entry);
        (code, openid)
    }

    /// When a code made now stops working.
    pub(crate) fn expiry(now: Timestamp) -> Timestamp {
        now.checked_add(CODE_LIFE).unwrap_or(Timestamp::MAX)
    }

    /// The code, if this merchant could charge it now.
    pub(crate) fn chargeable(&self, code: &str, mch_id: &str, now: Timestamp) -> Result<&PayCode, CodeRefused> {
        let found = self.codes.get(code).ok_or(CodeRefused::Invalid)?;
        if found.asked_by.as_deref().is_some_and(|asked_by| asked_by != mch_id) {
            return Err(CodeRefused::Invalid);
        }
        if found.spent {
            return Err(CodeRefused::Spent);
        }
        if found.made_at + CODE_LIFE <= now { Err(CodeRefused::Expired) } else { Ok(found) }
    }

    /// Uses a code up.
    pub(crate) fn spend(&mut self, code: &str) {
        if let Some(found) = self.codes.get_mut(code) {
            found.spent = true;
        }
    }

    /// Tells whose phone shows a code. From then on only this merchant may charge it.
    pub(crate) fn ask(&mut self, code: &str, mch_id: &str, now: Timestamp) -> Result<String, CodeRefused> {
        let found = self.chargeable(code, mch_id, now)?;
        if found.kind != CodeKind::Phone {
            return Err(CodeRefused::Invalid);
        }
        let openid = found.openid.clone();
        if let Some(found) = self.codes.get_mut(code) {
            found.asked_by = Some(mch_id.to_owned());
        }
        Ok(openid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn made(codes: &mut PayCodes, kind: CodeKind) -> String {
        codes.make(kind, Some("o1".into()), PayBehaviour::Pays, SignedDuration::ZERO, NOW).0
    }

    fn refused(codes: &PayCodes, code: &str, mch_id: &str, now: Timestamp) -> Option<CodeRefused> {
        codes.chargeable(code, mch_id, now).err()
    }

    #[test]
    fn a_pay_code_is_18_digits_of_its_range_and_a_face_code_of_another() {
        let mut codes = PayCodes::default();
        for _ in 0..100 {
            for (kind, is_phone) in [(CodeKind::Phone, true), (CodeKind::Face, false)] {
                let code = made(&mut codes, kind);
                let prefix: u8 = code[..2].parse().unwrap();
                assert!(code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit()));
                assert_eq!((10..=15).contains(&prefix), is_phone, "{code}");
            }
        }
    }

    #[test]
    fn a_code_works_once_and_for_a_minute() {
        let mut codes = PayCodes::default();
        let code = made(&mut codes, CodeKind::Phone);
        assert_eq!(refused(&codes, &code, "m1", NOW + SignedDuration::from_secs(59)), None);
        assert_eq!(refused(&codes, &code, "m1", NOW + CODE_LIFE), Some(CodeRefused::Expired));
        codes.spend(&code);
        assert_eq!(refused(&codes, &code, "m1", NOW), Some(CodeRefused::Spent));
        assert_eq!(refused(&codes, "100000000000000000", "m1", NOW), Some(CodeRefused::Invalid));
    }

    #[test]
    fn whoever_asks_whose_a_code_is_is_the_only_one_to_charge_it() {
        let mut codes = PayCodes::default();
        let code = made(&mut codes, CodeKind::Phone);
        assert_eq!(codes.ask(&code, "m1", NOW), Ok("o1".to_owned()));
        assert_eq!(codes.ask(&code, "m1", NOW), Ok("o1".to_owned()));
        assert_eq!(codes.ask(&code, "m2", NOW), Err(CodeRefused::Invalid));
        assert_eq!(refused(&codes, &code, "m2", NOW), Some(CodeRefused::Invalid));
        assert_eq!(refused(&codes, &code, "m1", NOW), None);
        let face = made(&mut codes, CodeKind::Face);
        assert_eq!(codes.ask(&face, "m1", NOW), Err(CodeRefused::Invalid));
    }

    #[test]
    fn the_oldest_codes_are_forgotten_beyond_the_limit() {
        let mut codes = PayCodes::default();
        let first = made(&mut codes, CodeKind::Phone);
        for _ in 0..MAX_CODES {
            made(&mut codes, CodeKind::Phone);
        }
        assert_eq!(refused(&codes, &first, "m1", NOW), Some(CodeRefused::Invalid));
        assert_eq!(codes.order.len(), MAX_CODES);
    }
}

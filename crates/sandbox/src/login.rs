//! Login codes: what `wx.login` gives a mini program, and what jscode2session makes of it.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::ids;

/// A code is good for five minutes.
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Codes remembered, used or not; the oldest is forgotten first.
const MAX_CODES: usize = 10_000;

/// The codes of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    codes: BTreeMap<String, Code>,
    /// Codes in the order they were made.
    order: VecDeque<String>,
}

#[derive(Debug)]
struct Code {
    app_id: String,
    openid: String,
    made_at: Timestamp,
    used: bool,
}

/// Why a code names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeRefused {
    /// Never made, too old, or another app's.
    Invalid,
    /// Good once, and that was before.
    Used,
}

impl Logins {
    /// Makes a code for a user of this app; a new user when none is named.
    pub(crate) fn make(&mut self, app_id: &str, openid: Option<String>, now: Timestamp) -> (String, String) {
        if self.order.len() == MAX_CODES
            && let Some(oldest) = self.order.pop_front()
        {
            self.codes.remove(&oldest);
        }
        let (code, openid) = (ids::login_code(), openid.unwrap_or_else(ids::openid));
        self.order.push_back(code.clone());
        let entry = Code { app_id: app_id.to_owned(), openid: openid.clone(), made_at: now, used: false };
        self.codes.insert(code.clone(), entry);
        (code, openid)
    }

    /// Uses a code up and tells who it stands for.
    ///
    /// # Errors
    /// [`CodeRefused`].
    pub(crate) fn exchange(&mut self, app_id: &str, code: &str, now: Timestamp) -> Result<String, CodeRefused> {
        let code = self.codes.get_mut(code).filter(|code| code.app_id == app_id).ok_or(CodeRefused::Invalid)?;
        if code.used {
            return Err(CodeRefused::Used);
        }
        if code.made_at + CODE_LIFE <= now {
            return Err(CodeRefused::Invalid);
        }
        code.used = true;
        Ok(code.openid.clone())
    }

    /// Whether this openid is known to belong to another app. One that was never made here may belong to any.
    pub(crate) fn is_of_another_app(&self, openid: &str, app_id: &str) -> bool {
        let mut owners = self.codes.values().filter(|code| code.openid == openid).peekable();
        owners.peek().is_some() && owners.all(|code| code.app_id != app_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_code_is_good_once() {
        let mut logins = Logins::default();
        let (code, openid) = logins.make("wx1", None, NOW);
        assert_eq!(logins.exchange("wx1", &code, NOW), Ok(openid));
        assert_eq!(logins.exchange("wx1", &code, NOW), Err(CodeRefused::Used));
    }

    #[test]
    fn a_code_is_good_for_five_minutes() {
        let mut logins = Logins::default();
        let (code, openid) = logins.make("wx1", Some("o1".into()), NOW);
        assert_eq!(logins.exchange("wx1", &code, NOW + SignedDuration::from_mins(5)), Err(CodeRefused::Invalid));
        assert_eq!(logins.exchange("wx1", &code, NOW + SignedDuration::from_secs(299)), Ok(openid));
    }

    #[test]
    fn a_code_of_another_app_is_invalid_and_stays_good_for_its_own() {
        let mut logins = Logins::default();
        let (code, openid) = logins.make("wx1", None, NOW);
        assert_eq!(logins.exchange("wx2", &code, NOW), Err(CodeRefused::Invalid));
        assert_eq!(logins.exchange("wx1", &code, NOW), Ok(openid));
    }

    #[test]
    fn the_oldest_codes_are_forgotten_beyond_the_limit() {
        let mut logins = Logins::default();
        let (first, _) = logins.make("wx1", None, NOW);
        for _ in 0..MAX_CODES {
            logins.make("wx1", None, NOW);
        }
        assert_eq!(logins.exchange("wx1", &first, NOW), Err(CodeRefused::Invalid));
        assert_eq!(logins.codes.len(), MAX_CODES);
    }
}

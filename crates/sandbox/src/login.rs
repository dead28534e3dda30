//! Codes that stand for a user: what `wx.login` gives a mini program, and what OAuth gives a page inside WeChat.

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::{ids, people::People};

/// A code is good for five minutes.
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Codes remembered, used or not; the oldest is forgotten first.
const MAX_CODES: usize = 10_000;

/// Logins of one user that are served within [`LOGIN_SPAN`].
const MAX_LOGINS: usize = 100;

/// The time in which a user's logins are counted.
const LOGIN_SPAN: SignedDuration = SignedDuration::from_mins(1);

/// The codes of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    codes: BTreeMap<String, Code>,
    /// Codes in the order they were made.
    order: VecDeque<String>,
    people: People,
    /// By app and openid: when the last logins were asked for, oldest first.
    recent: HashMap<(String, String), VecDeque<Timestamp>>,
}

/// What a code was made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeKind {
    /// `wx.login`, and jscode2session takes it.
    Login,
    /// The redirect of OAuth, and `access_token` takes it.
    OAuth(Scope),
}

/// What a page asks the user for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Scope {
    /// The openid alone.
    #[default]
    #[serde(rename = "snsapi_base")]
    Base,
    /// Name and picture, too.
    #[serde(rename = "snsapi_userinfo")]
    UserInfo,
}

impl Scope {
    /// WeChat's word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Scope::Base => "snsapi_base",
            Scope::UserInfo => "snsapi_userinfo",
        }
    }

    /// Reads WeChat's word.
    pub(crate) fn parse(word: &str) -> Option<Scope> {
        [Scope::Base, Scope::UserInfo].into_iter().find(|scope| scope.as_str() == word)
    }
}

#[derive(Debug)]
struct Code {
    kind: CodeKind,
    app_id: String,
    openid: String,
    made_at: Timestamp,
    used: bool,
}

/// Why a code names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeRefused {
    /// Never made, too old, of another kind, or another app's.
    Invalid,
    /// Good once, and that was before.
    Used,
    /// Too many logins of this user within a minute. The code stays as it is.
    TooOften,
}

impl Logins {
    /// Makes a code for a user of this app; a new user when none is named.
    pub(crate) fn make(
        &mut self,
        kind: CodeKind,
        app_id: &str,
        openid: Option<String>,
        now: Timestamp,
    ) -> (String, String) {
        if self.order.len() == MAX_CODES
            && let Some(oldest) = self.order.pop_front()
        {
            self.codes.remove(&oldest);
        }
        let (code, openid) = (ids::login_code(), openid.unwrap_or_else(ids::openid));
        self.people.meet(&openid, app_id);
        self.order.push_back(code.clone());
        let entry = Code { kind, app_id: app_id.to_owned(), openid: openid.clone(), made_at: now, used: false };
        self.codes.insert(code.clone(), entry);
        (code, openid)
    }

    /// Uses the code of `wx.login` up and tells who it stands for.
    ///
    /// # Errors
    /// [`CodeRefused`].
    pub(crate) fn exchange(&mut self, app_id: &str, code: &str, now: Timestamp) -> Result<String, CodeRefused> {
        let is_login = |code: &&mut Code| code.kind == CodeKind::Login && code.app_id == app_id;
        let code = self.codes.get_mut(code).filter(is_login).ok_or(CodeRefused::Invalid)?;
        if self.recent.len() >= MAX_CODES {
            self.recent.retain(|_, asked| asked.back().is_some_and(|last| now < *last + LOGIN_SPAN));
        }
        let asked = self.recent.entry((app_id.to_owned(), code.openid.clone())).or_default();
        while asked.front().is_some_and(|first| *first + LOGIN_SPAN <= now) {
            asked.pop_front();
        }
        if asked.len() == MAX_LOGINS {
            return Err(CodeRefused::TooOften);
        }
        asked.push_back(now);
        code.spend(now)
    }

    /// Uses the code of an OAuth redirect up and tells who it stands for, and for what.
    ///
    /// # Errors
    /// [`CodeRefused`], never for too many.
    pub(crate) fn authorize(
        &mut self,
        app_id: &str,
        code: &str,
        now: Timestamp,
    ) -> Result<(String, Scope), CodeRefused> {
        let code = self.codes.get_mut(code).filter(|code| code.app_id == app_id).ok_or(CodeRefused::Invalid)?;
        let CodeKind::OAuth(scope) = code.kind else { return Err(CodeRefused::Invalid) };
        Ok((code.spend(now)?, scope))
    }

    /// An app learns of a user in another way.
    pub(crate) fn meet(&mut self, openid: &str, app_id: &str) {
        self.people.meet(openid, app_id);
    }

    /// Whether this openid is known to belong to another app. One that nobody met may belong to any.
    pub(crate) fn is_of_another_app(&self, openid: &str, app_id: &str) -> bool {
        self.people.is_of_another_app(openid, app_id)
    }
}

impl Code {
    fn spend(&mut self, now: Timestamp) -> Result<String, CodeRefused> {
        if self.used {
            return Err(CodeRefused::Used);
        }
        if self.made_at + CODE_LIFE <= now {
            return Err(CodeRefused::Invalid);
        }
        self.used = true;
        Ok(self.openid.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_code_is_good_once() {
        let mut logins = Logins::default();
        let (code, openid) = logins.make(CodeKind::Login, "wx1", None, NOW);
        assert_eq!(logins.exchange("wx1", &code, NOW), Ok(openid));
        assert_eq!(logins.exchange("wx1", &code, NOW), Err(CodeRefused::Used));
    }

    #[test]
    fn a_code_is_good_for_five_minutes() {
        let mut logins = Logins::default();
        let (code, openid) = logins.make(CodeKind::Login, "wx1", Some("o1".into()), NOW);
        assert_eq!(logins.exchange("wx1", &code, NOW + SignedDuration::from_mins(5)), Err(CodeRefused::Invalid));
        assert_eq!(logins.exchange("wx1", &code, NOW + SignedDuration::from_secs(299)), Ok(openid));
    }

    #[test]
    fn a_code_of_another_app_is_invalid_and_stays_good_for_its_own() {
        let mut logins = Logins::default();
        let (code, openid) = logins.make(CodeKind::Login, "wx1", None, NOW);
        assert_eq!(logins.exchange("wx2", &code, NOW), Err(CodeRefused::Invalid));
        assert_eq!(logins.exchange("wx1", &code, NOW), Ok(openid));
    }

    #[test]
    fn the_oldest_codes_are_forgotten_beyond_the_limit() {
        let mut logins = Logins::default();
        let (first, _) = logins.make(CodeKind::Login, "wx1", None, NOW);
        for _ in 0..MAX_CODES {
            logins.make(CodeKind::Login, "wx1", None, NOW);
        }
        assert_eq!(logins.exchange("wx1", &first, NOW), Err(CodeRefused::Invalid));
        assert_eq!(logins.codes.len(), MAX_CODES);
    }

    #[test]
    fn a_code_is_exchanged_by_its_own_call_only() {
        let mut logins = Logins::default();
        let (login, openid) = logins.make(CodeKind::Login, "wx1", None, NOW);
        let (oauth, other) = logins.make(CodeKind::OAuth(Scope::UserInfo), "wx1", None, NOW);
        assert_eq!(logins.authorize("wx1", &login, NOW), Err(CodeRefused::Invalid));
        assert_eq!(logins.exchange("wx1", &oauth, NOW), Err(CodeRefused::Invalid));
        assert_eq!(logins.exchange("wx1", &login, NOW), Ok(openid));
        assert_eq!(logins.authorize("wx1", &oauth, NOW), Ok((other, Scope::UserInfo)));
        assert_eq!(logins.authorize("wx1", &oauth, NOW), Err(CodeRefused::Used));
    }

    #[test]
    fn a_user_logs_in_a_hundred_times_a_minute_and_the_code_of_one_more_stays_good() {
        let mut logins = Logins::default();
        for _ in 0..MAX_LOGINS {
            let (code, _) = logins.make(CodeKind::Login, "wx1", Some("o1".into()), NOW);
            logins.exchange("wx1", &code, NOW).unwrap();
        }
        let (code, _) = logins.make(CodeKind::Login, "wx1", Some("o1".into()), NOW);
        assert_eq!(logins.exchange("wx1", &code, NOW), Err(CodeRefused::TooOften));
        let (another, _) = logins.make(CodeKind::Login, "wx1", Some("o2".into()), NOW);
        assert_eq!(logins.exchange("wx1", &another, NOW), Ok("o2".into()));
        assert_eq!(logins.exchange("wx1", &code, NOW + LOGIN_SPAN), Ok("o1".into()));
    }
}

//! `jscode2session` and OAuth: turns the code of `wx.login`, or that of an official account's redirect, into the user's openid.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::OpenId;

/// Path below `https://api.weixin.qq.com`.
pub const PATH: &str = "/sns/jscode2session";

/// Path of the OAuth call of official accounts, below the same host.
pub const OAUTH_PATH: &str = "/sns/oauth2/access_token";

/// Largest answer that is read; a session is a few hundred bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// The query of the GET request, not yet percent-encoded. It holds the app's secret: never log the URL.
pub fn query<'a>(appid: &'a str, app_secret: &'a SecretString, js_code: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("appid", appid),
        ("secret", app_secret.expose_secret()),
        ("js_code", js_code),
        ("grant_type", "authorization_code"),
    ]
}

/// The query of the OAuth call; see [`query`].
pub fn oauth_query<'a>(appid: &'a str, app_secret: &'a SecretString, code: &'a str) -> [(&'static str, &'a str); 4] {
    [("appid", appid), ("secret", app_secret.expose_secret()), ("code", code), ("grant_type", "authorization_code")]
}

/// What came of a login code.
#[derive(Clone, Debug)]
pub enum Login {
    /// The code was good.
    Session(Session),
    /// WeChat said no, with a code.
    Refused(LoginRefusal),
    /// Not an answer: no JSON, or a success without an openid. Nothing is known about the code.
    Unreadable,
}

/// A user's session. `session_key` decrypts what the user's phone sends and never leaves our servers.
#[derive(Clone, Debug)]
pub struct Session {
    /// The user under this app.
    pub openid: OpenId,
    /// The user under the whole open platform account, when the app belongs to one.
    pub unionid: Option<OpenId>,
    /// Never send it to the client.
    pub session_key: Option<SecretString>,
}

/// WeChat's no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginRefusal {
    /// WeChat's `errcode`.
    pub errcode: i64,
    /// What it means to us.
    pub reason: LoginReason,
}

/// What a refusal means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginReason {
    /// WeChat is busy; the same code may be tried again once or twice.
    Busy,
    /// Too many logins of this user in a minute; wait, then the same code may be tried again.
    TooOften,
    /// The code is invalid, expired or used; the client calls `wx.login`, or follows the redirect, again.
    CodeSpent,
    /// WeChat blocks this user.
    UserBlocked,
    /// Our app id or secret is wrong: an alarm, not a retry.
    Misconfigured,
    /// A code we do not know.
    Other,
}

impl LoginReason {
    /// Whether the same call may be made again.
    pub const fn may_retry(self) -> bool {
        matches!(self, LoginReason::Busy | LoginReason::TooOften)
    }
}

/// Reads an answer of either call; the tokens of OAuth are left where they are, nobody of ours needs them. The content type is unreliable (`text/plain`), so only the body counts.
pub fn parse(body: &[u8]) -> Login {
    if MAX_BYTES < body.len() {
        return Login::Unreadable;
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Login::Unreadable;
    };
    match (answer.errcode.unwrap_or(0), answer.openid.filter(|openid| !openid.is_empty())) {
        (0, Some(openid)) => Login::Session(Session {
            openid: OpenId::new(openid),
            unionid: answer.unionid.filter(|unionid| !unionid.is_empty()).map(OpenId::new),
            session_key: answer.session_key.map(SecretString::from),
        }),
        (0, None) => Login::Unreadable,
        (errcode, _) => Login::Refused(LoginRefusal { errcode, reason: reason(errcode) }),
    }
}

const fn reason(errcode: i64) -> LoginReason {
    match errcode {
        -1 => LoginReason::Busy,
        45011 => LoginReason::TooOften,
        // The last one is OAuth's alone.
        40029 | 40163 | 42003 => LoginReason::CodeSpent,
        40226 => LoginReason::UserBlocked,
        40013 | 40125 => LoginReason::Misconfigured,
        _ => LoginReason::Other,
    }
}

#[derive(Deserialize)]
struct Answer {
    openid: Option<String>,
    unionid: Option<String>,
    session_key: Option<String>,
    errcode: Option<i64>,
}

use proto::gateway::v1;
use secrecy::{ExposeSecret as _, SecretString};
use wechat_pay::v2::login::{self, Login, LoginReason};

use super::{Session, http};
use crate::outcome::{Failure, Kind, NotDone, Outcome, Unknown, Why};

impl Session {
    /// Turns a login code into an openid. The answer is not signed: TLS is its only protection.
    pub(crate) async fn resolve_openid(
        &self,
        app_id: &str,
        app_secret: &SecretString,
        login_code: &SecretString,
    ) -> Outcome<v1::Resolved> {
        self.log_in(app_id, app_secret, login_code).await.into()
    }

    async fn log_in(
        &self,
        app_id: &str,
        app_secret: &SecretString,
        login_code: &SecretString,
    ) -> Result<v1::Resolved, Failure> {
        let query = login::query(app_id, app_secret, login_code.expose_secret());
        // The login host knows nothing of merchants, so no client certificate is shown to it.
        let request = self.wechat.http.without_identity().get(self.wechat.urls.login.clone()).query(&query);
        let body = http::read(http::send(request).await?, login::MAX_BYTES).await?;
        match login::parse(&body) {
            // The session key in it stays here: nobody of ours needs it.
            Login::Session(session) => Ok(v1::Resolved { openid: session.openid.into_string() }),
            Login::Refused(refusal) => Err(refused(refusal)),
            Login::Unreadable => Err(Unknown::new(Why::NotJson).into()),
        }
    }
}

fn refused(refusal: login::LoginRefusal) -> Failure {
    let code = refusal.errcode.to_string();
    let no = |kind, words| NotDone::new(kind, &code, words).into();
    match refusal.reason {
        LoginReason::CodeSpent => no(Kind::LoginCodeInvalid, "the login code is unknown, used or too old"),
        LoginReason::TooOften => no(Kind::RateLimited, "too many logins of this user"),
        LoginReason::UserBlocked => no(Kind::Refused, "WeChat blocks this user"),
        LoginReason::Misconfigured => no(Kind::Configuration, "app id or app secret is wrong"),
        LoginReason::Busy => Unknown::new(Why::SystemError).with_code(code).into(),
        LoginReason::Other => Unknown::new(Why::UnlistedCode).with_code(code).into(),
    }
}

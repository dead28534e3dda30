use proto::gateway::v1;
use secrecy::ExposeSecret as _;
use wechat_pay::v2::login::{self, LoginReason};

use super::{Session, http};
use crate::{
    outcome::{Failure, Kind, NotDone, Outcome, Unknown, Why},
    providers::{Login, LoginOf},
};

impl Session {
    /// Turns a login code into an openid. The answer is not signed: TLS is its only protection.
    pub(crate) async fn resolve_openid(&self, login: &Login) -> Outcome<v1::Resolved> {
        self.log_in(login).await.into()
    }

    async fn log_in(&self, asked: &Login) -> Result<v1::Resolved, Failure> {
        let (app_id, app_secret, code) = (&asked.app_id, &asked.app_secret, asked.code.expose_secret());
        let (url, query) = match asked.of {
            LoginOf::MiniProgram => (&self.wechat.urls.login, login::query(app_id, app_secret, code)),
            LoginOf::OfficialAccount => (&self.wechat.urls.oauth, login::oauth_query(app_id, app_secret, code)),
        };
        // The login host knows nothing of merchants, so no client certificate is shown to it.
        let request = self.wechat.http.without_identity().get(url.clone()).query(&query);
        let body = http::read(http::send(request).await?, login::MAX_BYTES).await?;
        match login::parse(&body) {
            // Session key and tokens stay here: nobody of ours needs them.
            login::Login::Session(session) => Ok(v1::Resolved { openid: session.openid.into_string() }),
            login::Login::Refused(refusal) => Err(refused(refusal)),
            login::Login::Unreadable => Err(Unknown::new(Why::NotJson).into()),
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

use proto::gateway::v1;
use secrecy::{ExposeSecret as _, SecretString};
use wechat_pay::v2::{Answer, AuthCodeToOpenid, PayCode, action::Api};

use super::super::{Session, nonce, verdict};
use crate::outcome::{Failure, Outcome};

impl Session {
    /// Tells who shows a pay code.
    pub(crate) async fn resolve_pay_code(&self, app_id: &str, auth_code: &SecretString) -> Outcome<v1::Resolved> {
        self.ask_who_pays(app_id, auth_code).await.into()
    }

    async fn ask_who_pays(&self, app_id: &str, auth_code: &SecretString) -> Result<v1::Resolved, Failure> {
        let asked =
            AuthCodeToOpenid { identity: self.identity(app_id), auth_code: PayCode::new(auth_code.expose_secret()) };
        let signed = asked.signed(&nonce(), &self.account.api_key);
        let url = &self.wechat.urls.tools.pay_code;
        match self.exchange_by(url, &asked.identity, &signed, AuthCodeToOpenid::SIGN_TYPE).await? {
            Answer::Success(fields) => Ok(v1::Resolved {
                openid: asked.payer(&fields).map_err(|error| verdict::incomplete(&error))?.into_string(),
            }),
            other => Err(verdict::of(Api::AuthCodeToOpenid, &other)),
        }
    }
}

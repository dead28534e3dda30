use proto::gateway::v1;
use wechat_pay::v2::{Answer, ShortUrl, action::Api};

use super::super::{Session, nonce, verdict};
use crate::outcome::{Failure, Outcome};

impl Session {
    /// Shortens the text of a QR code.
    pub(crate) async fn shorten_url(&self, app_id: &str, long_url: String) -> Outcome<v1::ShortUrl> {
        self.ask_for_short_url(app_id, long_url).await.into()
    }

    async fn ask_for_short_url(&self, app_id: &str, long_url: String) -> Result<v1::ShortUrl, Failure> {
        let request = ShortUrl { identity: self.identity(app_id), long_url };
        let sent = request.signed(&nonce(), &self.account.api_key, self.account.sign_type);
        match self.exchange(&self.wechat.urls.tools.short_url, &request.identity, &sent).await? {
            Answer::Success(fields) => {
                Ok(v1::ShortUrl { url: ShortUrl::short_url(&fields).map_err(|error| verdict::incomplete(&error))? })
            }
            other => Err(verdict::of(Api::ShortUrl, &other)),
        }
    }
}

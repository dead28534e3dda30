//! WeChat Pay API v2 and WeChat's login host.
//!
//! `http` moves bytes, `authorities` says whose certificates are believed, `verdict` what a refusal amounts to, and each call
//! has its own file.

mod authorities;
mod bill;
mod close;
mod gunzip;
mod http;
mod login;
mod prepay;
mod query;
mod query_refund;
mod refund;
mod verdict;

use std::sync::Arc;

use anyhow::Context as _;
use merchants::{Merchant, WechatV2Account};
use svc_kit::clock::Clock;
use url::Url;
use uuid::Uuid;
use wechat_pay::v2::{
    Answer, CloseOrder, DownloadBill, Fields, Identity, OrderQuery, Refund, RefundQuery, UnifiedOrder,
    Unknown as Unproven, answer, login::PATH as LOGIN_PATH, xml,
};

pub(crate) use bill::Download;

use self::{authorities::Authorities, http::Http};
use crate::{
    Config,
    outcome::{Failure, Kind, NotDone},
};

/// What all sessions share: connections, addresses, the clock.
#[derive(Debug)]
pub(crate) struct WechatV2 {
    http: Http,
    urls: Urls,
    clock: Clock,
}

#[derive(Debug)]
struct Urls {
    unified_order: Url,
    order_query: Url,
    close_order: Url,
    refund: Url,
    refund_query: Url,
    download_bill: Url,
    login: Url,
}

impl WechatV2 {
    /// # Errors
    /// When the authorities cannot be read, or no HTTP client can be made.
    pub(crate) fn new(config: &Config, clock: Clock) -> anyhow::Result<WechatV2> {
        let (pay, login, with_cert) = (&config.wechat_v2_url, &config.wechat_login_url, config.wechat_v2_cert_url());
        let authorities = match &config.wechat_v2_ca_file {
            Some(file) => Authorities::read(file)?,
            None if [pay, login, with_cert].iter().any(|url| url.scheme() == "https") => Authorities::System,
            None => Authorities::Nobody,
        };
        let urls = Urls {
            unified_order: below(pay, UnifiedOrder::PATH)?,
            order_query: below(pay, OrderQuery::PATH)?,
            close_order: below(pay, CloseOrder::PATH)?,
            refund: below(with_cert, Refund::PATH)?,
            refund_query: below(pay, RefundQuery::PATH)?,
            download_bill: below(pay, DownloadBill::PATH)?,
            login: below(login, LOGIN_PATH)?,
        };
        Ok(WechatV2 { http: Http::new(config.connect_timeout(), authorities)?, urls, clock })
    }
}

/// One merchant's way to WeChat, for one call. Holds the account as it was when the call came in.
pub(crate) struct Session {
    wechat: Arc<WechatV2>,
    merchant: Arc<Merchant>,
    account: WechatV2Account,
}

impl Session {
    pub(crate) fn new(wechat: &Arc<WechatV2>, merchant: &Arc<Merchant>, account: &WechatV2Account) -> Session {
        Session { wechat: Arc::clone(wechat), merchant: Arc::clone(merchant), account: account.clone() }
    }

    fn identity(&self, app_id: &str) -> Identity {
        Identity::direct(app_id, &self.account.mch_id)
    }

    fn client(&self) -> Result<reqwest::Client, NotDone> {
        self.wechat.http.client(&self.merchant).map_err(|error| {
            let error = error.without_url();
            tracing::error!(
                error = &error as &dyn std::error::Error,
                merchant = self.merchant.name.as_str(),
                "the client certificate of {} cannot be used; nothing was sent",
                self.merchant.name
            );
            NotDone::new(Kind::Configuration, "", "our client certificate cannot be used; nothing was sent")
        })
    }

    /// Sends one signed message and judges the answer.
    async fn exchange(&self, url: &Url, identity: &Identity, signed: &Fields) -> Result<Answer, Failure> {
        let client = self.client()?;
        let body = http::post_xml(&client, url.clone(), xml::write("xml", signed)).await?;
        Ok(self.judge(&body, identity))
    }

    /// Verifies before it believes. While keys are being changed, either of the two is WeChat's.
    fn judge(&self, body: &[u8], identity: &Identity) -> Answer {
        let by = |key| answer::judge(200, body, identity, key, self.account.sign_type);
        match (by(&self.account.api_key), &self.account.previous_api_key) {
            (Answer::Unknown(Unproven::BadSign(_)), Some(previous)) => by(previous),
            (answer, _) => answer,
        }
    }
}

/// 32 hex digits that nobody used before.
fn nonce() -> String {
    Uuid::new_v4().simple().to_string()
}

fn below(base: &Url, path: &str) -> anyhow::Result<Url> {
    let text = format!("{}{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&text).with_context(|| format!("{text} is not a URL"))
}

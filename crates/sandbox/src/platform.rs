//! What all parts of one sandbox share.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use merchants::{App, Merchant, Merchants, WechatV2Account};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{app::Settings, clock::Clock, faults::Rules, given_bills::GivenBills, ids, ledger::Ledger, login::Logins};

/// The person whose phone the page at `/phone` is.
const PHONE_OWNER: &str = "the owner of the phone";

/// One WeChat. Locks are held for moments and never across a wait.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) clock: Clock,
    pub(crate) stop: CancellationToken,
    /// Rung when something becomes due earlier than the courier knows.
    pub(crate) due_earlier: Notify,
    /// Posts callbacks: no redirects, no proxy.
    pub(crate) http: reqwest::Client,
    merchants: Merchants,
    notify_url: Option<Url>,
    ledger: Mutex<Ledger>,
    rules: Mutex<Rules>,
    logins: Mutex<Logins>,
    given_bills: Mutex<GivenBills>,
}

impl Platform {
    pub(crate) fn new(merchants: Merchants, settings: &Settings) -> anyhow::Result<Platform> {
        if let Some(url) = &settings.notify_url {
            let plain = matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none();
            ensure!(plain && url.has_host(), "NOTIFY_URL is scheme, host and port only, such as http://127.0.0.1:8080");
        }
        let http = reqwest::Client::builder()
            .timeout(Duration::from_millis(settings.callback_timeout_ms))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .context("cannot build the client that posts callbacks")?;
        Ok(Platform {
            clock: Clock::new(),
            stop: CancellationToken::new(),
            due_earlier: Notify::new(),
            http,
            merchants,
            notify_url: settings.notify_url.clone(),
            ledger: Mutex::default(),
            rules: Mutex::default(),
            logins: Mutex::default(),
            given_bills: Mutex::default(),
        })
    }

    /// The ledger as it is now: refunds whose time has come have succeeded.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        let mut ledger = self.ledger.lock().expect("no code that holds the ledger panics");
        ledger.catch_up(self.clock.now());
        ledger
    }

    pub(crate) fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().expect("no code that holds the rules panics")
    }

    pub(crate) fn logins(&self) -> MutexGuard<'_, Logins> {
        self.logins.lock().expect("no code that holds the logins panics")
    }

    pub(crate) fn given_bills(&self) -> MutexGuard<'_, GivenBills> {
        self.given_bills.lock().expect("no code that holds the given bills panics")
    }

    /// The merchant with this number and, where a service provider runs the account, this sub-merchant's.
    pub(crate) fn merchant_by_number(&self, mch_id: &str, sub_mch_id: Option<&str>) -> Option<Arc<Merchant>> {
        self.accounts(mch_id).into_iter().find(|merchant| merchant.sub_mch_id() == sub_mch_id)
    }

    /// The accounts with this number: a direct merchant's, or those that a service provider runs. They share one key.
    pub(crate) fn accounts(&self, mch_id: &str) -> Vec<Arc<Merchant>> {
        let mut accounts = self.merchants.list();
        accounts.retain(|merchant| wechat(merchant).is_some_and(|account| account.mch_id == mch_id));
        accounts
    }

    /// Whether a service provider runs an account for this sub-merchant, whichever provider that is, or the number is a
    /// direct merchant's.
    pub(crate) fn knows_number(&self, number: &str) -> bool {
        self.merchants
            .list()
            .iter()
            .any(|merchant| merchant.sub_mch_id().unwrap_or_else(|| merchant.mch_id()) == number)
    }

    /// Whether the app id is an app's or a service provider's.
    pub(crate) fn knows_app(&self, app_id: &str) -> bool {
        self.merchants
            .list()
            .iter()
            .any(|merchant| merchant.app(app_id).is_some() || service_provider_app_id(merchant) == Some(app_id))
    }

    /// Who the owner of the sandbox's phone is under an app.
    pub(crate) fn phone_openid(&self, app_id: &str) -> String {
        let of_provider =
            self.app(app_id).and_then(|(merchant, _)| service_provider_app_id(&merchant).map(str::to_owned));
        match of_provider.filter(|provider| provider != app_id) {
            // As payments tell it: the payer under the sub-merchant's app follows from the one under the provider's.
            Some(provider) => ids::openid_under(&ids::openid_under(PHONE_OWNER, &provider), app_id),
            None => ids::openid_under(PHONE_OWNER, app_id),
        }
    }

    /// The merchant with this name, among those of WeChat Pay v2.
    pub(crate) fn merchant_by_name(&self, name: &str) -> Option<Arc<Merchant>> {
        self.merchants.list().into_iter().find(|merchant| merchant.name.as_str() == name && wechat(merchant).is_some())
    }

    /// A merchant that is paired with this app, and the app as that merchant's file describes it. Of several, one that
    /// knows the app's secret comes first.
    pub(crate) fn app(&self, app_id: &str) -> Option<(Arc<Merchant>, App)> {
        let merchants = self.merchants.list();
        let mut paired: Vec<(Arc<Merchant>, App)> = merchants
            .into_iter()
            .filter(|merchant| wechat(merchant).is_some())
            .filter_map(|merchant| merchant.app(app_id).cloned().map(|app| (merchant, app)))
            .collect();
        paired.sort_by_key(|(_, app)| app.app_secret.is_none());
        paired.into_iter().next()
    }

    /// Where a callback really goes.
    ///
    /// # Errors
    /// When the order's notify URL is no URL; unifiedorder has checked that.
    pub(crate) fn callback_url(&self, notify_url: &str) -> Result<Url, url::ParseError> {
        let ordered = Url::parse(notify_url)?;
        Ok(match &self.notify_url {
            None => ordered,
            Some(local) => {
                let mut replaced = local.clone();
                replaced.set_path(ordered.path());
                replaced
            }
        })
    }
}

/// The app id of the service provider that runs the account.
pub(crate) fn service_provider_app_id(merchant: &Merchant) -> Option<&str> {
    wechat(merchant)?.sub_merchant.as_ref().map(|sub| sub.service_provider_app_id.as_str())
}

/// The merchant's account at WeChat Pay v2.
pub(crate) fn wechat(merchant: &Merchant) -> Option<&WechatV2Account> {
    merchant.wechat_v2()
}

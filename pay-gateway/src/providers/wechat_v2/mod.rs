//! WeChat Pay API v2 and WeChat's login host.
//!
//! `http` moves bytes, `hosts` says to which host, `authorities` whose certificates are believed, `verdict` what a refusal
//! amounts to, `reports` tells WeChat how calls went, and each call has its own file.

mod authorities;
mod bill;
mod close;
mod counter;
mod gunzip;
mod hosts;
mod http;
mod login;
mod prepay;
mod product_code;
mod query;
mod query_refund;
mod refund;
mod reports;
mod tools;
mod verdict;

use std::sync::Arc;

use merchants::{Merchant, WechatV2Account};
use svc_kit::{clock::Clock, process::Tasks};
use url::Url;
use uuid::Uuid;
use wechat_pay::v2::{
    Answer, ApiKey, CloseOrder, DownloadBill, DownloadFundFlow, Fields, Identity, OrderQuery, Refund, RefundQuery,
    SignType, UnifiedOrder, Unknown as Unproven, answer, login as of_login, report::Report, xml,
};

pub(crate) use bill::Download;

use self::{
    authorities::Authorities,
    hosts::{Endpoint, Hosts, url_below},
    http::Http,
    reports::Reports,
};
use crate::{
    Config,
    leave::Leave,
    metrics::{HostMetrics, ReportMetrics},
    outcome::{Failure, Kind, NotDone},
};

/// What all sessions share: connections, addresses, the clock.
#[derive(Debug)]
pub(crate) struct WechatV2 {
    http: Http,
    urls: Urls,
    clock: Clock,
    /// None when no call is reported.
    reports: Option<Arc<Reports>>,
}

#[derive(Debug)]
struct Urls {
    unified_order: Endpoint,
    order_query: Endpoint,
    close_order: Endpoint,
    refund: Endpoint,
    refund_with_goods: Endpoint,
    refund_query: Endpoint,
    refund_query_with_goods: Endpoint,
    download_bill: Endpoint,
    download_fund_flow: Endpoint,
    counter: counter::Urls,
    tools: tools::Urls,
    login: Url,
    oauth: Url,
}

impl WechatV2 {
    /// # Errors
    /// When the authorities cannot be read, or no HTTP client can be made.
    pub(crate) fn new(
        config: &Config,
        clock: Clock,
        metrics: &HostMetrics,
        reports: ReportMetrics,
        tasks: &Tasks,
    ) -> anyhow::Result<WechatV2> {
        let (main, main_with_cert) = (&config.wechat_v2_url, config.wechat_v2_cert_url());
        let (login_host, face) = (&config.wechat_login_url, config.wechat_face_url());
        let (backup, backup_with_cert) = (config.wechat_v2_backup_url(), config.wechat_v2_backup_cert_url());
        let backups = [backup.as_ref(), backup_with_cert.as_ref()];
        let mut all = [main, main_with_cert, login_host, &face].into_iter().chain(backups.into_iter().flatten());
        let authorities = match &config.wechat_v2_ca_file {
            Some(file) => Authorities::read(file)?,
            None if all.any(|url| url.scheme() == "https") => Authorities::System,
            None => Authorities::Nobody,
        };
        // A silence that would be too long for a connection is the host's fault, however patient the caller is. The tenth less
        // is for calls that may take no longer: they are given up a moment before the host has been silent for all of it.
        let patience = config.connect_timeout().min(config.provider_timeout()) * 9 / 10;
        let hosts = |main: &Url, backup: &Option<Url>, calls| {
            let (clock, metrics) = (clock.clone(), metrics.clone());
            Arc::new(Hosts::new(main.clone(), backup.clone(), calls, patience, clock, metrics))
        };
        let pay = hosts(main, &backup, "plain");
        // What is learnt about a host by one call holds for all of them.
        let same = pay.are(main_with_cert, backup_with_cert.as_ref());
        let with_cert =
            if same { Arc::clone(&pay) } else { hosts(main_with_cert, &backup_with_cert, "with_certificate") };
        let urls = Urls {
            unified_order: below(&pay, UnifiedOrder::PATH)?,
            order_query: below(&pay, OrderQuery::PATH)?,
            close_order: below(&pay, CloseOrder::PATH)?,
            refund: below(&with_cert, Refund::PATH)?,
            refund_with_goods: below(&with_cert, Refund::PATH_WITH_GOODS)?,
            refund_query: below(&pay, RefundQuery::PATH)?,
            refund_query_with_goods: below(&pay, RefundQuery::PATH_WITH_GOODS)?,
            download_bill: below(&pay, DownloadBill::PATH)?,
            download_fund_flow: below(&with_cert, DownloadFundFlow::PATH)?,
            login: url_below(login_host, of_login::PATH)?,
            oauth: url_below(login_host, of_login::OAUTH_PATH)?,
            counter: counter::Urls::below(&pay, &with_cert)?,
            tools: tools::Urls::below(&pay, &with_cert, &hosts(&face, &None, "face"))?,
        };
        let http = Http::new(config.connect_timeout(), authorities)?;
        // Hosts of their own: what becomes of a report says nothing about where calls should go.
        let to_report = below(&hosts(main, &None, "report"), Report::PATH)?;
        let client = http.without_identity().clone();
        let reports = Reports::start(config, client, to_report, clock.clone(), reports, tasks);
        Ok(WechatV2 { http, urls, clock, reports })
    }
}

/// One merchant's way to WeChat, for one call. Holds the account as it was when the call came in.
pub(crate) struct Session {
    wechat: Arc<WechatV2>,
    merchant: Arc<Merchant>,
    account: WechatV2Account,
    leave: Leave,
}

impl Session {
    pub(crate) fn new(wechat: &Arc<WechatV2>, merchant: &Arc<Merchant>, account: &WechatV2Account) -> Session {
        let (wechat, merchant) = (Arc::clone(wechat), Arc::clone(merchant));
        Session { wechat, merchant, account: account.clone(), leave: Leave::ANY_TIME }
    }

    /// For a call that leaves in time or not at all.
    pub(crate) fn leaving(self, leave: Leave) -> Session {
        Session { leave, ..self }
    }

    /// Who a call about `app_id` is about: the app that opens the cashier.
    fn identity(&self, app_id: &str) -> Identity {
        self.account.identity(app_id)
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
    async fn exchange(&self, endpoint: &Endpoint, identity: &Identity, signed: &Fields) -> Result<Answer, Failure> {
        self.exchange_by(endpoint, identity, signed, self.account.sign_type).await
    }

    /// As [`Session::exchange`], for a call whose sign type is WeChat's choice and not the merchant's.
    async fn exchange_by(
        &self,
        endpoint: &Endpoint,
        identity: &Identity,
        signed: &Fields,
        sign_type: SignType,
    ) -> Result<Answer, Failure> {
        let client = self.client()?;
        let reports = self.wechat.reports.as_ref();
        let followed = reports.and_then(|reports| reports.follow(endpoint, identity, signed, &self.account.api_key));
        let body = http::post_xml_in_time(&client, endpoint, &xml::write("xml", signed), &self.leave).await;
        let judge = |body: Vec<u8>| self.with_either_key(|key| answer::judge(200, &body, identity, key, sign_type));
        let answer = body.map(judge).map_err(Failure::from);
        if let Some(followed) = followed {
            followed.ends(&answer);
        }
        answer
    }

    /// Verifies before it believes. While keys are being changed, either of the two is WeChat's.
    fn with_either_key(&self, by: impl Fn(&ApiKey) -> Answer) -> Answer {
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

fn below(hosts: &Arc<Hosts>, path: &str) -> anyhow::Result<Endpoint> {
    Endpoint::below(hosts, path)
}

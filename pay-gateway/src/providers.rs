//! Which provider a merchant has, and what each is asked in the same words.
//!
//! A new provider is one module with a session that answers the same questions, one variant of [`Route`] and of
//! `merchants::Account`; nothing in `api` changes.

mod counter;
mod tools;
mod wechat_v2;

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use jiff::{Timestamp, civil::Date};
use merchants::{Account, Merchant};
use money::Fen;
use proto::gateway::v1;
use secrecy::SecretString;
use svc_kit::{clock::Clock, process::Tasks};
use wechat_pay::v2::{AccountType, BillType, H5Scene, Particulars, RefundGoodsItem};

pub(crate) use self::{
    counter::{Charge, CounterCall, Shown},
    tools::{CommentPage, RedPacketKind, RedPacketOrder},
};
use crate::{
    Config,
    leave::Leave,
    metrics::{HostMetrics, ReportMetrics},
    outcome::{NotDone, Outcome, Unknown},
};

/// The providers, each with its connections.
#[derive(Debug)]
pub(crate) struct Providers {
    wechat_v2: Arc<wechat_v2::WechatV2>,
}

/// What a payment attempt is made of. The same attempt always carries the same content, so repeating it is safe.
pub(crate) struct Attempt {
    pub(crate) app_id: String,
    pub(crate) out_trade_no: String,
    pub(crate) amount: Fen,
    pub(crate) description: String,
    pub(crate) expire_time: Timestamp,
    pub(crate) payer_ip: IpAddr,
    pub(crate) way: Way,
    pub(crate) particulars: Particulars,
}

/// The refund that a question is about.
pub(crate) enum WhichRefund {
    /// By its own number, whoever gave it that.
    OutRefundNo {
        number: String,
        /// Whether it named goods.
        with_goods: bool,
    },
    /// By the provider's number.
    RefundId(String),
}

/// How an attempt is paid, with what only this way needs.
pub(crate) enum Way {
    /// A mini program, or a page inside WeChat.
    InsideWechat {
        /// The payer under the attempt's app.
        openid: SecretString,
    },
    /// A QR code.
    Native {
        product_id: String,
        /// The payer, where somebody has scanned the code of a product.
        openid: Option<SecretString>,
    },
    /// A native app.
    App,
    /// A browser outside WeChat.
    H5 {
        scene: H5Scene,
        /// Where the browser returns to.
        redirect_url: Option<String>,
    },
}

/// What a refund is made of. The same refund always carries the same content, so repeating it is safe.
pub(crate) struct RefundOrder {
    /// The app that the payment was made under.
    pub(crate) app_id: String,
    /// The provider's number of the payment.
    pub(crate) transaction_id: String,
    pub(crate) out_refund_no: String,
    /// What was paid.
    pub(crate) total: Fen,
    /// What goes back.
    pub(crate) amount: Fen,
    /// What the payer reads.
    pub(crate) reason: Option<String>,
    /// What goes back, of an order with single-item promotions.
    pub(crate) goods: Vec<RefundGoodsItem>,
}

/// Which bill of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BillKind {
    /// Payments and refunds, or some of them.
    Trade(BillType),
    /// What moved on an account.
    Fund(AccountType),
}

/// A code that stands for a payer, and what it is turned into an openid with.
pub(crate) struct Login {
    pub(crate) app_id: String,
    pub(crate) app_secret: SecretString,
    /// As good as a password for five minutes.
    pub(crate) code: SecretString,
    pub(crate) of: LoginOf,
}

/// Where a login code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginOf {
    /// `wx.login` of a mini program.
    MiniProgram,
    /// The OAuth redirect of an official account's page.
    OfficialAccount,
}

/// Why there is no bill.
#[derive(Debug)]
pub(crate) enum NoBill {
    /// The provider has none for that day: there was nothing to tell.
    None,
    /// The provider has not made it yet.
    NotReady,
    /// A definite no.
    Refused(NotDone),
    /// Nothing can be said.
    Unknown(Unknown),
}

/// A bill being downloaded.
pub(crate) enum Bill {
    WechatV2(wechat_v2::Download),
}

impl Bill {
    /// The next piece, decompressed, of at most 256 KiB; `None` after the last one, and only when the download was whole.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Unknown> {
        match self {
            Bill::WechatV2(download) => download.next().await,
        }
    }
}

/// The way to one merchant's provider. Holds the merchant as it was when the request came in.
pub(crate) enum Route {
    WechatV2(wechat_v2::Session),
}

impl Providers {
    /// Starts on `tasks` what goes on beside the calls.
    ///
    /// # Errors
    /// When the authorities cannot be read, or no HTTP client can be made.
    pub(crate) fn new(
        config: &Config,
        clock: Clock,
        hosts: &HostMetrics,
        reports: ReportMetrics,
        tasks: &Tasks,
    ) -> anyhow::Result<Providers> {
        Ok(Providers { wechat_v2: Arc::new(wechat_v2::WechatV2::new(config, clock, hosts, reports, tasks)?) })
    }

    /// The way to this merchant's provider.
    pub(crate) fn route(&self, merchant: &Arc<Merchant>) -> Route {
        match &merchant.account {
            Account::WechatV2(account) => Route::WechatV2(wechat_v2::Session::new(&self.wechat_v2, merchant, account)),
        }
    }
}

impl Route {
    /// The same way, for a call that leaves in time or not at all.
    pub(crate) fn leaving(self, leave: Leave) -> Route {
        match self {
            Route::WechatV2(session) => Route::WechatV2(session.leaving(leave)),
        }
    }

    /// Asks the provider to accept an attempt.
    pub(crate) async fn prepay(&self, attempt: &Attempt) -> Outcome<v1::Prepaid> {
        match self {
            Route::WechatV2(session) => session.prepay(attempt).await,
        }
    }

    /// Asks what has become of an attempt.
    pub(crate) async fn query(&self, app_id: &str, out_trade_no: &str) -> Outcome<v1::PaymentStatus> {
        match self {
            Route::WechatV2(session) => session.query(app_id, out_trade_no).await,
        }
    }

    /// Asks that nobody can pay an attempt any more.
    pub(crate) async fn close(&self, app_id: &str, out_trade_no: &str) -> Outcome<v1::Closed> {
        match self {
            Route::WechatV2(session) => session.close(app_id, out_trade_no).await,
        }
    }

    /// Asks for money to go back.
    pub(crate) async fn refund(&self, order: &RefundOrder) -> Outcome<v1::RefundAccepted> {
        match self {
            Route::WechatV2(session) => session.refund(order).await,
        }
    }

    /// Asks what has become of a refund, which named goods or did not.
    pub(crate) async fn query_refund(&self, app_id: &str, refund: &WhichRefund) -> Outcome<v1::RefundStatus> {
        match self {
            Route::WechatV2(session) => session.query_refund(app_id, refund).await,
        }
    }

    /// Turns a login code into an openid.
    pub(crate) async fn resolve_openid(&self, login: &Login) -> Outcome<v1::Resolved> {
        match self {
            Route::WechatV2(session) => session.resolve_openid(login).await,
        }
    }

    /// Signs the QR code of a product. Nothing is sent.
    pub(crate) fn sign_product_code(&self, app_id: &str, product_id: &str) -> String {
        match self {
            Route::WechatV2(session) => session.sign_product_code(app_id, product_id),
        }
    }

    /// Begins to download a bill of one day.
    pub(crate) async fn download_bill(&self, kind: BillKind, date: Date) -> Result<Bill, NoBill> {
        match self {
            Route::WechatV2(session) => session.download_bill(kind, date).await.map(Bill::WechatV2),
        }
    }
}

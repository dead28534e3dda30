use std::fmt;

use secrecy::SecretString;
use url::Url;
use wechat_pay::v2::{
    Identity,
    sign::{ApiKey, SignType},
};

use crate::MerchantName;

/// One merchant account at one provider.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// Our name for the account; the stem of its file.
    pub name: MerchantName,
    /// Where our public ingress is reachable for the provider: http(s), no query, no fragment, no trailing slash.
    pub notify_base_url: String,
    /// What is done with money that no order can keep.
    pub surplus: Surplus,
    /// What the provider knows the account by, and the keys shared with it.
    pub account: Account,
}

impl Merchant {
    /// Which provider the account belongs to.
    pub fn provider(&self) -> Provider {
        match self.account {
            Account::WechatV2(_) => Provider::WechatV2,
        }
    }

    /// The account's identity at WeChat Pay v2, or `None` when it belongs to another provider.
    pub fn wechat_v2(&self) -> Option<&WechatV2Account> {
        match &self.account {
            Account::WechatV2(account) => Some(account),
        }
    }

    /// The number that the provider gave the account; in service-provider mode the service provider's, which its sub-merchants
    /// share.
    pub fn mch_id(&self) -> &str {
        match &self.account {
            Account::WechatV2(account) => &account.mch_id,
        }
    }

    /// The sub-merchant in service-provider mode.
    pub fn sub_mch_id(&self) -> Option<&str> {
        match &self.account {
            Account::WechatV2(account) => account.sub_merchant.as_ref().map(|sub| sub.sub_mch_id.as_str()),
        }
    }

    /// Apps paired with the account, in file order; at least one.
    pub fn apps(&self) -> &[App] {
        match &self.account {
            Account::WechatV2(account) => &account.apps,
        }
    }

    /// The app with this app id.
    pub fn app(&self, app_id: &str) -> Option<&App> {
        self.apps().iter().find(|app| app.app_id == app_id)
    }

    /// The first app of this kind, in file order.
    pub fn app_of_kind(&self, kind: AppKind) -> Option<&App> {
        self.apps().iter().find(|app| app.kind == kind)
    }

    /// Where the provider posts notices about this merchant: `<base>/notify/<provider>/<merchant>/<kind>`.
    pub fn notify_url(&self, kind: NoticeKind) -> String {
        format!("{}/notify/{}/{}/{}", self.notify_base_url, self.provider(), self.name, kind.as_str())
    }
}

/// A merchant's identity at its provider; WeChat Pay v3 and Huifu become variants of this.
#[derive(Clone, Debug)]
pub enum Account {
    /// WeChat Pay API v2.
    WechatV2(WechatV2Account),
}

/// An account at WeChat Pay API v2: a direct merchant's, or one that a service provider runs for a sub-merchant.
#[derive(Clone, Debug)]
pub struct WechatV2Account {
    /// Merchant number, 1 to 32 digits; in service-provider mode the service provider's, as are key and certificate.
    pub mch_id: String,
    /// Whom a service provider runs the account for; `None` for a direct merchant.
    pub sub_merchant: Option<SubMerchant>,
    /// Signs requests, and is the only type accepted in their answers.
    pub sign_type: SignType,
    /// The type before it, accepted in notices only while the type is being changed: orders that were placed with it are
    /// still being paid.
    pub previous_sign_type: Option<SignType>,
    /// The key in force.
    pub api_key: ApiKey,
    /// The key before it, accepted for verification only while keys are being changed.
    pub previous_api_key: Option<ApiKey>,
    /// Apps that may pay into this account; at least one.
    pub apps: Vec<App>,
    /// Client certificate, for the calls that need mutual TLS.
    pub client_identity: Option<ClientIdentity>,
    /// The call that takes payments by face.
    pub face_api: FaceApi,
}

/// The sub-merchant (特约商户) of a service provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubMerchant {
    /// Its number, 1 to 32 digits: `sub_mch_id` of every call.
    pub sub_mch_id: String,
    /// The service provider's own app id: `appid` of every call, whichever app opens the cashier.
    pub service_provider_app_id: String,
}

/// The call that takes payments by face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FaceApi {
    /// The pay code's: the device gives a face code of 18 digits (`face_code_type=1`).
    #[default]
    Micropay,
    /// The older one, which WeChat no longer maintains.
    Facepay,
}

impl FaceApi {
    /// Every call with its spelling in merchant files.
    pub const ALL: [(FaceApi, &'static str); 2] = [(FaceApi::Micropay, "micropay"), (FaceApi::Facepay, "facepay")];
}

impl WechatV2Account {
    /// The types that a notice may be signed with: the one in force, and the one before it during a change.
    pub fn notice_sign_types(&self) -> Vec<SignType> {
        [Some(self.sign_type), self.previous_sign_type].into_iter().flatten().collect()
    }

    /// Who a message about a payment under `app_id` is about, `app_id` being the app that opens the cashier.
    pub fn identity(&self, app_id: &str) -> Identity {
        let Some(sub) = &self.sub_merchant else { return Identity::direct(app_id, &self.mch_id) };
        Identity {
            appid: sub.service_provider_app_id.clone(),
            mch_id: self.mch_id.clone(),
            sub_appid: (app_id != sub.service_provider_app_id).then(|| app_id.to_owned()),
            sub_mch_id: Some(sub.sub_mch_id.clone()),
        }
    }
}

/// One app id paired with a merchant account.
#[derive(Clone, Debug)]
pub struct App {
    /// WeChat's id of the app that opens the cashier, such as `wxd930ea5d5a258f4f`. In service-provider mode the sub-merchant's
    /// own, or the service provider's.
    pub app_id: String,
    /// Where the app runs.
    pub kind: AppKind,
    /// The app's secret; login by code needs it.
    pub app_secret: Option<SecretString>,
}

/// Where an app runs, and so how its users open the cashier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AppKind {
    /// A mini program: `wx.requestPayment`.
    MiniProgram,
    /// An official account's web page inside WeChat: `WeixinJSBridge`.
    OfficialAccount,
    /// A native app with the open SDK.
    App,
    /// A web site outside WeChat.
    Web,
}

impl AppKind {
    /// Every kind with its spelling in merchant files.
    pub const ALL: [(AppKind, &'static str); 4] = [
        (AppKind::MiniProgram, "mini-program"),
        (AppKind::OfficialAccount, "official-account"),
        (AppKind::App, "app"),
        (AppKind::Web, "web"),
    ];

    /// The spelling in merchant files.
    pub fn as_str(self) -> &'static str {
        match self {
            AppKind::MiniProgram => "mini-program",
            AppKind::OfficialAccount => "official-account",
            AppKind::App => "app",
            AppKind::Web => "web",
        }
    }
}

impl fmt::Display for AppKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A payment provider's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// WeChat Pay API v2.
    WechatV2,
}

impl Provider {
    /// Every provider with its spelling in merchant files and notice paths.
    pub const ALL: [(Provider, &'static str); 1] = [(Provider::WechatV2, "wechat-v2")];

    /// The spelling in merchant files and notice paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::WechatV2 => "wechat-v2",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is done with money that comes for a closed or already paid order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Surplus {
    /// It goes back by itself.
    #[default]
    Refund,
    /// It waits for a person.
    Hold,
}

impl Surplus {
    /// Every policy with its spelling in merchant files.
    pub const ALL: [(Surplus, &'static str); 2] = [(Surplus::Refund, "refund"), (Surplus::Hold, "hold")];
}

/// What a provider's notice is about; the last part of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// A payment succeeded.
    Payment,
    /// A refund reached its end.
    Refund,
}

impl NoticeKind {
    /// The last part of the notice's path.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeKind::Payment => "payment",
            NoticeKind::Refund => "refund",
        }
    }
}

/// Client certificate and key for mutual TLS, as PEM text.
#[derive(Clone, Debug)]
pub struct ClientIdentity {
    /// The certificate chain.
    pub certificate_pem: String,
    /// Its private key.
    pub key_pem: SecretString,
}

/// Reads an absolute http(s) URL without query, fragment and credentials; the trailing slash is dropped.
pub(crate) fn base_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let reachable = matches!(url.scheme(), "http" | "https") && url.has_host();
    (plain && reachable).then(|| url.as_str().trim_end_matches('/').to_owned())
}

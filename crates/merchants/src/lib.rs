//! Who we take money for.
//!
//! A directory holds one `<merchant>.toml` per merchant account, with key files beside it:
//!
//! ```text
//! merchants/acme-mini.toml      provider, mch_id, app ids, notify_base_url, and the names of the files below
//! merchants/acme-mini.key       the API v2 key: 32 characters, nothing else
//! merchants/acme-mini.secret    the app secret that mini-program login needs
//! ```
//!
//! ```toml
//! provider = "wechat-v2"
//! mch_id = "1900000109"
//! sign_type = "HMAC-SHA256"                      # or "MD5"
//! notify_base_url = "https://pay.example.com"    # callbacks arrive at <base>/notify/wechat-v2/<merchant>/payment
//! api_key_file = "acme-mini.key"
//! # previous_api_key_file = "acme-mini.old.key"  # while a key is being changed
//! # previous_sign_type = "MD5"                   # while the type is being changed: notices of older orders come in it
//! # client_cert_file = "acme-mini.cert.pem"      # without these two nothing can be refunded
//! # client_key_file = "acme-mini.cert-key.pem"
//! # surplus = "refund"                           # or "hold": money for a closed or already paid order waits for a person
//! # face_api = "micropay"                        # or "facepay", WeChat's older call for payments by face
//!
//! [[apps]]
//! app_id = "wxd930ea5d5a258f4f"
//! kind = "mini-program"                          # or "official-account", "app", "web"
//! app_secret_file = "acme-mini.secret"           # optional; mini-program login by code needs it
//! ```
//!
//! Service-provider mode: `mch_id`, the key and the certificate are the service provider's, and two lines say for whom:
//!
//! ```toml
//! sub_mch_id = "1900000110"                      # the sub-merchant (特约商户), one file each
//! service_provider_app_id = "wx8888888888888888" # the service provider's own app; each [[apps]] names the app that opens the
//!                                                # cashier: the sub-merchant's, or this one
//! ```
//!
//! A change of key or sign type: put the new one in force and keep the old one as `previous_…`, on both sides of the day on
//! which the provider changes over; take it out when the last order of before has expired (WeChat repeats a notice for a
//! day). An app that is taken out can place no orders any more; notices of its orders in flight are still taken.
//!
//! [`Merchants::load`] checks everything and lists every mistake at once; [`Merchants::watch`] follows changes on disk
//! and keeps the last good version when a change is broken. Keys never appear in `Debug` output, errors or logs.

mod directory;
mod error;
mod fields;
mod live;
mod merchant;
mod name;
mod read;

pub use error::{LoadError, Mistake};
pub use live::Merchants;
pub use merchant::{
    Account, App, AppKind, ClientIdentity, FaceApi, Merchant, NoticeKind, Provider, SubMerchant, Surplus,
    WechatV2Account,
};
pub use name::{MerchantName, MerchantNameError};

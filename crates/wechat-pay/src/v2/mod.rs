//! The XML generation of the merchant API.
//!
//! A message is a flat, ordered map of texts ([`Fields`]). What WeChat adds tomorrow is part of today's signature, so
//! signatures are made and checked over the whole map and never over a typed struct.
//!
//! A call, step by step: a request struct ([`UnifiedOrder`], [`OrderQuery`], …) becomes signed fields with its
//! `signed` function, [`xml::write`] makes the body, [`answer::judge`] decides what the answer proves, the typed answer
//! ([`Prepaid`], [`OrderStatus`], …) reads it, and [`action::after`] says what to do next.

pub mod action;
pub mod answer;
mod auth_code;
pub mod client;
mod close_order;
mod comment_query;
mod coupon;
mod download_bill;
mod face_credential;
mod facepay;
mod fields;
mod fund_flow;
mod goods;
mod identity;
pub mod indexed;
pub mod limits;
pub mod login;
mod micropay;
pub mod native_scan;
pub mod notice;
mod order_query;
mod particulars;
mod pay_code;
mod payment;
mod redpack;
mod redpack_query;
mod redpack_send;
mod refund;
pub mod refund_notice;
mod refund_query;
pub mod report;
mod request;
mod reverse;
mod sale;
mod scene;
mod sealed;
mod short_url;
pub mod sign;
mod trade_state;
mod unified_order;
pub mod xml;

pub use answer::{Answer, Unknown};
pub use auth_code::AuthCodeToOpenid;
pub use close_order::CloseOrder;
pub use comment_query::{Comment, CommentAnswer, CommentPage, CommentQuery};
pub use coupon::Coupon;
pub use download_bill::{BillType, DownloadBill};
pub use face_credential::{FaceCredential, FaceCredentialRequest};
pub use facepay::{Facepay, FacepayQuery};
pub use fields::{FieldError, FieldProblem, Fields};
pub use fund_flow::{AccountType, DigestUnreadable, DownloadFundFlow, FileDigest};
pub use goods::{Goods, GoodsItem, RefundGoodsItem};
pub use identity::{Identity, OpenId};
pub use micropay::{Micropay, payment_at_counter};
pub use order_query::{OrderNumber, OrderQuery, OrderStatus};
pub use particulars::Particulars;
pub use pay_code::PayCode;
pub use payment::Payment;
pub use redpack::RedpackInvocation;
pub use redpack_query::{RedpackQuery, RedpackStatus};
pub use redpack_send::{RedpackKind, RedpackSent, SendRedpack, judge_redpack};
pub use refund::{Refund, RefundAccepted};
pub use refund_query::{RefundList, RefundNumber, RefundQuery, RefundStatus, RefundSummary, RefundWithGoods};
pub use reverse::{FacepayReverse, Reverse, asks_again};
pub use sale::Sale;
pub use scene::{H5Scene, Store};
pub use short_url::ShortUrl;
pub use sign::{ApiKey, SignType};
pub use trade_state::{LocalState, TradeState};
pub use unified_order::{Payer, Prepaid, TradeType, UnifiedOrder};

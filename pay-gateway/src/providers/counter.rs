//! Payments at a counter, by pay code or by face, in the words of every provider.

use std::net::IpAddr;

use jiff::Timestamp;
use money::Fen;
use proto::gateway::v1;
use secrecy::SecretString;
use wechat_pay::v2::Particulars;

use super::Route;
use crate::outcome::Outcome;

/// What a payment at a counter is made of. It is sent once.
pub(crate) struct Charge {
    pub(crate) app_id: String,
    pub(crate) out_trade_no: String,
    pub(crate) amount: Fen,
    pub(crate) description: String,
    pub(crate) expire_time: Timestamp,
    pub(crate) terminal_ip: IpAddr,
    pub(crate) shown: Shown,
    pub(crate) particulars: Particulars,
}

/// What the payer shows; whoever holds it takes the payer's money.
pub(crate) enum Shown {
    /// A pay code, or a face code that is taken like one.
    PayCode(SecretString),
    /// A face, for the older call that takes nothing else.
    Face {
        /// What the device gave after it saw the face.
        code: SecretString,
        /// Who that is under the app, as the device says.
        openid: SecretString,
    },
}

/// Which of the provider's calls a payment at a counter went through: what follows it has to go the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CounterCall {
    /// The one that takes pay codes.
    PayCode,
    /// The older one, which takes faces alone.
    Facepay,
}

impl Route {
    /// Takes a payment at a counter, once.
    pub(crate) async fn charge(&self, charge: &Charge) -> Outcome<v1::PaymentStatus> {
        match self {
            Route::WechatV2(session) => session.charge(charge).await,
        }
    }

    /// Asks what has become of a payment that the older face call took.
    pub(crate) async fn query_facepay(&self, app_id: &str, out_trade_no: &str) -> Outcome<v1::PaymentStatus> {
        match self {
            Route::WechatV2(session) => session.query_facepay(app_id, out_trade_no).await,
        }
    }

    /// Takes a payment at a counter back.
    pub(crate) async fn reverse(&self, call: CounterCall, app_id: &str, out_trade_no: &str) -> Outcome<v1::Reversed> {
        match self {
            Route::WechatV2(session) => session.reverse(call, app_id, out_trade_no).await,
        }
    }
}

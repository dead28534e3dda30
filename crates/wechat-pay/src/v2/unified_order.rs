//! `/pay/unifiedorder`: places an order at WeChat.

use std::net::IpAddr;

use jiff::Timestamp;
use money::Fen;

use super::fields::FieldProblem;
use super::request::Request;
use super::{ApiKey, FieldError, Fields, H5Scene, Identity, OpenId, Particulars, SignType};
use crate::time;

/// Places an order. The same content with the same `out_trade_no` is the same order, so a lost answer is retried with
/// exactly this; another content with a used number is refused by WeChat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnifiedOrder {
    /// For whom.
    pub identity: Identity,
    /// How the user pays.
    pub trade_type: TradeType,
    /// Our number, see [`limits::check_out_trade_no`](super::limits::check_out_trade_no).
    pub out_trade_no: String,
    /// What the user reads, see [`limits::check_body`](super::limits::check_body).
    pub body: String,
    /// The price, at least 1 fen.
    pub total_fee: Fen,
    /// The user's address (JSAPI, APP, H5), or that of whoever asks for the code (Native).
    pub spbill_create_ip: IpAddr,
    /// Where notices go: absolute, public, without a query string.
    pub notify_url: String,
    /// When the order was made.
    pub time_start: Option<Timestamp>,
    /// Until when it may be paid. WeChat has no default: always send it.
    pub time_expire: Option<Timestamp>,
    /// What else it tells. An H5 order leaves out the store: its scene has the only place for it.
    pub particulars: Particulars,
}

/// How the user pays, with what only that way needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TradeType {
    /// Inside WeChat: a mini program or an official account's page.
    Jsapi(Payer),
    /// A QR code.
    Native {
        /// Our id of what is sold, see [`limits::check_product_id`](super::limits::check_product_id).
        product_id: String,
        /// Who pays, where it is known: who scanned the code of a product (Native mode 1).
        payer: Option<Payer>,
    },
    /// A native app.
    App,
    /// A browser outside WeChat.
    H5 {
        /// From where the user comes.
        scene: H5Scene,
    },
}

/// Who pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payer {
    /// A user of `appid`.
    App(OpenId),
    /// A user of `sub_appid` (service-provider mode).
    SubApp(OpenId),
}

impl Payer {
    /// The payer under the app that opens the cashier.
    pub fn of(identity: &Identity, openid: OpenId) -> Payer {
        if identity.sub_appid.is_some() { Payer::SubApp(openid) } else { Payer::App(openid) }
    }
}

impl Request {
    pub(crate) fn with_payer(self, payer: &Payer) -> Request {
        match payer {
            Payer::App(openid) => self.with("openid", openid.as_str()),
            Payer::SubApp(openid) => self.with("sub_openid", openid.as_str()),
        }
    }
}

impl TradeType {
    /// WeChat's word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            TradeType::Jsapi(_) => "JSAPI",
            TradeType::Native { .. } => "NATIVE",
            TradeType::App => "APP",
            TradeType::H5 { .. } => "MWEB",
        }
    }
}

impl UnifiedOrder {
    /// Path below WeChat's host.
    pub const PATH: &str = "/pay/unifiedorder";

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey, sign_type: SignType) -> Fields {
        let request = Request::new(&self.identity, nonce)
            .with("body", &self.body)
            .with_particulars(&self.particulars)
            .with("out_trade_no", &self.out_trade_no)
            .with("total_fee", self.total_fee.get().to_string())
            .with("spbill_create_ip", self.spbill_create_ip.to_string())
            .with_some("time_start", self.time_start.map(time::print_14))
            .with_some("time_expire", self.time_expire.map(time::print_14))
            .with("notify_url", &self.notify_url)
            .with("trade_type", self.trade_type.as_str());
        let request = match &self.trade_type {
            TradeType::Jsapi(payer) => request.with_payer(payer),
            TradeType::Native { product_id, payer } => {
                let request = request.with("product_id", product_id);
                match payer {
                    Some(payer) => request.with_payer(payer),
                    None => request,
                }
            }
            TradeType::App => request,
            TradeType::H5 { scene } => return request.with("scene_info", scene.scene_info()).signed(key, sign_type),
        };
        request.with_store(&self.particulars).signed(key, sign_type)
    }
}

/// A placed order, ready to be opened by the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepaid {
    /// Opens the cashier for 2 hours.
    pub prepay_id: String,
    /// The text of the QR code (Native), to be encoded as it is.
    pub code_url: Option<String>,
    /// Where to send the browser (H5), for 5 minutes.
    pub mweb_url: Option<String>,
}

impl Prepaid {
    /// Reads the fields of a successful answer.
    ///
    /// # Errors
    /// [`FieldError`] when `prepay_id`, or what opens this way to pay, is absent, or the answer is about another
    /// `trade_type`.
    pub fn parse(fields: &Fields, trade_type: &TradeType) -> Result<Prepaid, FieldError> {
        if fields.text("trade_type").is_some_and(|answered| answered != trade_type.as_str()) {
            return Err(FieldError::new("trade_type", FieldProblem::Mismatch));
        }
        let required =
            |name, needed: bool| if needed { fields.required(name).map(Some) } else { Ok(fields.text(name)) };
        Ok(Prepaid {
            prepay_id: fields.required("prepay_id")?.to_owned(),
            code_url: required("code_url", matches!(trade_type, TradeType::Native { .. }))?.map(str::to_owned),
            mweb_url: required("mweb_url", matches!(trade_type, TradeType::H5 { .. }))?.map(str::to_owned),
        })
    }
}

//! `/payitil/report`: tells WeChat how its calls went. Telemetry: nothing may wait for it or depend on it.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::Serialize;

use super::request::Request;
use super::{ApiKey, Fields, Identity, SignType, xml};
use crate::time;

/// Most bytes of the address of the call that is reported.
const INTERFACE_URL_BYTES: usize = 127;

/// Most bytes of the batch of pay code payments.
const TRADES_BYTES: usize = 1024;

/// How one call went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// For whom.
    pub identity: Identity,
    /// The terminal.
    pub device_info: Option<String>,
    /// The address that was called; cut at 127 bytes.
    pub interface_url: String,
    /// How long it took.
    pub execute_time_ms: u64,
    /// `return_code` of the answer; `FAIL` when there was none.
    pub return_code: String,
    /// `return_msg` of the answer.
    pub return_msg: Option<String>,
    /// `result_code` of the answer; `FAIL` when there was none.
    pub result_code: String,
    /// `err_code` of the answer.
    pub err_code: Option<String>,
    /// `err_code_des` of the answer.
    pub err_code_des: Option<String>,
    /// Our number of the order.
    pub out_trade_no: Option<String>,
    /// When it was called.
    pub time: Option<Timestamp>,
    /// The address that called; the field has no room for IPv6.
    pub user_ip: Ipv4Addr,
}

impl Report {
    /// Path below WeChat's host.
    pub const PATH: &str = "/payitil/report";

    /// The only type that this call takes, whatever the merchant's.
    pub const SIGN_TYPE: SignType = SignType::Md5;

    /// The signed request. `nonce` is at most 32 letters and digits.
    pub fn signed(&self, nonce: &str, key: &ApiKey) -> Fields {
        Request::new(&self.identity, nonce)
            .with_some("device_info", self.device_info.as_deref())
            .with("interface_url", head(&self.interface_url, INTERFACE_URL_BYTES))
            .with("execute_time", self.execute_time_ms.to_string())
            .with("return_code", &self.return_code)
            .with_some("return_msg", self.return_msg.as_deref())
            .with("result_code", &self.result_code)
            .with_some("err_code", self.err_code.as_deref())
            .with_some("err_code_des", self.err_code_des.as_deref())
            .with_some("out_trade_no", self.out_trade_no.as_deref())
            .with_some("time", self.time.map(time::print_14))
            .with("user_ip", self.user_ip.to_string())
            .signed(key, Report::SIGN_TYPE)
    }
}

/// How several pay code payments went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MicropayReport {
    /// For whom.
    pub identity: Identity,
    /// The address that called.
    pub user_ip: Ipv4Addr,
    /// The payments. As many of the first as fit into WeChat's 1024 bytes are told.
    pub trades: Vec<ReportedTrade>,
}

/// How one pay code payment went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedTrade {
    /// Our number.
    pub out_trade_no: String,
    /// When it began.
    #[serde(serialize_with = "in_14_digits")]
    pub begin_time: Timestamp,
    /// When it ended.
    #[serde(serialize_with = "in_14_digits")]
    pub end_time: Timestamp,
    /// How it ended.
    pub state: ReportedState,
    /// What went wrong; empty when nothing did.
    pub err_msg: String,
}

/// How a pay code payment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ReportedState {
    /// Paid.
    #[serde(rename = "OK")]
    Ok,
    /// Not paid.
    #[serde(rename = "FAIL")]
    Fail,
    /// Taken back; the word is spelled as WeChat spells it.
    #[serde(rename = "CANCLE")]
    Cancelled,
}

impl MicropayReport {
    /// Path below WeChat's host: that of every report.
    pub const PATH: &str = Report::PATH;

    /// What the report says that it is about.
    const INTERFACE_URL: &str = "https://api.mch.weixin.qq.com/pay/batchreport/micropay/total";

    /// The signed request. `nonce` is at most 32 letters and digits.
    pub fn signed(&self, nonce: &str, key: &ApiKey) -> Fields {
        Request::new(&self.identity, nonce)
            .with("interface_url", MicropayReport::INTERFACE_URL)
            .with("user_ip", self.user_ip.to_string())
            .with("trades", self.json())
            .signed(key, Report::SIGN_TYPE)
    }

    /// The array of the trades that fit.
    fn json(&self) -> String {
        let mut text = String::from("[");
        for trade in &self.trades {
            let trade = serde_json::to_string(trade).expect("texts and times can be written as JSON");
            let comma = usize::from(text.len() != 1);
            if TRADES_BYTES < text.len() + comma + trade.len() + "]".len() {
                break;
            }
            text.push_str(&","[..comma]);
            text.push_str(&trade);
        }
        text.push(']');
        text
    }
}

/// Whether WeChat says that it took the report. The answer is unsigned, and nothing depends on it.
pub fn is_taken(body: &[u8]) -> bool {
    xml::parse("xml", body)
        .is_ok_and(|fields| fields.text("return_code") == Some("SUCCESS") && fields.text("result_code") != Some("FAIL"))
}

/// The first bytes of a text, up to a character's end.
fn head(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

fn in_14_digits<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time::print_14(*at))
}

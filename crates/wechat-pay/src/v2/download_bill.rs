//! `/pay/downloadbill`: fetches the trade bill of a day. The answer is read by [`bill`](crate::bill); it is not signed.

use jiff::civil::Date;

use super::request::Request;
use super::{ApiKey, Fields, Identity, SignType};
use crate::time;

/// Which rows a trade bill holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BillType {
    /// Payments and refunds.
    All,
    /// Payments.
    Success,
    /// Refunds.
    Refund,
    /// Refunds of recharges, which the others leave out.
    RechargeRefund,
}

impl BillType {
    /// WeChat's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            BillType::All => "ALL",
            BillType::Success => "SUCCESS",
            BillType::Refund => "REFUND",
            BillType::RechargeRefund => "RECHARGE_REFUND",
        }
    }
}

/// Fetches the trade bill of one day, from 10:00 Beijing time of the next day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadBill {
    /// For whom. Any of the merchant's apps will do: a bill covers all of them.
    pub identity: Identity,
    /// The civil date in Asia/Shanghai, within three months and before today.
    pub bill_date: Date,
    /// Which rows.
    pub bill_type: BillType,
    /// Whether the body comes as a gzip stream.
    pub gzip: bool,
}

impl DownloadBill {
    /// Path below WeChat's host.
    pub const PATH: &str = "/pay/downloadbill";

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey, sign_type: SignType) -> Fields {
        Request::new(&self.identity, nonce)
            .with("bill_date", time::print_date(self.bill_date))
            .with("bill_type", self.bill_type.as_str())
            .with_some("tar_type", self.gzip.then_some("GZIP"))
            .signed(key, sign_type)
    }
}

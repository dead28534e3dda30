//! What is sold at a counter: the fields that payments by pay code and by face share.

use std::net::IpAddr;

use jiff::Timestamp;
use money::Fen;

use super::Particulars;
use super::request::Request;
use crate::time;

/// One sale at a counter, without what the payer shows. Such a payment is sent once: after anything but a definite answer it is
/// queried, and a new code needs a new number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Our number, see [`limits::check_out_trade_no`](super::limits::check_out_trade_no).
    pub out_trade_no: String,
    /// What the user reads, see [`limits::check_body`](super::limits::check_body).
    pub body: String,
    /// The price, at least 1 fen.
    pub total_fee: Fen,
    /// Its currency; WeChat takes `CNY` for granted.
    pub fee_type: Option<String>,
    /// The terminal's address.
    pub spbill_create_ip: IpAddr,
    /// When the sale was made.
    pub time_start: Option<Timestamp>,
    /// Until when it may be paid. WeChat has no default.
    pub time_expire: Option<Timestamp>,
    /// What else is told.
    pub particulars: Particulars,
    /// Takes a deposit instead of a payment (`deposit=Y`). Its answer is none of a payment.
    pub deposit: bool,
}

impl Request {
    /// Says what is sold.
    pub(crate) fn with_sale(self, sale: &Sale) -> Request {
        self.with("body", &sale.body)
            .with("out_trade_no", &sale.out_trade_no)
            .with("total_fee", sale.total_fee.get().to_string())
            .with_some("fee_type", sale.fee_type.as_deref())
            .with("spbill_create_ip", sale.spbill_create_ip.to_string())
            .with_some("time_start", sale.time_start.map(time::print_14))
            .with_some("time_expire", sale.time_expire.map(time::print_14))
            .with_particulars(&sale.particulars)
            .with_store(&sale.particulars)
            .with_some("deposit", sale.deposit.then_some("Y"))
    }
}

//! What is said at a counter.

use std::net::IpAddr;

use proto::gateway::v1::PaymentMethod;
use wechat_pay::v2::limits::{self, LimitError};

use super::Fields;
use crate::providers::CounterCall;

impl Fields {
    pub(in crate::api) fn terminal_ip(&mut self, terminal_ip: &str) -> Option<IpAddr> {
        let address = terminal_ip.parse().ok();
        self.check(address.is_some(), "terminal_ip", "must be an IPv4 or IPv6 address");
        address
    }

    /// A method of the counter, and the call that it goes through.
    pub(in crate::api) fn counter_method(&mut self, method: PaymentMethod) -> Option<CounterCall> {
        let call = match method {
            PaymentMethod::PayCode | PaymentMethod::Face => Some(CounterCall::PayCode),
            PaymentMethod::Facepay => Some(CounterCall::Facepay),
            _ => None,
        };
        self.check(call.is_some(), "method", "must be PAY_CODE, FACE or FACEPAY");
        call
    }

    /// What the payer shows. Its value is never repeated.
    pub(in crate::api) fn code(&mut self, method: PaymentMethod, code: &str) {
        self.limit(
            "code",
            match method {
                PaymentMethod::Face => limits::check_face_pay_code(code),
                PaymentMethod::Facepay => limits::check_face_code(code),
                _ => limits::check_auth_code(code),
            },
        );
    }

    /// Notes what is wrong with `field`.
    pub(in crate::api) fn limit(&mut self, field: &str, checked: Result<(), LimitError>) {
        if let Err(error) = checked {
            self.check(false, field, &error.to_string());
        }
    }
}

//! Checks of request fields. Every mistake is noted, so that the caller learns all of them at once.

mod counter;

use std::{net::IpAddr, sync::Arc};

use jiff::Timestamp;
use merchants::{Merchant, MerchantName, Merchants};
use money::Fen;
use proto::error::ErrorReason;
use svc_kit::refusal::{self, Violations};
use tonic::{Code, Status};
use wechat_pay::v2::limits;

use crate::providers::WhichRefund;

/// Longest app id, in characters.
const MAX_APP_ID: usize = 32;

/// Longest login code, in characters.
const MAX_LOGIN_CODE: usize = 128;

/// Longest number of the provider's, in characters; WeChat declares 32.
const MAX_PROVIDER_NUMBER: usize = 32;

/// Most that one payment may take, in fen: a million yuan.
const MAX_AMOUNT_FEN: i64 = 100_000_000;

/// One request being checked.
pub(super) struct Fields {
    violations: Violations,
    /// The merchant, when its name could be read: what was found under it.
    merchant: Option<(MerchantName, Option<Arc<Merchant>>)>,
}

impl Fields {
    /// Starts with the merchant, whom every request names.
    pub(super) fn of_merchant(name: &str, merchants: &Merchants) -> Fields {
        let mut violations = Violations::new();
        let merchant = match MerchantName::parse(name) {
            Ok(name) => {
                let found = merchants.get(&name);
                Some((name, found))
            }
            Err(error) => {
                violations.push("merchant", error.to_string());
                None
            }
        };
        Fields { violations, merchant }
    }

    /// The merchant, as far as it is known already.
    pub(super) fn merchant(&self) -> Option<&Arc<Merchant>> {
        self.merchant.as_ref()?.1.as_ref()
    }

    /// Notes `message` about `field` unless `holds`.
    pub(super) fn check(&mut self, holds: bool, field: &str, message: &str) {
        self.violations.check(holds, field, message);
    }

    /// The account must still be the one that the attempt was written for: a merchant file can be changed to another.
    pub(super) fn mch_id(&mut self, mch_id: &str) {
        if mch_id.is_empty() {
            self.violations.push("mch_id", "is required");
            return;
        }
        let other = self.merchant().is_some_and(|merchant| merchant.mch_id() != mch_id);
        self.check(
            !other,
            "mch_id",
            "is not the account that this merchant has now: its file was changed since; nothing was sent",
        );
    }

    /// So must the sub-merchant, or the absence of one.
    pub(super) fn sub_mch_id(&mut self, sub_mch_id: &str) {
        let other = self.merchant().is_some_and(|merchant| merchant.sub_mch_id().unwrap_or_default() != sub_mch_id);
        self.check(
            !other,
            "sub_mch_id",
            "is not the sub-merchant that this merchant has now: its file was changed since; nothing was sent",
        );
    }

    /// An app id that need not be configured: attempts outlive the configuration of their app.
    pub(super) fn app_id(&mut self, app_id: &str) {
        let fits = (1..=MAX_APP_ID).contains(&app_id.len()) && app_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        self.check(fits, "app_id", "must be 1 to 32 letters and digits");
    }

    /// An app id that is paired with the merchant now.
    pub(super) fn paired_app_id(&mut self, app_id: &str) {
        let unknown = self.merchant().is_some_and(|merchant| merchant.app(app_id).is_none());
        if unknown {
            self.check(false, "app_id", "is not paired with this merchant; nothing was sent");
        } else {
            self.app_id(app_id);
        }
    }

    pub(super) fn out_trade_no(&mut self, out_trade_no: &str) {
        self.check(is_our_number(out_trade_no), "out_trade_no", "must be 32 lower-case hex digits");
    }

    pub(super) fn out_refund_no(&mut self, out_refund_no: &str) {
        self.check(is_our_number(out_refund_no), "out_refund_no", "must be 32 lower-case hex digits");
    }

    /// One refund, by its number or by the provider's. One that was made in the provider's console has a number of its own shape.
    pub(super) fn which_refund(&mut self, out_refund_no: String, refund_id: String, with_goods: bool) -> WhichRefund {
        if refund_id.is_empty() {
            if let Err(error) = limits::check_out_refund_no(&out_refund_no) {
                self.check(false, "out_refund_no", &error.to_string());
            }
            return WhichRefund::OutRefundNo { number: out_refund_no, with_goods };
        }
        let fits = refund_id.len() <= MAX_PROVIDER_NUMBER && refund_id.bytes().all(|byte| byte.is_ascii_graphic());
        self.check(fits, "refund_id", "must be 1 to 32 printable ASCII characters");
        self.check(out_refund_no.is_empty(), "refund_id", "must be empty when out_refund_no names the refund");
        self.check(!with_goods, "with_goods", "must be false when refund_id names the refund");
        WhichRefund::RefundId(refund_id)
    }

    /// The provider's number of a payment. It goes back to the provider as it was told to us.
    pub(super) fn transaction_id(&mut self, transaction_id: &str) {
        let fits = (1..=MAX_PROVIDER_NUMBER).contains(&transaction_id.len())
            && transaction_id.bytes().all(|byte| byte.is_ascii_graphic());
        self.check(fits, "transaction_id", "must be 1 to 32 printable ASCII characters");
    }

    /// What was paid, and how much of it goes back. What was paid is the provider's word, so our own cap on payments is not
    /// asked.
    pub(super) fn refunded(&mut self, total_fen: i64, amount_fen: i64) -> (Fen, Fen) {
        let (total, amount) = (Fen::new(total_fen), Fen::new(amount_fen));
        if let Err(error) = limits::check_total_fee(total) {
            self.check(false, "total_fen", &error.to_string());
        }
        let part = amount.is_positive() && amount <= total;
        self.check(part, "amount_fen", "must be 1 fen up to total_fen");
        (total, amount)
    }

    /// What the payer reads about a refund; empty when there is nothing to read.
    pub(super) fn reason(&mut self, reason: &str) {
        if !reason.is_empty()
            && let Err(error) = limits::check_refund_desc(reason)
        {
            self.check(false, "reason", &error.to_string());
        }
    }

    pub(super) fn amount(&mut self, amount_fen: i64) -> Fen {
        let fits = (1..=MAX_AMOUNT_FEN).contains(&amount_fen);
        self.check(fits, "amount_fen", "must be 1 to 100000000 (fen)");
        Fen::new(amount_fen)
    }

    pub(super) fn description(&mut self, description: &str) {
        if let Err(error) = limits::check_body(description) {
            self.check(false, "description", &error.to_string());
        }
    }

    pub(super) fn payer_ip(&mut self, payer_ip: &str) -> Option<IpAddr> {
        let address = payer_ip.parse().ok();
        self.check(address.is_some(), "payer_ip", "must be an IPv4 or IPv6 address");
        address
    }

    pub(super) fn openid(&mut self, openid: &str) {
        if let Err(error) = limits::check_openid(openid) {
            self.check(false, "openid", &error.to_string());
        }
    }

    pub(super) fn product_id(&mut self, product_id: &str) {
        if let Err(error) = limits::check_product_id(product_id) {
            self.check(false, "product_id", &error.to_string());
        }
    }

    pub(super) fn login_code(&mut self, login_code: &str) {
        self.check(is_token(login_code), "login_code", "must be 1 to 128 printable ASCII characters");
    }

    /// An instant that must be there.
    pub(super) fn instant(&mut self, field: &str, wire: Option<&pbjson_types::Timestamp>) -> Option<Timestamp> {
        let instant = wire.and_then(proto::time::from_wire);
        self.check(instant.is_some(), field, "must be set to a valid instant");
        instant
    }

    /// An instant that may be absent.
    pub(super) fn optional_instant(
        &mut self,
        field: &str,
        wire: Option<&pbjson_types::Timestamp>,
    ) -> Option<Timestamp> {
        wire.and_then(|wire| self.instant(field, Some(wire)))
    }

    /// The merchant, when nothing is wrong.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with every mistake, else `NOT_FOUND` for a merchant that is not configured.
    pub(super) fn finish(self) -> Result<Arc<Merchant>, Status> {
        self.violations.finish()?;
        match self.merchant {
            Some((_, Some(merchant))) => Ok(merchant),
            Some((name, None)) => Err(refusal::refuse(
                Code::NotFound,
                ErrorReason::MerchantNotFound.word(),
                format!("no merchant {name} is configured"),
                [("merchant", name.to_string())],
            )),
            None => unreachable!("a name that cannot be read is a violation"),
        }
    }
}

/// The 32 hex digits of an id of ours.
fn is_our_number(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn is_token(text: &str) -> bool {
    (1..=MAX_LOGIN_CODE).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

use jiff::{SignedDuration, Timestamp};
use merchants::MerchantName;
use money::Fen;
use wechat_pay::v2::{Fields, SignType, TradeState};

use super::{Charge, Misbilling, Progress, RefundId, Reversal};
use crate::ids;

/// A prepay id opens the cashier for two hours.
pub(super) const PREPAY_LIFE: SignedDuration = SignedDuration::from_hours(2);

/// WeChat refuses to close an order earlier than five minutes after it was created.
const CLOSE_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// What may differ when a number is ordered again: the nonce and its signature, where and when the call was made, and
/// the expiry, of which the first stays in force.
const UNBOUND: [&str; 5] = ["nonce_str", "sign", "spbill_create_ip", "time_start", "time_expire"];

/// One order. Its state follows from what happened to it.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) merchant: MerchantName,
    pub(crate) mch_id: String,
    pub(crate) app_id: String,
    pub(crate) out_trade_no: String,
    pub(crate) amount: Fen,
    pub(crate) fee_type: String,
    pub(crate) trade_type: String,
    pub(crate) sign_type: SignType,
    pub(crate) notify_url: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    /// The fields of the first unifiedorder, or of the charge.
    pub(crate) ordered: Fields,
    pub(crate) prepaid_at: Timestamp,
    pub(crate) prepays: u32,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) payment: Option<Payment>,
    /// Of a charge by pay code or face.
    pub(crate) charge: Option<Charge>,
    /// When a charge was taken back.
    pub(crate) reversal: Option<Reversal>,
    /// Its refunds, oldest first.
    pub(crate) refunds: Vec<RefundId>,
    pub(crate) misbilling: Misbilling,
}

/// Money that moved.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    pub(crate) transaction_id: String,
    pub(crate) amount: Fen,
    pub(crate) fee_type: String,
    pub(crate) app_id: String,
    pub(crate) openid: String,
    pub(crate) paid_at: Timestamp,
}

/// Why the user cannot pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PaymentRefused {
    #[error("the order is paid")]
    Paid,
    #[error("the order is closed; in_cashier lets a user pay who opened the cashier before")]
    Closed,
    #[error("the order has expired; in_cashier lets a user pay who opened the cashier before")]
    Expired,
    #[error("the prepay id is older than two hours; order again with the same number")]
    PrepayStale,
    #[error("the charge was reversed")]
    Reversed,
    #[error("nobody is asked to pay this charge")]
    NotAsked,
    #[error("the transaction id is taken")]
    TransactionTaken,
}

/// Why an order cannot be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseRefused {
    /// A charge by pay code or face, which is reversed.
    Charged,
    Paid,
    Closed,
    TooEarly,
}

impl Order {
    /// What orderquery answers. An expired order stays `NOTPAY` until somebody closes it.
    pub(crate) fn trade_state(&self) -> TradeState {
        if self.reversal.is_some() {
            return TradeState::Revoked;
        }
        match (&self.payment, self.closed_at) {
            // One refund is enough, even one that did not happen.
            (Some(_), _) if !self.refunds.is_empty() => TradeState::Refund,
            (Some(_), _) => TradeState::Success,
            (None, Some(_)) => TradeState::Closed,
            (None, None) => match self.charge.as_ref().map(|charge| charge.progress) {
                Some(Progress::Asked) => TradeState::UserPaying,
                Some(Progress::Failed) => TradeState::PayError,
                Some(Progress::Idle) | None => TradeState::NotPay,
            },
        }
    }

    /// Whether a user is being asked for a password.
    pub(crate) fn is_asked(&self) -> bool {
        self.trade_state() == TradeState::UserPaying
    }

    /// What bills call its kind.
    pub(crate) fn billed_trade_type(&self) -> &str {
        if self.charge.as_ref().is_some_and(|charge| charge.by_face) { "FACE" } else { &self.trade_type }
    }

    /// A field of the first unifiedorder, or of the charge.
    pub(crate) fn ordered(&self, name: &str) -> Option<&str> {
        self.ordered.text(name)
    }

    /// The sub-merchant, of an order that a service provider placed.
    pub(crate) fn sub_mch_id(&self) -> Option<&str> {
        self.ordered("sub_mch_id")
    }

    /// The sub-merchant's app, when it opens the cashier.
    pub(crate) fn sub_app_id(&self) -> Option<&str> {
        self.ordered("sub_appid")
    }

    /// The app that the cashier of a payment was opened from.
    pub(crate) fn paying_app_id<'a>(&'a self, payment: &'a Payment) -> &'a str {
        let ordered = payment.app_id == self.app_id;
        self.sub_app_id().filter(|_| ordered).unwrap_or(&payment.app_id)
    }

    /// Whose money it is: the sub-merchant's number, otherwise the merchant's.
    pub(crate) fn account(&self) -> &str {
        self.sub_mch_id().unwrap_or(&self.mch_id)
    }

    /// Who pays by the order alone, under the app that ordered.
    pub(crate) fn payer(&self) -> Option<String> {
        let under_sub_app = || self.ordered("sub_openid").map(|openid| ids::openid_under(openid, &self.app_id));
        let charged = self.charge.as_ref().map(|charge| charge.openid.clone());
        charged.or_else(|| self.ordered("openid").map(str::to_owned)).or_else(under_sub_app)
    }

    /// The payer under the sub-merchant's app.
    pub(crate) fn sub_openid(&self, payment: &Payment) -> Option<String> {
        let sub_app = self.sub_app_id()?;
        let named = self.ordered("sub_openid").map(str::to_owned);
        Some(named.unwrap_or_else(|| ids::openid_under(&payment.openid, sub_app)))
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether a repeated unifiedorder asks for the same: every field but those that may differ.
    pub(crate) fn is_same_order(&self, fields: &Fields) -> bool {
        bound(&self.ordered) == bound(fields)
    }

    /// Issues another prepay id.
    pub(crate) fn prepay_again(&mut self, now: Timestamp) {
        self.prepaid_at = now;
        self.prepays = self.prepays.saturating_add(1);
    }

    /// Closes it.
    pub(crate) fn close(&mut self, now: Timestamp) -> Result<(), CloseRefused> {
        if self.reversal.is_some() {
            return Err(CloseRefused::Closed);
        }
        if self.payment.is_some() {
            return Err(CloseRefused::Paid);
        }
        if self.closed_at.is_some() {
            return Err(CloseRefused::Closed);
        }
        if self.charge.is_some() {
            return Err(CloseRefused::Charged);
        }
        if now < self.created_at + CLOSE_AFTER {
            return Err(CloseRefused::TooEarly);
        }
        self.closed_at = Some(now);
        Ok(())
    }

    /// Whether the user could pay now, by the order alone.
    pub(crate) fn payable(&self, now: Timestamp) -> Result<(), PaymentRefused> {
        if self.reversal.is_some() {
            return Err(PaymentRefused::Reversed);
        }
        if self.payment.is_some() {
            return Err(PaymentRefused::Paid);
        }
        if self.closed_at.is_some() {
            return Err(PaymentRefused::Closed);
        }
        if self.charge.is_some() && !self.is_asked() {
            return Err(PaymentRefused::NotAsked);
        }
        if self.has_expired(now) {
            return Err(PaymentRefused::Expired);
        }
        if self.charge.is_none() && self.prepaid_at + PREPAY_LIFE <= now {
            return Err(PaymentRefused::PrepayStale);
        }
        Ok(())
    }

    /// Takes the payment. A user who was in the cashier in time wins every race but the one against another payment.
    pub(super) fn pay(&mut self, payment: Payment, now: Timestamp, in_cashier: bool) -> Result<(), PaymentRefused> {
        match self.payable(now) {
            Err(PaymentRefused::Closed | PaymentRefused::Expired | PaymentRefused::PrepayStale) if in_cashier => {}
            outcome => outcome?,
        }
        self.payment = Some(payment);
        Ok(())
    }
}

/// Fields that a number is bound to, in an order that the sender does not choose.
fn bound(fields: &Fields) -> Vec<(&str, &str)> {
    let mut bound: Vec<_> =
        fields.iter().filter(|(name, value)| !value.is_empty() && !UNBOUND.contains(name)).collect();
    bound.sort_unstable();
    bound
}

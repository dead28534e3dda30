//! Money has come: what does that change? The one decision that nothing may get wrong, so it is a pure function.

use jiff::Timestamp;
use money::Fen;

use super::{
    order::{self, Order},
    payment::{self, Payment},
};

/// The provider's verified word that an attempt was paid, whoever reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The account, by our name.
    pub merchant: String,
    /// "wechat-v2".
    pub provider: String,
    /// The provider's number of the account.
    pub mch_id: String,
    /// The sub-merchant in service-provider mode; empty otherwise.
    pub sub_mch_id: String,
    /// The app it was paid in.
    pub app_id: String,
    /// The service provider's own app in service-provider mode; empty otherwise.
    pub service_provider_app_id: String,
    /// The order amount, as the provider says.
    pub amount: Fen,
    /// Its currency, as the provider says.
    pub currency: String,
    /// The provider's number.
    pub transaction_id: String,
    /// The provider's time.
    pub paid_time: Timestamp,
    /// The provider was asked after it had said that it takes the attempt back no more.
    pub asked_too_late: bool,
}

/// What a paid fact did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Attempt SUCCEEDED, order PAID.
    Kept,
    /// Attempt SUCCEEDED, but the order was closed or paid already: the money must go back.
    Surplus,
    /// Said before.
    Unchanged,
    /// The attempt is being taken back: that goes on, and what comes of it is asked about, so nobody needs to remember this.
    Reversing,
}

/// Why a paid fact must never pay the order. A person has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another account of ours.
    #[error("merchant differs from the payment's")]
    Merchant,
    /// Another provider.
    #[error("provider differs from the payment's")]
    Provider,
    /// Another account number.
    #[error("mch_id differs from the payment's")]
    MchId,
    /// Another sub-merchant of the same service provider.
    #[error("sub_mch_id differs from the payment's")]
    SubMchId,
    /// Another app.
    #[error("app_id differs from the payment's")]
    AppId,
    /// Another amount.
    #[error("amount differs from the payment's")]
    Amount,
    /// Another currency.
    #[error("currency is not CNY")]
    Currency,
    /// The attempt was paid by another transaction before.
    #[error("the payment was paid by another transaction before")]
    Transaction,
    /// The attempt was being taken back when it ended. That money may be back, or the provider may keep it: nothing here asks
    /// any more, so a person looks, or the bill tells.
    #[error("the payment was taken back and has ended without money; look whether the provider holds it")]
    TakenBack,
}

impl Mismatch {
    /// For metrics.
    pub fn word(self) -> &'static str {
        match self {
            Mismatch::Merchant => "merchant",
            Mismatch::Provider => "provider",
            Mismatch::MchId => "mch_id",
            Mismatch::SubMchId => "sub_mch_id",
            Mismatch::AppId => "app_id",
            Mismatch::Amount => "amount",
            Mismatch::Currency => "currency",
            Mismatch::Transaction => "transaction",
            Mismatch::TakenBack => "taken_back",
        }
    }
}

/// Records that `payment`, an attempt of `order`, was paid.
///
/// Evidence counts in every state: a payer can pay an attempt that we believe closed or failed, and that money is real. Only of
/// an attempt that is being taken back it says nothing, because a reversal may be on its way that it does not know of. As long as
/// that attempt is open, somebody asks on; once it has ended, the evidence contradicts its end, or is older, and only a person
/// can tell which.
///
/// # Errors
/// [`Mismatch`] when the evidence is for something else than we asked for; nothing changes then.
pub fn settle(order: &mut Order, payment: &mut Payment, paid: &Paid) -> Result<Settled, Mismatch> {
    check(payment, paid)?;
    if let payment::State::Succeeded { transaction_id, .. } = &payment.state {
        return if *transaction_id == paid.transaction_id {
            Ok(Settled::Unchanged)
        } else {
            Err(Mismatch::Transaction)
        };
    }
    if payment.reversing.is_some_and(|reversing| !(reversing.too_late && paid.asked_too_late)) {
        return if payment.state.is_open() { Ok(Settled::Reversing) } else { Err(Mismatch::TakenBack) };
    }
    let surplus = match order.state {
        order::State::Pending => false,
        order::State::Paid { .. } | order::State::Closed { .. } => true,
    };
    payment.state =
        payment::State::Succeeded { transaction_id: paid.transaction_id.clone(), at: paid.paid_time, surplus };
    order.version += 1;
    if surplus {
        return Ok(Settled::Surplus);
    }
    order.state = order::State::Paid { payment: payment.id, at: paid.paid_time, refunded: order::Refunded::Nothing };
    Ok(Settled::Kept)
}

fn check(payment: &Payment, paid: &Paid) -> Result<(), Mismatch> {
    let checks = [
        (paid.merchant == payment.merchant, Mismatch::Merchant),
        (paid.provider == payment.provider, Mismatch::Provider),
        (paid.mch_id == payment.mch_id, Mismatch::MchId),
        (paid.sub_mch_id == payment.sub_mch_id, Mismatch::SubMchId),
        // What the attempt does not have is free: under the provider's app it named no app of the sub-merchant, and WeChat may.
        ([&paid.app_id, &paid.service_provider_app_id].contains(&&payment.app_id), Mismatch::AppId),
        (paid.currency == "CNY", Mismatch::Currency),
        (paid.amount == payment.amount, Mismatch::Amount),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, mismatch)| Err(mismatch))
}

/// Closes an order none of whose attempts can be paid any more. Returns why, or `None` when it must stay as it is.
pub fn close(order: &mut Order, payments: &[Payment], now: Timestamp) -> Option<order::CloseReason> {
    let reason = order.to_close(now)?;
    if payments.iter().any(Payment::is_pending) {
        return None;
    }
    order.state = order::State::Closed { at: now };
    order.version += 1;
    Some(reason)
}

#[cfg(test)]
pub mod samples {
    //! Small orders for tests of this module's neighbours.

    use jiff::{SignedDuration, Timestamp};
    use money::Fen;
    use uuid::Uuid;

    use super::{Order, Paid, Payment, order, payment};
    use crate::domain::{OrderId, PaymentId, carried::Details};

    /// A PENDING order with so many PENDING attempts.
    ///
    /// # Panics
    /// Never.
    pub fn pending(attempts: u128) -> (Order, Vec<Payment>) {
        let create_time: Timestamp = "2026-11-21T02:00:00Z".parse().expect("a valid instant");
        let order = Order {
            id: OrderId(Uuid::from_u128(1)),
            app: "shop".into(),
            order_no: "S-1".into(),
            merchant: "acme-mini".into(),
            amount: Fen::new(100),
            description: "tea".into(),
            particulars: None,
            product_code: None,
            state: order::State::Pending,
            create_time,
            expire_time: create_time + SignedDuration::from_mins(30),
            close_requested_at: None,
            version: 1,
        };
        let payments = (0..attempts)
            .map(|number| Payment {
                id: PaymentId(Uuid::from_u128(100 + number)),
                order_id: order.id,
                merchant: order.merchant.clone(),
                provider: "wechat-v2".into(),
                mch_id: "1900000001".into(),
                sub_mch_id: String::new(),
                app_id: "wx01".into(),
                amount: order.amount,
                method: payment::Method::MiniProgram,
                details: Details::default(),
                openid: payment::Openid("o".into()),
                payer_ip: "127.0.0.1".into(),
                state: payment::State::Pending,
                create_time,
                expire_time: order.expire_time,
                sends: 1,
                asks: 0,
                disputed: false,
                superseded: false,
                refunded: Fen::ZERO,
                refunding: Fen::ZERO,
                reversing: None,
                provider_code: None,
            })
            .collect();
        (order, payments)
    }

    /// A fact that fits the samples.
    ///
    /// # Panics
    /// Never.
    pub fn paid(transaction_id: &str) -> Paid {
        Paid {
            merchant: "acme-mini".into(),
            provider: "wechat-v2".into(),
            mch_id: "1900000001".into(),
            sub_mch_id: String::new(),
            app_id: "wx01".into(),
            service_provider_app_id: String::new(),
            amount: Fen::new(100),
            currency: "CNY".into(),
            transaction_id: transaction_id.into(),
            paid_time: "2026-11-21T02:01:00Z".parse().expect("a valid instant"),
            asked_too_late: false,
        }
    }

    /// A paid state.
    ///
    /// # Panics
    /// Never.
    pub fn succeeded(transaction_id: &str, surplus: bool) -> payment::State {
        payment::State::Succeeded {
            transaction_id: transaction_id.into(),
            at: "2026-11-21T02:01:00Z".parse().expect("a valid instant"),
            surplus,
        }
    }
}

#[cfg(test)]
mod tests;

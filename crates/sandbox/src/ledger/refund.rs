use jiff::Timestamp;
use money::Fen;
use wechat_pay::v2::Fields;

use super::{Misbilling, OrderId};
use crate::control::{RefundSource, RefundState};

/// What a repeated request must have in common with the first: everything that the merchant says about the refund. Of
/// which order it is, is compared beside.
const BOUND: [&str; 7] =
    ["appid", "refund_fee_type", "refund_desc", "refund_account", "notify_url", "sub_mch_id", "detail"];

/// A refund's place in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RefundId(pub(super) usize);

/// One refund. WeChat accepted it; what became of it is its history.
#[expect(clippy::struct_field_names, reason = "`refund_id` is WeChat's word for its own number")]
#[derive(Debug)]
pub(crate) struct Refund {
    pub(crate) order: OrderId,
    pub(crate) out_refund_no: String,
    pub(crate) refund_id: String,
    pub(crate) amount: Fen,
    pub(crate) source: RefundSource,
    pub(crate) notify_url: String,
    /// In whole seconds, as messages and bills say it.
    pub(crate) created_at: Timestamp,
    /// How often it was asked for.
    pub(crate) requests: u32,
    /// The fields that asked for it first; none of a refund that was made in the merchant platform.
    pub(super) requested: Fields,
    /// When it succeeds by itself.
    pub(super) due_at: Option<Timestamp>,
    /// The states it reached since, with the instants.
    pub(super) history: Vec<(Timestamp, RefundState)>,
    pub(crate) misbilling: Misbilling,
}

/// A refund to be accepted.
#[derive(Clone, Debug)]
pub(crate) struct Refundable {
    pub(crate) out_refund_no: String,
    pub(crate) total_fee: Fen,
    pub(crate) amount: Fen,
    pub(crate) source: RefundSource,
    pub(crate) notify_url: String,
    pub(crate) requested: Fields,
}

/// Why WeChat does not accept a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RefundRefused {
    #[error("the order is not paid")]
    Unpaid,
    #[error("the order was reversed")]
    Reversed,
    #[error("the number was used for another amount")]
    OtherAmount,
    #[error("the number was used for another refund")]
    OtherRefund,
    #[error("the order has another amount")]
    OtherTotal,
    #[error("more would go back than was paid")]
    TooMuch,
    #[error("the order has 50 refunds")]
    TooMany,
    #[error("the payment is older than a year")]
    Overdue,
    #[error("the order's last refund is younger than a minute")]
    TooSoon,
    #[error("the merchant's balance is too small")]
    NotEnough,
    #[error("the ledger is full")]
    Full,
}

/// The refund cannot reach the wanted state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SettleRefused {
    #[error("a refund is settled as SUCCESS, CHANGE or REFUNDCLOSE")]
    NoOutcome,
    #[error("the refund is {} already", .0.as_str())]
    Settled(RefundState),
}

impl Refund {
    /// How far it is.
    pub(crate) fn state(&self) -> RefundState {
        self.history.last().map_or(RefundState::Processing, |(_, state)| *state)
    }

    /// How far it was at an instant.
    pub(crate) fn state_at(&self, instant: Timestamp) -> RefundState {
        let reached = self.history.iter().rev().find(|(at, _)| *at <= instant);
        reached.map_or(RefundState::Processing, |(_, state)| *state)
    }

    /// When the money arrived.
    pub(crate) fn succeeded_at(&self) -> Option<Timestamp> {
        self.history.last().filter(|(_, state)| *state == RefundState::Success).map(|(at, _)| *at)
    }

    /// A field of the request that asked for it.
    pub(crate) fn requested(&self, name: &str) -> Option<&str> {
        self.requested.text(name)
    }

    /// Whether its money was recharged for it, and is not that of sales.
    pub(crate) fn is_recharged(&self) -> bool {
        self.requested("refund_account") == Some("REFUND_SOURCE_RECHARGE_FUNDS")
    }

    /// When it was closed, so that its money came back to the merchant.
    pub(crate) fn closed_at(&self) -> Option<Timestamp> {
        self.history.last().filter(|(_, state)| *state == RefundState::RefundClose).map(|(at, _)| *at)
    }

    /// Whether its amount is gone or going.
    pub(crate) fn holds_money(&self) -> bool {
        self.state() != RefundState::RefundClose
    }

    /// Compares a repeated request with the first.
    pub(super) fn check_repeat(&self, order: OrderId, wanted: &Refundable) -> Result<(), RefundRefused> {
        let asked = |fields: &Fields, name| fields.text(name).map(str::to_owned);
        if self.amount != wanted.amount || asked(&self.requested, "total_fee") != asked(&wanted.requested, "total_fee")
        {
            return Err(RefundRefused::OtherAmount);
        }
        let same = BOUND.iter().all(|name| self.requested.text(name) == wanted.requested.text(name));
        if same && self.order == order { Ok(()) } else { Err(RefundRefused::OtherRefund) }
    }

    /// Whether it may reach a state by command: what succeeded or was closed stays so.
    pub(super) fn check_settle(&self, state: RefundState) -> Result<(), SettleRefused> {
        match (self.state(), state) {
            (_, RefundState::Processing) => Err(SettleRefused::NoOutcome),
            (RefundState::Processing, _) | (RefundState::Change, RefundState::Success | RefundState::RefundClose) => {
                Ok(())
            }
            (settled, _) => Err(SettleRefused::Settled(settled)),
        }
    }
}

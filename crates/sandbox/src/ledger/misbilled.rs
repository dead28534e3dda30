//! What bills say otherwise than it happened, and movements of money that are no trade.

use jiff::{Timestamp, civil::Date};
use money::{Fen, MilliFen};
use wechat_pay::time;

use super::{Ledger, NoRoom, OrderId, RefundId};
use crate::{control::Misbilled, fund_flow::Account, ids};

/// Movements kept; further ones are refused.
const MAX_MOVEMENTS: usize = 10_000;

/// What the bills say about one payment or refund; nothing of the default is otherwise than it happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Misbilling {
    pub(crate) left_out: bool,
    pub(crate) left_out_of_funds: bool,
    pub(crate) amount: Option<Fen>,
    pub(crate) coupon: Option<Fen>,
    pub(crate) fee: Option<MilliFen>,
    /// WeChat's number of a reversal that never was.
    pub(crate) revoked: Option<String>,
    pub(crate) on_day: Option<Date>,
}

/// Money that moved without a trade.
#[derive(Clone, Debug)]
pub(crate) struct OtherMovement {
    pub(crate) mch_id: String,
    pub(crate) sub_mch_id: Option<String>,
    pub(crate) account: Account,
    pub(crate) at: Timestamp,
    /// WeChat's number of what moved the money.
    pub(crate) number: String,
    pub(crate) kind: String,
    pub(crate) amount: Fen,
    pub(crate) remark: String,
    pub(crate) hidden: bool,
}

impl Misbilling {
    pub(crate) fn new(wanted: &Misbilled, now: Timestamp) -> Misbilling {
        Misbilling {
            left_out: wanted.left_out,
            left_out_of_funds: wanted.left_out_of_funds,
            amount: wanted.amount_fen.map(Fen::new),
            coupon: wanted.coupon_fen.map(Fen::new),
            fee: wanted.fee_milli_fen.map(MilliFen::new),
            revoked: wanted.revoked.then(|| ids::refund_id(now)),
            on_day: wanted.on_day,
        }
    }

    /// When the bills say that it happened.
    pub(crate) fn at(&self, really: Timestamp) -> Timestamp {
        self.on_day.and_then(time::day_start).unwrap_or(really)
    }

    /// Whether the bills have it on that day.
    pub(crate) fn is_billed_on(&self, day: Date, really: Timestamp) -> bool {
        !self.left_out && time::bill_date(self.at(really)) == day
    }
}

impl Ledger {
    /// Lets the bills say something else about a payment.
    pub(crate) fn misbill(&mut self, id: OrderId, misbilling: Misbilling) {
        self.order_mut(id).misbilling = misbilling;
    }

    /// Lets the bills say something else about a refund.
    pub(crate) fn misbill_refund(&mut self, id: RefundId, misbilling: Misbilling) {
        self.refund_mut(id).misbilling = misbilling;
    }

    /// Enters a movement.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub(crate) fn enter_movement(&mut self, movement: OtherMovement) -> Result<(), NoRoom> {
        if self.movements.len() == MAX_MOVEMENTS {
            return Err(NoRoom);
        }
        self.movements.push(movement);
        Ok(())
    }

    /// Every movement that is no trade, oldest first.
    pub(crate) fn movements(&self) -> impl Iterator<Item = &OtherMovement> {
        self.movements.iter()
    }
}

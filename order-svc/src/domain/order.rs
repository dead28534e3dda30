//! An order and its states.

use jiff::{SignedDuration, Timestamp};
use money::Fen;

use super::{OrderId, PaymentId, ProductCodeId, carried::Particulars};

/// WeChat refuses attempts that expire within a minute.
const LEAST_LEFT: SignedDuration = SignedDuration::from_secs(61);

/// Something to be paid for, once.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// The team that made it.
    pub app: String,
    /// The team's own number.
    pub order_no: String,
    /// The account that gets the money.
    pub merchant: String,
    /// Its price.
    pub amount: Fen,
    /// What the payer reads.
    pub description: String,
    /// What else it tells the provider.
    pub particulars: Option<Particulars>,
    /// The product code whose scan made it.
    pub product_code: Option<ProductCodeId>,
    /// What has become of it.
    pub state: State,
    /// When it was made.
    pub create_time: Timestamp,
    /// After this it cannot be paid.
    pub expire_time: Timestamp,
    /// When the team gave it up.
    pub close_requested_at: Option<Timestamp>,
    /// Grows by one at each change.
    pub version: i64,
}

/// What has become of an order. Data lives in the state it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has paid yet.
    Pending,
    /// Paid by one attempt, at the provider's time.
    Paid {
        /// The attempt whose money is kept.
        payment: PaymentId,
        /// The provider's time.
        at: Timestamp,
        /// How much of the money is back with the payer.
        refunded: Refunded,
    },
    /// Nobody can pay it any more.
    Closed {
        /// Our time.
        at: Timestamp,
    },
}

/// How much of the money that paid an order is back with the payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refunded {
    /// None of it.
    Nothing,
    /// A part of it.
    Part,
    /// All of it.
    All,
}

/// Why an order was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Its time ran out.
    Expired,
    /// The team asked for it.
    Requested,
}

/// Why nobody may start to pay an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpayable {
    /// It is paid or closed.
    Over,
    /// Its team gave it up.
    GivenUp,
    /// Its time is over, or nearly.
    Expired,
}

impl State {
    /// As it stands in the database and in texts.
    pub fn word(&self) -> &'static str {
        match self {
            State::Pending => "PENDING",
            State::Paid { refunded: Refunded::Nothing, .. } => "PAID",
            State::Paid { refunded: Refunded::Part, .. } => "PARTIALLY_REFUNDED",
            State::Paid { refunded: Refunded::All, .. } => "REFUNDED",
            State::Closed { .. } => "CLOSED",
        }
    }
}

impl Order {
    /// Its first version. Whoever writes an attempt, a wish or an end writes the next one, so an order that has it has none of them.
    pub const FIRST_VERSION: i64 = 1;

    /// Whether somebody may start to pay it.
    ///
    /// # Errors
    /// [`Unpayable`].
    pub fn payable(&self, now: Timestamp) -> Result<(), Unpayable> {
        match self.state {
            State::Paid { .. } | State::Closed { .. } => Err(Unpayable::Over),
            State::Pending if self.close_requested_at.is_some() => Err(Unpayable::GivenUp),
            State::Pending if self.expire_time.duration_since(now) <= LEAST_LEFT => Err(Unpayable::Expired),
            State::Pending => Ok(()),
        }
    }

    /// Why nobody should be able to pay it any more, if so. Only a PENDING order is ever to be closed.
    pub fn to_close(&self, now: Timestamp) -> Option<CloseReason> {
        match self.state {
            State::Paid { .. } | State::Closed { .. } => None,
            State::Pending if self.close_requested_at.is_some() => Some(CloseReason::Requested),
            State::Pending => (self.expire_time <= now).then_some(CloseReason::Expired),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{CloseReason, State, Unpayable};
    use crate::domain::settle::samples;

    #[test]
    fn an_order_can_be_paid_until_a_minute_before_its_end_unless_it_is_over_or_given_up() {
        let (mut order, _) = samples::pending(1);
        let minute_before = order.expire_time - SignedDuration::from_mins(1);
        assert_eq!(order.payable(minute_before - SignedDuration::from_secs(2)), Ok(()));
        assert_eq!(order.payable(minute_before), Err(Unpayable::Expired));
        order.close_requested_at = Some(order.create_time);
        assert_eq!(order.payable(order.create_time), Err(Unpayable::GivenUp));
        order.state = State::Closed { at: Timestamp::UNIX_EPOCH };
        assert_eq!(order.payable(order.create_time), Err(Unpayable::Over));
    }

    #[test]
    fn an_order_is_to_be_closed_when_its_time_is_over_or_its_team_gave_it_up() {
        let (mut order, _) = samples::pending(1);
        assert_eq!(order.to_close(order.create_time), None);
        assert_eq!(order.to_close(order.expire_time), Some(CloseReason::Expired));
        order.close_requested_at = Some(order.create_time);
        assert_eq!(order.to_close(order.create_time), Some(CloseReason::Requested));
        order.state = State::Closed { at: Timestamp::UNIX_EPOCH };
        assert_eq!(order.to_close(order.expire_time), None);
    }
}

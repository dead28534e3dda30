//! Charges by pay code and by face, and taking them back.

use jiff::{SignedDuration, Timestamp, civil::Date};
use wechat_pay::time;

use super::{Full, Ledger, Order, OrderId, Payable, Payment, refunds::whole_second};
use crate::{control::PayBehaviour, ids};

/// A charge cannot be taken back sooner.
const REVERSE_AFTER: SignedDuration = SignedDuration::from_secs(15);

/// Nor later: then only a refund is left.
const REVERSIBLE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What only an order has that was charged by pay code or face.
#[derive(Debug)]
pub(crate) struct Charge {
    /// Whose code it was.
    pub(crate) openid: String,
    /// Whether a face was shown, and not a phone.
    pub(crate) by_face: bool,
    /// How far it is; of a paid one the payment tells.
    pub(crate) progress: Progress,
}

/// How far an unpaid charge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The user is asked for a password.
    Asked,
    /// The user cannot or does not want to pay.
    Failed,
    /// Nothing is under way.
    Idle,
}

/// A charge that was taken back.
#[derive(Clone, Debug)]
pub(crate) struct Reversal {
    /// In whole seconds, as messages and bills say it.
    pub(crate) at: Timestamp,
    /// WeChat's number of the money's way back; none when nothing had been paid.
    pub(crate) refund_id: Option<String>,
}

/// Why an order cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReverseRefused {
    /// It was not charged by pay code or face; whether it is paid.
    NotCharged { paid: bool },
    /// The charge is younger than 15 s.
    TooSoon,
    /// The charge is older than seven days.
    Expired,
    /// A part went back already.
    Refunded,
    /// The merchant's balance is too small.
    NotEnough,
}

/// Nobody is asked for a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAsked;

impl Ledger {
    /// Enters an order that is charged, and lets the user do what the code promises. `pays_at` is when a user pays who
    /// takes a while.
    ///
    /// # Errors
    /// [`Full`].
    pub(crate) fn charge(
        &mut self,
        order: Order,
        behaviour: PayBehaviour,
        pays_at: Timestamp,
        now: Timestamp,
    ) -> Result<OrderId, Full> {
        let id = self.enter(order)?;
        match behaviour {
            PayBehaviour::Pays | PayBehaviour::SystemErrorPaid => self.pay_charge(id, now),
            PayBehaviour::Password => {}
            PayBehaviour::PaysLate => drop(self.late.insert((pays_at, id))),
            PayBehaviour::NoMoney | PayBehaviour::WrongCard | PayBehaviour::BuyerMismatch => {
                self.set_progress(id, Progress::Failed);
            }
            PayBehaviour::SystemErrorUnpaid | PayBehaviour::BankError => self.set_progress(id, Progress::Idle),
        }
        Ok(id)
    }

    /// Lets the users pay whose time has come. One whose order has expired meanwhile does not.
    pub(super) fn catch_up_charges(&mut self, now: Timestamp) {
        while let Some((at, id)) = self.late.first().copied().filter(|(at, _)| *at <= now) {
            self.late.remove(&(at, id));
            self.pay_charge(id, at);
        }
    }

    /// The user who is asked pays, or cannot.
    fn pay_charge(&mut self, id: OrderId, at: Timestamp) {
        let order = self.order(id);
        let Some(charge) = &order.charge else { return };
        let paid_at = whole_second(at);
        let payment = Payment {
            transaction_id: ids::transaction_id(paid_at),
            amount: order.amount,
            fee_type: order.fee_type.clone(),
            app_id: order.app_id.clone(),
            openid: charge.openid.clone(),
            paid_at,
        };
        let is_asked = charge.progress == Progress::Asked && order.reversal.is_none() && order.payment.is_none();
        if is_asked && self.pay(id, Payable { payment, now: at, in_cashier: false }).is_err() {
            self.set_progress(id, Progress::Failed);
        }
    }

    /// The user who is asked for a password does not enter it.
    ///
    /// # Errors
    /// [`NotAsked`].
    pub(crate) fn cancel(&mut self, id: OrderId) -> Result<(), NotAsked> {
        if !self.order(id).is_asked() {
            return Err(NotAsked);
        }
        self.set_progress(id, Progress::Failed);
        Ok(())
    }

    fn set_progress(&mut self, id: OrderId, progress: Progress) {
        if let Some(charge) = &mut self.order_mut(id).charge {
            charge.progress = progress;
        }
    }

    /// Takes a charge back: unpaid it is closed, paid its money goes back in full. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`ReverseRefused`]; then nothing has changed.
    pub(crate) fn reverse(&mut self, id: OrderId, now: Timestamp) -> Result<(), ReverseRefused> {
        let order = self.order(id);
        if order.reversal.is_some() {
            return Ok(());
        }
        if order.charge.is_none() {
            return Err(ReverseRefused::NotCharged { paid: order.payment.is_some() });
        }
        if now < order.created_at + REVERSE_AFTER {
            return Err(ReverseRefused::TooSoon);
        }
        if order.created_at + REVERSIBLE <= now {
            return Err(ReverseRefused::Expired);
        }
        if !order.refunds.is_empty() {
            return Err(ReverseRefused::Refunded);
        }
        let at = whole_second(now);
        let paid = order.payment.as_ref().map(|payment| (order.mch_id.clone(), payment.amount));
        let refund_id = paid.is_some().then(|| ids::refund_id(at));
        if let Some((mch_id, amount)) = paid {
            self.take_balance(id, amount).map_err(|_| ReverseRefused::NotEnough)?;
            self.reversed_on.entry((mch_id, time::bill_date(at))).or_default().push(id);
        }
        self.order_mut(id).reversal = Some(Reversal { at, refund_id });
        Ok(())
    }

    /// Paid charges of a merchant that were taken back on a bill day, oldest first.
    pub(crate) fn reversed_on(&self, mch_id: &str, day: Date) -> impl Iterator<Item = &Order> {
        let ids = self.reversed_on.get(&(mch_id.to_owned(), day)).map_or(&[][..], Vec::as_slice);
        ids.iter().map(|id| self.order(*id))
    }
}

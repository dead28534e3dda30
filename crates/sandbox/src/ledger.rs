//! The ground truth: what was ordered, what was really paid and refunded, and what we were answered to each callback.

mod callback;
mod charge;
mod desk;
mod misbilled;
mod order;
mod pay_codes;
mod prepays;
mod rate;
mod red_packets;
mod refund;
mod refunds;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{Timestamp, civil::Date};
use wechat_pay::time;

pub(crate) use callback::{About, Callback, CallbackId, Delivery};
pub(crate) use charge::{Charge, Progress, Reversal, ReverseRefused};
pub(crate) use desk::{Desk, NoRoom};
pub(crate) use misbilled::{Misbilling, OtherMovement};
pub(crate) use order::{CloseRefused, Order, Payment, PaymentRefused};
pub(crate) use pay_codes::{CodeKind, CodeRefused, PayCodes};
use prepays::Prepays;
pub(crate) use prepays::{CODE_URL, Open, Prepay};
pub(crate) use rate::{Limited, RefundRates};
pub(crate) use red_packets::{NewRedPacket, RedPacket, RedPacketKind, RedPacketRefused, RedPackets};
pub(crate) use refund::{Refund, RefundId, RefundRefused, Refundable};
use refunds::Refunds;
pub(crate) use view::Filter;

/// Orders kept, and refunds; about a kilobyte each. Beyond it unifiedorder and refund answer `SYSTEMERROR`.
pub(crate) const MAX_ORDERS: usize = 100_000;

/// An order's place in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OrderId(usize);

/// Orders, payments, refunds and callbacks of one sandbox. Nothing is ever removed.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    orders: Vec<Order>,
    /// By `out_trade_no`: one order for each merchant that used the number.
    by_number: HashMap<String, Vec<OrderId>>,
    by_transaction: HashMap<String, OrderId>,
    paid_on: BTreeMap<(String, Date), Vec<OrderId>>,
    prepays: Prepays,
    refunds: Refunds,
    /// Codes that phones and face devices show.
    pub(crate) codes: PayCodes,
    /// Charges that are paid by themselves.
    late: BTreeSet<(Timestamp, OrderId)>,
    /// Paid charges that were taken back.
    reversed_on: BTreeMap<(String, Date), Vec<OrderId>>,
    pub(crate) refund_rates: RefundRates,
    pub(crate) red_packets: RedPackets,
    pub(crate) desk: Desk,
    /// Money that moved without a trade.
    movements: Vec<OtherMovement>,
    callbacks: Vec<Callback>,
    /// Callbacks that wait for their next attempt.
    due: BTreeSet<(Timestamp, CallbackId)>,
    /// Callbacks that wait for another one to go first.
    held: BTreeSet<CallbackId>,
}

/// The ledger is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Which order or refund a person means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup<T> {
    /// There is one.
    Found(T),
    /// There is none.
    Unknown,
    /// Two merchants used the number.
    Ambiguous,
}

/// A payment to be made, with what differs from the order.
#[derive(Clone, Debug)]
pub(crate) struct Payable {
    pub(crate) payment: Payment,
    /// The instant itself, which the payment knows without its fraction.
    pub(crate) now: Timestamp,
    /// The user opened the cashier before the order expired or was closed.
    pub(crate) in_cashier: bool,
}

impl Ledger {
    /// The order with this number of this merchant.
    pub(crate) fn find(&self, mch_id: &str, out_trade_no: &str) -> Option<OrderId> {
        self.numbered(out_trade_no).find(|id| self.order(*id).mch_id == mch_id)
    }

    /// The order that this transaction of this merchant paid.
    pub(crate) fn find_paid(&self, mch_id: &str, transaction_id: &str) -> Option<OrderId> {
        self.by_transaction.get(transaction_id).copied().filter(|id| self.order(*id).mch_id == mch_id)
    }

    /// The order with this number, whoever's it is or of one merchant by our name.
    pub(crate) fn look_up(&self, out_trade_no: &str, merchant: Option<&str>) -> Lookup<OrderId> {
        let is_meant = |id: &OrderId| merchant.is_none_or(|merchant| self.order(*id).merchant.as_str() == merchant);
        let mut found = self.numbered(out_trade_no).filter(is_meant);
        match (found.next(), found.next()) {
            (Some(id), None) => Lookup::Found(id),
            (None, _) => Lookup::Unknown,
            (Some(_), Some(_)) => Lookup::Ambiguous,
        }
    }

    pub(crate) fn order(&self, id: OrderId) -> &Order {
        &self.orders[id.0]
    }

    pub(crate) fn order_mut(&mut self, id: OrderId) -> &mut Order {
        &mut self.orders[id.0]
    }

    pub(crate) fn callback(&self, id: CallbackId) -> &Callback {
        &self.callbacks[id.index()]
    }

    /// Enters a new order; its number must be free.
    ///
    /// # Errors
    /// [`Full`].
    pub(crate) fn enter(&mut self, order: Order) -> Result<OrderId, Full> {
        if self.orders.len() == MAX_ORDERS {
            return Err(Full);
        }
        let id = OrderId(self.orders.len());
        self.by_number.entry(order.out_trade_no.clone()).or_default().push(id);
        self.orders.push(order);
        Ok(id)
    }

    /// Moves the money and owes the merchant a callback, due at once; of a charge by pay code or face nobody is told.
    ///
    /// # Errors
    /// [`PaymentRefused`] when the user could not pay this order, or the transaction id is taken.
    pub(crate) fn pay(&mut self, id: OrderId, payable: Payable) -> Result<Option<CallbackId>, PaymentRefused> {
        let Payable { payment, now, in_cashier } = payable;
        if self.by_transaction.contains_key(&payment.transaction_id) {
            return Err(PaymentRefused::TransactionTaken);
        }
        let (transaction_id, paid_at) = (payment.transaction_id.clone(), payment.paid_at);
        let order = &mut self.orders[id.0];
        order.pay(payment, now, in_cashier)?;
        let is_told = order.charge.is_none();
        self.paid_on.entry((order.mch_id.clone(), time::bill_date(paid_at))).or_default().push(id);
        self.by_transaction.insert(transaction_id, id);
        Ok(is_told.then(|| self.owe(id, About::Payment, paid_at)))
    }

    /// Owes the merchant a callback.
    fn owe(&mut self, order: OrderId, about: About, due_at: Timestamp) -> CallbackId {
        let callback = CallbackId::at(self.callbacks.len());
        self.callbacks.push(Callback::new(order, about, due_at));
        self.due.insert((due_at, callback));
        callback
    }

    /// Every order of a merchant, oldest first.
    pub(crate) fn orders_of(&self, mch_id: &str) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(move |order| order.mch_id == mch_id)
    }

    /// Orders of a merchant that were paid on a bill day, in the order of payment.
    pub(crate) fn paid_on(&self, mch_id: &str, day: Date) -> impl Iterator<Item = &Order> {
        let ids = self.paid_on.get(&(mch_id.to_owned(), day)).map_or(&[][..], Vec::as_slice);
        ids.iter().map(|id| self.order(*id))
    }

    /// When the next attempt is due, or the next refund succeeds and so becomes the reason of one.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let attempt = self.due.first().map(|(at, _)| *at);
        [attempt, self.refunds.next_due()].into_iter().flatten().min()
    }

    /// Takes a callback whose attempt is due; whoever takes it must hand back a [`Delivery`].
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<CallbackId> {
        let (at, id) = *self.due.first().filter(|(at, _)| *at <= now)?;
        self.due.remove(&(at, id));
        self.held.remove(&id);
        self.callbacks[id.index()].begin();
        Some(id)
    }

    /// Records how a taken callback fared.
    pub(crate) fn deliver(&mut self, id: CallbackId, delivery: Delivery) {
        let (held, passed) = (matches!(delivery, Delivery::Held { .. }), matches!(delivery, Delivery::Attempted(_)));
        if let Some(at) = self.callbacks[id.index()].record(delivery) {
            self.due.insert((at, id));
        }
        if held {
            self.held.insert(id);
        }
        if passed {
            self.release_held();
        }
    }

    /// Lets the held callbacks go, now that another one went before them.
    fn release_held(&mut self) {
        for id in std::mem::take(&mut self.held) {
            if let Some((old, new)) = self.callbacks[id.index()].release() {
                self.due.remove(&(old, id));
                self.due.insert((new, id));
            }
        }
    }

    /// Every order with this number: at most one for each merchant.
    fn numbered(&self, out_trade_no: &str) -> impl Iterator<Item = OrderId> {
        self.by_number.get(out_trade_no).map_or(&[][..], Vec::as_slice).iter().copied()
    }
}

//! Accepting refunds, and what becomes of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp, civil::Date};
use money::Fen;
use wechat_pay::time;

use super::{
    About, Ledger, Lookup, MAX_ORDERS, Misbilling, Order, OrderId,
    refund::{Refund, RefundId, RefundRefused, Refundable, SettleRefused},
};
use crate::{
    control::{RefundSource, RefundState},
    ids,
};

/// Most refunds of one order.
const MAX_REFUNDS: usize = 50;

/// How long after its payment an order can be refunded.
const REFUNDABLE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// The pause between the refunds of one order.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// How long a refund is on its way, until somebody says otherwise: long enough to be seen, short enough to wait for.
const USUAL_DELAY: SignedDuration = SignedDuration::from_secs(3);

/// The refunds of one sandbox, by what they are looked for.
#[derive(Debug)]
pub(super) struct Refunds {
    all: Vec<Refund>,
    /// By merchant number and `out_refund_no`.
    by_number: HashMap<(String, String), RefundId>,
    by_refund_id: HashMap<String, RefundId>,
    made_on: BTreeMap<(String, Date), Vec<RefundId>>,
    /// Those that succeed by themselves.
    due: BTreeSet<(Timestamp, RefundId)>,
    /// How long that takes; `None` leaves it to commands.
    delay: Option<SignedDuration>,
    /// By merchant number, or the sub-merchant's: what is left for refunds. Without limit when absent.
    balances: HashMap<String, Fen>,
}

impl Default for Refunds {
    fn default() -> Refunds {
        Refunds {
            all: Vec::new(),
            by_number: HashMap::new(),
            by_refund_id: HashMap::new(),
            made_on: BTreeMap::new(),
            due: BTreeSet::new(),
            delay: Some(USUAL_DELAY),
            balances: HashMap::new(),
        }
    }
}

impl Refunds {
    /// When the next refund succeeds by itself.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Every refund, newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Refund> {
        self.all.iter().rev()
    }
}

impl Ledger {
    pub(crate) fn refund(&self, id: RefundId) -> &Refund {
        &self.refunds.all[id.0]
    }

    pub(super) fn refund_mut(&mut self, id: RefundId) -> &mut Refund {
        &mut self.refunds.all[id.0]
    }

    /// The refund with this number of this merchant.
    pub(crate) fn find_refund(&self, mch_id: &str, out_refund_no: &str) -> Option<RefundId> {
        self.refunds.by_number.get(&(mch_id.to_owned(), out_refund_no.to_owned())).copied()
    }

    /// The refund of this merchant with this number of WeChat's.
    pub(crate) fn find_refund_id(&self, mch_id: &str, refund_id: &str) -> Option<RefundId> {
        let found = self.refunds.by_refund_id.get(refund_id).copied();
        found.filter(|id| self.order(self.refund(*id).order).mch_id == mch_id)
    }

    /// The refund with this number, whoever's it is or of one merchant by our name.
    pub(crate) fn look_up_refund(&self, out_refund_no: &str, merchant: Option<&str>) -> Lookup<RefundId> {
        // Commands of people and tests: a walk is fast enough.
        let mut found = self.refunds.all.iter().enumerate().filter(|(_, refund)| {
            refund.out_refund_no == out_refund_no
                && merchant.is_none_or(|merchant| self.order(refund.order).merchant.as_str() == merchant)
        });
        match (found.next(), found.next()) {
            (Some((at, _)), None) => Lookup::Found(RefundId(at)),
            (None, _) => Lookup::Unknown,
            (Some(_), Some(_)) => Lookup::Ambiguous,
        }
    }

    /// The refunds of an order, oldest first.
    pub(crate) fn refunds_of(&self, order: &Order) -> impl ExactSizeIterator<Item = &Refund> {
        order.refunds.iter().map(|id| self.refund(*id))
    }

    /// The refunds of a merchant that were accepted on this Beijing day, oldest first.
    pub(crate) fn refunds_made_on(&self, mch_id: &str, day: Date) -> impl Iterator<Item = &Refund> {
        let ids = self.refunds.made_on.get(&(mch_id.to_owned(), day)).map_or(&[][..], Vec::as_slice);
        ids.iter().map(|id| self.refund(*id))
    }

    /// What can still go back of an order, in fen.
    pub(crate) fn refundable(&self, order: &Order) -> Fen {
        // A reversed payment is back already.
        let payment = order.payment.as_ref().filter(|_| order.reversal.is_none());
        let paid = payment.map_or(Fen::ZERO, |payment| payment.amount);
        let held = self.refunds_of(order).filter(|refund| refund.holds_money());
        held.fold(paid, |left, refund| left.checked_sub(refund.amount).expect("no more goes back than was paid"))
    }

    /// Accepts a refund, or finds the one that has this number already.
    ///
    /// # Errors
    /// [`RefundRefused`]; then nothing has changed.
    pub(crate) fn accept_refund(
        &mut self,
        id: OrderId,
        wanted: Refundable,
        now: Timestamp,
    ) -> Result<RefundId, RefundRefused> {
        let mch_id = self.order(id).mch_id.clone();
        if let Some(known) = self.find_refund(&mch_id, &wanted.out_refund_no) {
            let refund = &mut self.refunds.all[known.0];
            refund.check_repeat(id, &wanted)?;
            refund.requests = refund.requests.saturating_add(1);
            return Ok(known);
        }
        self.check_refund(self.order(id), &wanted, now)?;
        self.take_balance(id, wanted.amount)?;
        Ok(self.enter_refund(id, mch_id, wanted, now))
    }

    /// Takes what goes back of an order from what its merchant has for refunds.
    pub(super) fn take_balance(&mut self, order: OrderId, amount: Fen) -> Result<(), RefundRefused> {
        if let Some(balance) = self.refunds.balances.get_mut(self.orders[order.0].account()) {
            let left = balance.checked_sub(amount).filter(|left| Fen::ZERO <= *left);
            *balance = left.ok_or(RefundRefused::NotEnough)?;
        }
        Ok(())
    }

    fn check_refund(&self, order: &Order, wanted: &Refundable, now: Timestamp) -> Result<(), RefundRefused> {
        let payment = order.payment.as_ref().ok_or(RefundRefused::Unpaid)?;
        if order.reversal.is_some() {
            return Err(RefundRefused::Reversed);
        }
        if payment.amount != wanted.total_fee {
            return Err(RefundRefused::OtherTotal);
        }
        if !wanted.amount.is_positive() || self.refundable(order) < wanted.amount {
            return Err(RefundRefused::TooMuch);
        }
        if MAX_REFUNDS <= order.refunds.len() {
            return Err(RefundRefused::TooMany);
        }
        if payment.paid_at + REFUNDABLE <= now {
            return Err(RefundRefused::Overdue);
        }
        let last = self.refunds_of(order).last();
        let too_soon = last.is_some_and(|last| now < last.created_at + PAUSE);
        if too_soon && wanted.source == RefundSource::Api {
            return Err(RefundRefused::TooSoon);
        }
        if self.refunds.all.len() == MAX_ORDERS { Err(RefundRefused::Full) } else { Ok(()) }
    }

    fn enter_refund(&mut self, order: OrderId, mch_id: String, wanted: Refundable, now: Timestamp) -> RefundId {
        let id = RefundId(self.refunds.all.len());
        let created_at = whole_second(now);
        let refund_id = ids::refund_id(created_at);
        let due_at = self.refunds.delay.map(|delay| now.checked_add(delay).unwrap_or(Timestamp::MAX));
        self.refunds.by_number.insert((mch_id.clone(), wanted.out_refund_no.clone()), id);
        self.refunds.by_refund_id.insert(refund_id.clone(), id);
        self.refunds.made_on.entry((mch_id, time::bill_date(created_at))).or_default().push(id);
        self.refunds.due.extend(due_at.map(|at| (at, id)));
        self.refunds.all.push(Refund {
            order,
            out_refund_no: wanted.out_refund_no,
            refund_id,
            amount: wanted.amount,
            source: wanted.source,
            notify_url: wanted.notify_url,
            created_at,
            requests: 1,
            requested: wanted.requested,
            due_at,
            history: Vec::new(),
            misbilling: Misbilling::default(),
        });
        self.order_mut(order).refunds.push(id);
        id
    }

    /// Lets a refund reach a state, and owes the merchant a callback, due at once.
    ///
    /// # Errors
    /// [`SettleRefused`].
    pub(crate) fn settle(&mut self, id: RefundId, state: RefundState, at: Timestamp) -> Result<(), SettleRefused> {
        let refund = &mut self.refunds.all[id.0];
        refund.check_settle(state)?;
        let reached_at = whole_second(at);
        refund.history.push((reached_at, state));
        let (order, amount, due_at) = (refund.order, refund.amount, refund.due_at.take());
        if let Some(due_at) = due_at {
            self.refunds.due.remove(&(due_at, id));
        }
        if state == RefundState::RefundClose
            && let Some(balance) = self.refunds.balances.get_mut(self.orders[order.0].account())
        {
            *balance = balance.checked_add(amount).expect("commands and refunds stay far below the largest amount");
        }
        self.owe(order, About::Refund { id, state, reached_at }, reached_at);
        Ok(())
    }

    /// Lets the refunds succeed and the charges be paid whose time has come.
    pub(crate) fn catch_up(&mut self, now: Timestamp) {
        self.catch_up_charges(now);
        while let Some((at, id)) = self.refunds.due.first().copied().filter(|(at, _)| *at <= now) {
            self.settle(id, RefundState::Success, at).expect("whoever settles it otherwise takes it off this list");
        }
    }

    /// How long refunds are on their way from now on.
    pub(crate) fn set_settle_delay(&mut self, delay: Option<SignedDuration>) {
        self.refunds.delay = delay;
    }

    /// What a merchant or sub-merchant has for refunds; `None` is without limit.
    pub(crate) fn balance(&self, account: &str) -> Option<Fen> {
        self.refunds.balances.get(account).copied()
    }

    /// Sets what a merchant or sub-merchant has for refunds from now on.
    pub(crate) fn set_balance(&mut self, account: &str, balance: Option<Fen>) {
        match balance {
            Some(balance) => drop(self.refunds.balances.insert(account.to_owned(), balance)),
            None => drop(self.refunds.balances.remove(account)),
        }
    }
}

/// Messages and bills say whole seconds, and so does the ledger.
pub(super) fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).expect("an instant without its fraction fits")
}

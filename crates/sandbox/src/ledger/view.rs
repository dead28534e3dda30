use jiff::Timestamp;

use super::{Callback, CallbackId, Ledger, Order};
use crate::control::{self, ClockState};

/// Which part of the ledger is wanted; everything by default.
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub(crate) struct Filter {
    /// Only this merchant's (our name).
    pub(crate) merchant: Option<String>,
    /// Only orders of this number.
    pub(crate) out_trade_no: Option<String>,
}

impl Filter {
    fn takes(&self, order: &Order) -> bool {
        self.merchant.as_deref().is_none_or(|merchant| order.merchant.as_str() == merchant)
            && self.out_trade_no.as_deref().is_none_or(|number| order.out_trade_no == number)
    }
}

impl Ledger {
    /// The ledger as the control API shows it. Openids stay inside: they are personal data.
    pub(crate) fn view(&self, clock: ClockState, filter: &Filter) -> control::Ledger {
        // A poll for one order must not cost a walk through all of them.
        let orders: Vec<&Order> = match &filter.out_trade_no {
            Some(number) => {
                self.numbered(number).map(|id| self.order(id)).filter(|order| filter.takes(order)).collect()
            }
            None => self.orders.iter().filter(|order| filter.takes(order)).collect(),
        };
        let callbacks = self
            .callbacks
            .iter()
            .enumerate()
            .filter(|(_, callback)| filter.takes(self.order(callback.order)))
            .map(|(at, _)| self.callback_view(CallbackId::at(at)))
            .collect();
        control::Ledger { clock, orders: orders.into_iter().map(Order::view).collect(), callbacks }
    }

    /// The latest orders and callbacks, newest first, at most `limit` of each.
    pub(crate) fn latest(&self, clock: ClockState, limit: usize) -> control::Ledger {
        let orders = self.orders.iter().rev().take(limit).map(Order::view).collect();
        let callbacks =
            (0..self.callbacks.len()).rev().take(limit).map(|at| self.callback_view(CallbackId::at(at))).collect();
        control::Ledger { clock, orders, callbacks }
    }

    /// Orders that a user could pay now, newest first, at most `limit`.
    pub(crate) fn latest_open(&self, now: Timestamp, limit: usize) -> Vec<control::Order> {
        self.orders.iter().rev().filter(|order| order.payable(now).is_ok()).take(limit).map(Order::view).collect()
    }

    fn callback_view(&self, id: CallbackId) -> control::Callback {
        let callback: &Callback = self.callback(id);
        let order = self.order(callback.order);
        control::Callback {
            id: id.number(),
            merchant: order.merchant.to_string(),
            out_trade_no: order.out_trade_no.clone(),
            transaction_id: order.payment.as_ref().map(|payment| payment.transaction_id.clone()).unwrap_or_default(),
            url: order.notify_url.clone(),
            state: callback.state,
            next_attempt_at: callback.next_at,
            attempts: callback.attempts.clone(),
        }
    }
}

impl Order {
    fn view(&self) -> control::Order {
        control::Order {
            merchant: self.merchant.to_string(),
            mch_id: self.mch_id.clone(),
            app_id: self.app_id.clone(),
            out_trade_no: self.out_trade_no.clone(),
            amount_fen: self.amount.get(),
            fee_type: self.fee_type.clone(),
            description: self.ordered("body").unwrap_or_default().to_owned(),
            trade_type: self.trade_type.clone(),
            sign_type: self.sign_type.to_string(),
            notify_url: self.notify_url.clone(),
            trade_state: self.trade_state().as_str().to_owned(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            closed_at: self.closed_at,
            prepays: self.prepays,
            payment: self.payment.as_ref().map(|payment| control::Payment {
                transaction_id: payment.transaction_id.clone(),
                amount_fen: payment.amount.get(),
                fee_type: payment.fee_type.clone(),
                app_id: payment.app_id.clone(),
                paid_at: payment.paid_at,
            }),
        }
    }
}

use jiff::Timestamp;

use super::{About, Callback, CallbackId, Ledger, Order, Refund};
use crate::control::{self, CallbackKind, ClockState};

/// Which part of the ledger is wanted; everything by default.
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub(crate) struct Filter {
    /// Only this merchant's (our name).
    pub(crate) merchant: Option<String>,
    /// Only orders of this number, with their refunds.
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
        control::Ledger { clock, orders: orders.into_iter().map(|order| self.order_view(order)).collect(), callbacks }
    }

    /// The latest orders and callbacks, newest first, at most `limit` of each.
    pub(crate) fn latest(&self, clock: ClockState, limit: usize) -> control::Ledger {
        let orders = self.orders.iter().rev().take(limit).map(|order| self.order_view(order)).collect();
        let callbacks =
            (0..self.callbacks.len()).rev().take(limit).map(|at| self.callback_view(CallbackId::at(at))).collect();
        control::Ledger { clock, orders, callbacks }
    }

    /// Orders that a user could pay now, newest first, at most `limit`.
    pub(crate) fn latest_open(&self, now: Timestamp, limit: usize) -> Vec<control::Order> {
        let open = self.orders.iter().rev().filter(|order| order.payable(now).is_ok());
        open.take(limit).map(|order| self.order_view(order)).collect()
    }

    /// The latest refunds, newest first, at most `limit`.
    pub(crate) fn latest_refunds(&self, limit: usize) -> Vec<control::Refund> {
        self.refunds.newest_first().take(limit).map(|refund| self.refund_view(refund)).collect()
    }

    /// A refund as the control API shows it.
    pub(crate) fn refund_view(&self, refund: &Refund) -> control::Refund {
        let order = self.order(refund.order);
        control::Refund {
            merchant: order.merchant.to_string(),
            out_trade_no: order.out_trade_no.clone(),
            out_refund_no: refund.out_refund_no.clone(),
            refund_id: refund.refund_id.clone(),
            amount_fen: refund.amount.get(),
            state: refund.state(),
            source: refund.source,
            created_at: refund.created_at,
            settled_at: refund.succeeded_at(),
            requests: refund.requests,
        }
    }

    fn callback_view(&self, id: CallbackId) -> control::Callback {
        let callback: &Callback = self.callback(id);
        let order = self.order(callback.order);
        let (kind, url) = match callback.about {
            About::Payment => (CallbackKind::Payment, &order.notify_url),
            About::Refund { id, state, .. } => {
                let refund = self.refund(id);
                (CallbackKind::Refund { out_refund_no: refund.out_refund_no.clone(), state }, &refund.notify_url)
            }
        };
        control::Callback {
            kind,
            id: id.number(),
            merchant: order.merchant.to_string(),
            out_trade_no: order.out_trade_no.clone(),
            transaction_id: order.payment.as_ref().map(|payment| payment.transaction_id.clone()).unwrap_or_default(),
            url: url.clone(),
            state: callback.state,
            next_attempt_at: callback.next_at,
            attempts: callback.attempts.clone(),
        }
    }

    /// An order as the control API shows it.
    pub(crate) fn order_view(&self, order: &Order) -> control::Order {
        control::Order {
            merchant: order.merchant.to_string(),
            mch_id: order.mch_id.clone(),
            app_id: order.sub_app_id().unwrap_or(&order.app_id).to_owned(),
            sub_mch_id: order.sub_mch_id().map(str::to_owned),
            service_provider_app_id: order.sub_mch_id().map(|_| order.app_id.clone()),
            out_trade_no: order.out_trade_no.clone(),
            amount_fen: order.amount.get(),
            fee_type: order.fee_type.clone(),
            description: order.ordered("body").unwrap_or_default().to_owned(),
            trade_type: order.trade_type.clone(),
            sign_type: order.sign_type.to_string(),
            notify_url: order.notify_url.clone(),
            trade_state: order.trade_state().as_str().to_owned(),
            created_at: order.created_at,
            expires_at: order.expires_at,
            closed_at: order.closed_at,
            reversed_at: order.reversal.as_ref().map(|reversal| reversal.at),
            prepays: order.prepays,
            payment: order.payment.as_ref().map(|payment| control::Payment {
                transaction_id: payment.transaction_id.clone(),
                amount_fen: payment.amount.get(),
                fee_type: payment.fee_type.clone(),
                app_id: order.paying_app_id(payment).to_owned(),
                paid_at: payment.paid_at,
            }),
            refunds: self.refunds_of(order).map(|refund| self.refund_view(refund)).collect(),
        }
    }
}

//! Prepay ids: what opens the cashier of an order, and for how long.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::{Ledger, Order, OrderId, PaymentRefused, order::PREPAY_LIFE};
use crate::{control, ids};

/// Prepay ids kept; the oldest is forgotten first.
const MAX_PREPAYS: usize = 200_000;

/// The link of an H5 payment opens the cashier for five minutes.
const H5_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// What the text of a QR code begins with.
pub(crate) const CODE_URL: &str = "weixin://wxpay/bizpayurl?pr=";

/// One prepay id.
#[expect(clippy::struct_field_names, reason = "`prepay_id` is WeChat's word for it")]
#[derive(Clone, Debug)]
pub(crate) struct Prepay {
    pub(crate) order: OrderId,
    pub(crate) prepay_id: String,
    pub(crate) issued_at: Timestamp,
    /// The opaque part of `code_url`.
    pub(crate) code: String,
    /// The opaque part of `mweb_url`, beside the id.
    pub(crate) package: u32,
}

impl Prepay {
    /// The text of the QR code.
    pub(crate) fn code_url(&self) -> String {
        format!("{CODE_URL}{}", self.code)
    }

    /// Whether the link of an H5 payment still opens the cashier.
    pub(crate) fn is_fresh_link(&self, now: Timestamp) -> bool {
        now < self.issued_at + H5_LIFE
    }
}

/// An order that somebody can pay now, with what opens its cashier.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) order: control::Order,
    pub(crate) prepay: Prepay,
}

/// The prepay ids of one sandbox.
#[derive(Debug, Default)]
pub(super) struct Prepays {
    by_id: HashMap<String, Prepay>,
    /// By the opaque part of `code_url`.
    by_code: HashMap<String, String>,
    /// The latest of each order.
    latest: HashMap<OrderId, String>,
    /// In the order they were issued.
    issued: VecDeque<String>,
    /// Whose scan an order was placed for.
    scanned_by: HashMap<OrderId, String>,
}

impl Ledger {
    /// Issues another prepay id of an order.
    pub(crate) fn issue(&mut self, order: OrderId, now: Timestamp) -> Prepay {
        let prepays = &mut self.prepays;
        if prepays.issued.len() == MAX_PREPAYS
            && let Some(oldest) = prepays.issued.pop_front().and_then(|id| prepays.by_id.remove(&id))
        {
            prepays.by_code.remove(&oldest.code);
        }
        let mut code = ids::code_token();
        while prepays.by_code.contains_key(&code) {
            code = ids::code_token();
        }
        let (prepay_id, package) = (ids::prepay_id(now), fastrand::u32(..));
        let prepay = Prepay { order, prepay_id: prepay_id.clone(), issued_at: now, code: code.clone(), package };
        prepays.by_code.insert(code, prepay_id.clone());
        prepays.latest.insert(order, prepay_id.clone());
        prepays.issued.push_back(prepay_id.clone());
        prepays.by_id.insert(prepay_id, prepay.clone());
        prepay
    }

    /// The prepay id of this text.
    pub(crate) fn prepay(&self, prepay_id: &str) -> Option<&Prepay> {
        self.prepays.by_id.get(prepay_id)
    }

    /// The prepay id behind a QR code of a `NATIVE` order.
    pub(crate) fn prepay_of_code(&self, code_url: &str) -> Option<&Prepay> {
        let id = self.prepays.by_code.get(code_url.strip_prefix(CODE_URL)?)?;
        self.prepay(id).filter(|prepay| self.order(prepay.order).trade_type == "NATIVE")
    }

    /// Whether a prepay id opens the cashier now.
    ///
    /// # Errors
    /// [`PaymentRefused`] when it does not.
    pub(crate) fn openable(&self, prepay: &Prepay, now: Timestamp) -> Result<&Order, PaymentRefused> {
        let order = self.order(prepay.order);
        order.payable(now)?;
        if prepay.issued_at + PREPAY_LIFE <= now { Err(PaymentRefused::PrepayStale) } else { Ok(order) }
    }

    /// Orders whose cashier can be opened, newest first, at most `limit`.
    pub(crate) fn latest_openable(&self, now: Timestamp, limit: usize) -> Vec<Open> {
        let open = self.orders.iter().enumerate().rev().filter(|(_, order)| order.payable(now).is_ok());
        let open = open.filter_map(|(at, order)| {
            let prepay = self.prepay(self.prepays.latest.get(&OrderId(at))?)?;
            Some(Open { order: self.order_view(order), prepay: prepay.clone() })
        });
        open.take(limit).collect()
    }

    /// The order was placed because this user scanned a code.
    pub(crate) fn scanned(&mut self, order: OrderId, openid: &str) {
        self.prepays.scanned_by.insert(order, openid.to_owned());
    }

    /// Who will pay an order, as far as that is certain, under the app that ordered.
    pub(crate) fn payer(&self, id: OrderId) -> Option<String> {
        self.order(id).payer().or_else(|| self.prepays.scanned_by.get(&id).cloned())
    }
}

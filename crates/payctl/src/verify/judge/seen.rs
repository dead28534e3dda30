//! The evidence by the numbers under which one looks for it.

use std::collections::{BTreeMap, HashMap, HashSet};

use proto::event::PaymentPaid;
use sandbox::control::{Order as LedgerOrder, Payment as LedgerPayment, Refund as LedgerRefund, RefundSource};
use uuid::Uuid;

use crate::verify::{Allowed, ChangeRow, Evidence, Fact, News, OrderRow, PaymentRow, RefundRow, fact::number_id};

pub(super) struct Seen<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) allowed: Allowed,
    pub(super) orders: HashMap<Uuid, &'a OrderRow>,
    pub(super) payments: HashMap<Uuid, &'a PaymentRow>,
    pub(super) refunds: HashMap<Uuid, &'a RefundRow>,
    /// Refunds that were made in the provider's console, by their number.
    external: HashMap<&'a str, &'a RefundRow>,
    payments_of: HashMap<Uuid, Vec<&'a PaymentRow>>,
    refunds_of: HashMap<Uuid, Vec<&'a RefundRow>>,
    /// The provider's orders by merchant and number.
    ledger: HashMap<(&'a str, &'a str), &'a LedgerOrder>,
    /// The provider's refunds by merchant and number, with what they give back.
    ledger_refunds: HashMap<(&'a str, &'a str), (&'a LedgerOrder, &'a LedgerRefund)>,
    pay: BTreeMap<&'a str, Vec<&'a Fact>>,
    order_facts: HashMap<&'a str, &'a Fact>,
    dead_ids: HashSet<&'a str>,
    dead_places: HashSet<(&'a str, u64)>,
    /// Refunds whose money once bounced.
    abnormal_once: HashSet<Uuid>,
}

impl<'a> Seen<'a> {
    pub(super) fn of(evidence: &'a Evidence, allowed: Allowed) -> Self {
        let refunds = || evidence.refunds.iter().flatten();
        let ledger = || evidence.ledger.iter().flat_map(|ledger| &ledger.orders);
        let mut seen = Self {
            evidence,
            allowed,
            orders: evidence.orders.iter().map(|order| (order.order_id, order)).collect(),
            payments: evidence.payments.iter().map(|payment| (payment.payment_id, payment)).collect(),
            refunds: refunds().map(|refund| (refund.refund_id, refund)).collect(),
            external: refunds().filter_map(|refund| Some((refund.external_no.as_deref()?, refund))).collect(),
            payments_of: HashMap::new(),
            refunds_of: HashMap::new(),
            ledger: ledger().map(|order| ((order.merchant.as_str(), order.out_trade_no.as_str()), order)).collect(),
            ledger_refunds: HashMap::new(),
            pay: BTreeMap::new(),
            order_facts: evidence.order.iter().map(|fact| (fact.id.as_str(), fact)).collect(),
            dead_ids: evidence.dead.iter().map(|letter| letter.id.as_str()).collect(),
            dead_places: evidence.dead.iter().map(|letter| (letter.subject.as_str(), letter.sequence)).collect(),
            abnormal_once: evidence.journal.iter().flat_map(|journal| &journal.changes).filter_map(bounced).collect(),
        };
        for payment in &evidence.payments {
            seen.payments_of.entry(payment.order_id).or_default().push(payment);
        }
        for refund in refunds() {
            seen.refunds_of.entry(refund.payment_id).or_default().push(refund);
        }
        for order in ledger() {
            for refund in &order.refunds {
                let key = (order.merchant.as_str(), refund.out_refund_no.as_str());
                seen.ledger_refunds.insert(key, (order, refund));
            }
        }
        for fact in &evidence.pay {
            seen.pay.entry(fact.id.as_str()).or_default().push(fact);
        }
        seen
    }

    /// Every refund; none when the database knows no refunds.
    pub(super) fn all_refunds(&self) -> impl Iterator<Item = &'a RefundRow> + use<'a> {
        self.evidence.refunds.iter().flatten()
    }

    /// What is done to pay an order.
    pub(super) fn payments_of(&self, order: Uuid) -> &[&'a PaymentRow] {
        self.payments_of.get(&order).map_or(&[], Vec::as_slice)
    }

    /// What goes back of a payment.
    pub(super) fn refunds_of(&self, payment: Uuid) -> &[&'a RefundRow] {
        self.refunds_of.get(&payment).map_or(&[], Vec::as_slice)
    }

    /// The payment that an order keeps.
    pub(super) fn kept_by(&self, order: Uuid) -> Option<&'a PaymentRow> {
        self.payments_of(order).iter().find(|payment| payment.is_kept()).copied()
    }

    /// Our payment of that number.
    pub(super) fn numbered(&self, out_trade_no: &str) -> Option<&'a PaymentRow> {
        self.payments.get(&number_id(out_trade_no)?).copied()
    }

    /// The refund of that number: ours, or one of the provider's console that is in our books.
    pub(super) fn refund_numbered(&self, out_refund_no: &str) -> Option<&'a RefundRow> {
        let ours = number_id(out_refund_no).and_then(|id| self.refunds.get(&id));
        let ours = ours.filter(|refund| refund.external_no.is_none());
        ours.or_else(|| self.external.get(out_refund_no)).copied()
    }

    /// Whether our books must have a refund of the provider's: what a person gave back in the merchant platform is reconciliation's
    /// to find; once it is here, it is as any other.
    pub(super) fn is_to_be_known(&self, refund: &LedgerRefund) -> bool {
        refund.source == RefundSource::Api || self.refund_numbered(&refund.out_refund_no).is_some()
    }

    /// What the provider has under a number.
    pub(super) fn at_provider(&self, merchant: &str, out_trade_no: &str) -> Option<&'a LedgerOrder> {
        self.ledger.get(&(merchant, out_trade_no)).copied()
    }

    /// What the provider says was paid under a number.
    pub(super) fn paid(&self, merchant: &str, out_trade_no: &str) -> Option<(&'a LedgerOrder, &'a LedgerPayment)> {
        let order = self.at_provider(merchant, out_trade_no)?;
        Some((order, order.payment.as_ref()?))
    }

    /// Whether the provider says that it has taken a payment back; false when nobody shows its ledger.
    pub(super) fn is_reversed(&self, payment: &PaymentRow) -> bool {
        self.at_provider(&payment.merchant, &payment.out_trade_no()).is_some_and(is_reversed)
    }

    /// What the provider has of a refund.
    pub(super) fn refund_at_provider(
        &self,
        merchant: &str,
        out_refund_no: &str,
    ) -> Option<(&'a LedgerOrder, &'a LedgerRefund)> {
        self.ledger_refunds.get(&(merchant, out_refund_no)).copied()
    }

    /// Whether the provider's fact of this id is on the bus, or a hint whose id goes on after it.
    pub(super) fn is_told(&self, id: &str) -> bool {
        let first = self.pay.range(id..).next();
        first
            .is_some_and(|(told, _)| told.strip_prefix(id).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
    }

    /// Facts of the provider by their id; more than one when it was told again much later.
    pub(super) fn pay_facts(&self, id: &str) -> &[&'a Fact] {
        self.pay.get(id).map_or(&[], Vec::as_slice)
    }

    /// Every paid fact.
    pub(super) fn paid_facts(&self) -> impl Iterator<Item = (&'a Fact, &'a PaymentPaid)> + use<'a> {
        self.evidence.pay.iter().filter_map(|fact| match &fact.news {
            News::PaymentPaid(paid) => Some((fact, paid.as_ref())),
            _ => None,
        })
    }

    /// A fact of order-svc.
    pub(super) fn order_fact(&self, id: &str) -> Option<&'a News> {
        self.order_facts.get(id).map(|fact| &fact.news)
    }

    /// Whether somebody refused a fact aloud, whoever it was and whatever copy of it.
    pub(super) fn is_dead(&self, fact_id: &str) -> bool {
        self.dead_ids.contains(fact_id)
    }

    /// Whether somebody refused this very message aloud.
    pub(super) fn is_dead_message(&self, fact: &Fact) -> bool {
        self.is_dead(&fact.id) || self.dead_places.contains(&(fact.subject.as_str(), fact.sequence))
    }

    /// Whether the money of a refund bounced, now or once.
    pub(super) fn has_bounced(&self, refund: &RefundRow) -> bool {
        refund.state == "ABNORMAL" || self.abnormal_once.contains(&refund.refund_id)
    }
}

fn bounced(change: &ChangeRow) -> Option<Uuid> {
    (change.entity == "refund" && change.to_state == "ABNORMAL").then_some(change.id)
}

/// Whether a charge was taken back: its payment is money that went back in full.
pub(super) fn is_reversed(order: &LedgerOrder) -> bool {
    order.trade_state == "REVOKED"
}

/// A sum of money that cannot overflow.
pub(super) fn sum(amounts: impl Iterator<Item = i64>) -> i128 {
    amounts.map(i128::from).sum()
}

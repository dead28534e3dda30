//! The promises as rules. Each says what it found wrong, one sentence per thing.

use std::collections::{BTreeMap, BTreeSet};

use proto::event::{OrderClosed, OrderPaid, PaymentPaid, PaymentSurplus};
use sandbox::control::{AnswerClass, CallbackKind, Order as LedgerOrder, Payment as LedgerPayment};
use uuid::Uuid;

use super::{Allowed, Evidence, OrderRow, PaymentRow};
use crate::streams::Fact;

/// The fault that signs another content rightly: whoever takes it was deceived by the key, not by us.
const REWRITTEN: &str = "rewrite";

/// Everything that is wrong, one sentence each; nothing when the promises are kept.
pub fn judge(evidence: &Evidence, allowed: Allowed) -> Vec<String> {
    let mut wrong = Vec::new();
    let seen = Seen::of(evidence);
    wrong.extend(evidence.payments.iter().filter_map(|payment| seen.believed_without_money(payment)));
    wrong.extend(evidence.orders.iter().flat_map(|order| seen.order_disagrees(order)));
    wrong.extend(evidence.pay.iter().filter_map(|fact| seen.told_without_money(fact)));
    wrong.extend(seen.forgeries_believed());
    if evidence.applied {
        wrong.extend(
            seen.ledger.values().filter_map(|order| seen.money_missing(order, order.payment.as_ref()?, allowed)),
        );
        wrong.extend(evidence.orders.iter().flat_map(|order| seen.order_untold(order)));
        wrong.extend(evidence.payments.iter().flat_map(|payment| seen.payment_untold(payment)));
    }
    wrong.extend(seen.told_twice());
    wrong.extend(seen.books_disagree());
    if evidence.dead.len() != allowed.dead_letters {
        let reasons: Vec<_> = evidence.dead.iter().map(|dead| dead.header("tongbao-dead-reason")).collect();
        wrong.push(format!("{} dead letters instead of {}: {reasons:?}", evidence.dead.len(), allowed.dead_letters));
    }
    wrong
}

/// The evidence by the numbers under which one looks for it.
struct Seen<'a> {
    evidence: &'a Evidence,
    /// WeChat's orders by merchant and number.
    ledger: BTreeMap<(String, String), &'a LedgerOrder>,
    orders: BTreeMap<Uuid, &'a OrderRow>,
    /// Our attempts by their numbers.
    payments: BTreeMap<String, &'a PaymentRow>,
    pay_ids: BTreeSet<&'a str>,
    order_facts: BTreeMap<&'a str, &'a Fact>,
    dead_ids: BTreeSet<&'a str>,
}

impl<'a> Seen<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        let ledger = evidence.ledger.orders.iter();
        let key = |order: &LedgerOrder| (order.merchant.clone(), order.out_trade_no.clone());
        Self {
            evidence,
            ledger: ledger.map(|order| (key(order), order)).collect(),
            orders: evidence.orders.iter().map(|order| (order.order_id, order)).collect(),
            payments: evidence.payments.iter().map(|payment| (payment.out_trade_no(), payment)).collect(),
            pay_ids: evidence.pay.iter().map(|fact| fact.id.as_str()).collect(),
            order_facts: evidence.order.iter().map(|fact| (fact.id.as_str(), fact)).collect(),
            dead_ids: evidence.dead.iter().map(|fact| fact.id.as_str()).collect(),
        }
    }

    /// What WeChat says was paid under a number.
    fn paid(&self, merchant: &str, out_trade_no: &str) -> Option<(&'a LedgerOrder, &'a LedgerPayment)> {
        let order = self.at_wechat(merchant, out_trade_no)?;
        Some((order, order.payment.as_ref()?))
    }

    fn at_wechat(&self, merchant: &str, out_trade_no: &str) -> Option<&'a LedgerOrder> {
        self.ledger.get(&(merchant.to_owned(), out_trade_no.to_owned())).copied()
    }

    /// No SUCCEEDED without money that agrees in every field.
    fn believed_without_money(&self, payment: &PaymentRow) -> Option<String> {
        let number = payment.out_trade_no();
        if payment.state != "SUCCEEDED" {
            return None;
        }
        let Some((order, paid)) = self.paid(&payment.merchant, &number) else {
            return Some(format!("{number} is SUCCEEDED, but WeChat has no payment of it"));
        };
        let agrees = payment.transaction_id.as_deref() == Some(paid.transaction_id.as_str())
            && payment.amount_fen == paid.amount_fen
            && payment.app_id == paid.app_id
            && payment.mch_id == order.mch_id
            && payment.paid_time.0 == Some(paid.paid_at)
            && paid.fee_type == "CNY";
        (!agrees).then(|| {
            format!("{number} is SUCCEEDED with other content than WeChat's: {payment:?}, WeChat has {paid:?}")
        })
    }

    /// No money without a SUCCEEDED attempt, unless it is not what was asked for.
    fn money_missing(&self, order: &LedgerOrder, paid: &LedgerPayment, allowed: Allowed) -> Option<String> {
        let number = &order.out_trade_no;
        let Some(payment) = self.payments.get(number) else {
            return Some(format!("WeChat has a payment of {number}, which was never written down here"));
        };
        let as_asked = paid.amount_fen == payment.amount_fen && paid.app_id == payment.app_id && paid.fee_type == "CNY";
        let known = payment.state == "SUCCEEDED";
        let fact = format!("paid:{}:{}:{}", payment.provider, order.mch_id, paid.transaction_id);
        if !as_asked && !allowed.unsettled && !self.dead_ids.contains(fact.as_str()) {
            return Some(format!(
                "{number} was paid with other content than asked for, and there is no dead letter of it"
            ));
        }
        (as_asked && !known && !allowed.unsettled)
            .then(|| format!("{number} was paid at WeChat ({}), but is {} here", paid.transaction_id, payment.state))
    }

    /// An order agrees with its attempts.
    fn order_disagrees(&self, order: &OrderRow) -> Vec<String> {
        let (id, mut wrong) = (order.order_id, Vec::new());
        let own = || self.evidence.payments.iter().filter(move |payment| payment.order_id == id);
        let kept: Vec<_> = own().filter(|payment| payment.state == "SUCCEEDED" && !payment.surplus).collect();
        match (order.state.as_str(), kept.as_slice()) {
            ("PAID", [kept]) => {
                if order.paid_payment_id != Some(kept.payment_id) || kept.amount_fen != order.amount_fen {
                    wrong.push(format!("order {id} is PAID, but not by the payment that it keeps"));
                }
            }
            ("PAID", kept) => wrong.push(format!("order {id} is PAID and keeps {} payments", kept.len())),
            (_, []) => {}
            (state, kept) => wrong.push(format!("order {id} is {state} and keeps {} payments", kept.len())),
        }
        for payment in own() {
            let number = payment.out_trade_no();
            let open = matches!(payment.state.as_str(), "CREATED" | "PENDING") && !payment.disputed;
            if order.state == "CLOSED" && open {
                wrong.push(format!("order {id} is CLOSED, but its attempt {number} is {}", payment.state));
            }
            let at_wechat = self.at_wechat(&payment.merchant, &number);
            if payment.state == "CLOSED" && at_wechat.is_some_and(|order| order.trade_state == "NOTPAY") {
                wrong.push(format!("{number} is CLOSED here, but WeChat would still take money for it"));
            }
        }
        wrong
    }

    /// What became of an order was told, with the right content.
    fn order_untold(&self, order: &OrderRow) -> Vec<String> {
        let (id, mut wrong) = (order.order_id, Vec::new());
        if !self.order_facts.contains_key(format!("created:{id}").as_str()) {
            wrong.push(format!("nobody was told that order {id} was created"));
        }
        let paid = self.order_facts.get(format!("paid:{id}").as_str());
        match (order.state == "PAID", paid.map(|fact| fact.event::<OrderPaid>())) {
            (true, None) => wrong.push(format!("order {id} is PAID, and nobody was told")),
            (false, Some(_)) => wrong.push(format!("order {id} was told as paid, and is {}", order.state)),
            (true, Some(told)) => {
                let payment = order.paid_payment_id.and_then(|id| self.payments.get(&id.simple().to_string()));
                let agrees = payment.is_some_and(|payment| {
                    told.out_trade_no == payment.out_trade_no()
                        && Some(&told.transaction_id) == payment.transaction_id.as_ref()
                        && told.amount_fen == payment.amount_fen
                        && told.merchant == order.merchant
                });
                if !agrees {
                    wrong.push(format!("order {id} was told as paid with other content: {told:?}"));
                }
            }
            (false, None) => {}
        }
        let closed = self.order_facts.get(format!("closed:{id}").as_str());
        match (order.state == "CLOSED", closed.map(|fact| fact.event::<OrderClosed>())) {
            (true, None) => wrong.push(format!("order {id} is CLOSED, and nobody was told")),
            (false, Some(_)) => wrong.push(format!("order {id} was told as closed, and is {}", order.state)),
            (true, Some(told)) if told.amount_fen != order.amount_fen => {
                wrong.push(format!("order {id} was told as closed with other content: {told:?}"));
            }
            (true, Some(_)) | (false, None) => {}
        }
        wrong
    }

    /// What became of an attempt was told.
    fn payment_untold(&self, payment: &PaymentRow) -> Vec<String> {
        let (id, number, mut wrong) = (payment.payment_id, payment.out_trade_no(), Vec::new());
        if !self.order_facts.contains_key(format!("payment-created:{id}").as_str()) {
            wrong.push(format!("nobody was told that {number} was written"));
        }
        let surplus = self.order_facts.get(format!("surplus:{id}").as_str());
        match (payment.surplus, surplus.map(|fact| fact.event::<PaymentSurplus>())) {
            (true, None) => wrong.push(format!("{number} is a surplus, and nobody was told")),
            (false, Some(_)) => wrong.push(format!("{number} was told as a surplus, and is none")),
            (true, Some(told)) if told.amount_fen != payment.amount_fen => {
                wrong.push(format!("{number} was told as a surplus with other content: {told:?}"));
            }
            (true, Some(_)) | (false, None) => {}
        }
        if let Some(transaction_id) = &payment.transaction_id
            && !self.pay_ids.contains(format!("paid:{}:{}:{transaction_id}", payment.provider, payment.mch_id).as_str())
        {
            wrong.push(format!("{number} is {}, and its fact is not on the bus", payment.state));
        }
        if !self.orders.contains_key(&payment.order_id) {
            wrong.push(format!("{number} has no order"));
        }
        wrong
    }

    /// Nothing on the bus that WeChat does not know, unless somebody refused it aloud.
    fn told_without_money(&self, fact: &Fact) -> Option<String> {
        if !fact.subject.starts_with("pay.v1.payment.paid.") || self.dead_ids.contains(fact.id.as_str()) {
            return None;
        }
        let told: PaymentPaid = fact.event();
        let agrees = self.paid(&told.merchant, &told.out_trade_no).is_some_and(|(order, paid)| {
            told.transaction_id == paid.transaction_id
                && told.amount_fen == paid.amount_fen
                && told.currency == paid.fee_type
                && told.app_id == paid.app_id
                && told.mch_id == order.mch_id
        });
        (!agrees).then(|| format!("the bus says {}, which WeChat does not know: {told:?}", fact.id))
    }

    /// Success was answered to genuine attempts only, and what was answered with success is on the bus.
    fn forgeries_believed(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        // What tells of a refund is no evidence for anything, so success may be answered to a false one, too.
        let payments = self.evidence.ledger.callbacks.iter().filter(|callback| callback.kind == CallbackKind::Payment);
        for callback in payments {
            let number = &callback.out_trade_no;
            for attempt in callback.attempts.iter().filter(|attempt| attempt.answer == AnswerClass::Accepted) {
                let fault = attempt.fault.as_deref().unwrap_or("none");
                if !attempt.genuine && fault != REWRITTEN {
                    wrong.push(format!("a callback of {number} was believed that is not WeChat's (fault: {fault})"));
                }
                // Providers of the sandbox are all WeChat v2.
                let mch_id = self.at_wechat(&callback.merchant, number).map_or("", |order| order.mch_id.as_str());
                let fact = format!("paid:wechat-v2:{mch_id}:{}", callback.transaction_id);
                if attempt.genuine && !self.pay_ids.contains(fact.as_str()) {
                    wrong.push(format!(
                        "a callback of {number} was answered with success, and {fact} is not on the bus"
                    ));
                }
            }
        }
        wrong
    }

    /// One fact, one message. The streams see to it within their duplicate window, which is longer than any story.
    fn told_twice(&self) -> Vec<String> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for fact in self.evidence.pay.iter().chain(&self.evidence.order) {
            *counts.entry(fact.id.as_str()).or_default() += 1;
        }
        let twice = counts.into_iter().filter(|(_, count)| *count != 1);
        twice.map(|(id, count)| format!("{id} is {count} times on the bus")).collect()
    }

    /// The books of reconcile-svc hold what order-svc accepted and what the provider told, no more and no less.
    fn books_disagree(&self) -> Vec<String> {
        let (Some(books), mut wrong) = (&self.evidence.books, Vec::new()) else { return Vec::new() };
        let taken: BTreeSet<_> = books
            .taken
            .iter()
            .map(|row| (row.out_trade_no.clone(), row.transaction_id.as_str(), row.amount_fen, row.kept_as.as_str()))
            .collect();
        let succeeded: BTreeSet<_> = self
            .evidence
            .payments
            .iter()
            .filter_map(|payment| {
                let kept_as = if payment.surplus { "SURPLUS" } else { "PAID" };
                Some((payment.out_trade_no(), payment.transaction_id.as_deref()?, payment.amount_fen, kept_as))
            })
            .collect();
        if self.evidence.applied && taken != succeeded {
            wrong.push(format!("the books hold as taken {taken:?}, and order-svc took {succeeded:?}"));
        }
        let told: BTreeSet<_> = books.told.iter().map(|row| (row.transaction_id.clone(), row.amount_fen)).collect();
        let facts = self.evidence.pay.iter().filter(|fact| fact.subject.starts_with("pay.v1.payment.paid."));
        let facts = facts.map(Fact::event::<PaymentPaid>).map(|paid| (paid.transaction_id, paid.amount_fen));
        let facts: BTreeSet<_> = facts.collect();
        if told != facts {
            wrong.push(format!("the books hold as told {told:?}, and the bus says {facts:?}"));
        }
        wrong
    }
}

#[cfg(test)]
mod tests;

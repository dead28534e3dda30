//! Paid facts meet the orders: one transaction for a whole batch.

pub mod at_once;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proto::event::PaymentPaid;
use sqlx::PgConnection;
use svc_kit::outbox::{self, Sealed};
use uuid::Uuid;

use crate::{
    config::PROCESS,
    domain::{
        OrderId, PaymentId,
        order::{self, Order},
        payment::{self, Payment},
        settle::{Mismatch, Paid, Settled, settle},
    },
    events::{self, NotAFact},
    store::{asking, column, orders, payments, settling},
};

/// What a fact did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Applied, or known before.
    Settled(Settled),
    /// It can never be applied; nothing changed but a note that a person must look.
    Dead(Dead),
}

/// Why a fact can never be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Dead {
    /// It is not evidence at all.
    #[error(transparent)]
    NotAFact(#[from] NotAFact),
    /// We never wrote an attempt of that number; it is written before anything is sent.
    #[error("no payment of ours has this out_trade_no")]
    UnknownPayment,
    /// It is evidence for something else than we asked for.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

impl Dead {
    /// For metrics.
    pub fn word(self) -> &'static str {
        match self {
            Dead::NotAFact(_) => "not_a_fact",
            Dead::UnknownPayment => "unknown_payment",
            Dead::Mismatch(mismatch) => mismatch.word(),
        }
    }
}

/// Applies facts in their order, inside the caller's transaction. One verdict per fact. `asked_too_late` says that they answer a
/// question that was asked after the provider had said that it takes the attempt back no more.
pub async fn settle_all(
    tx: &mut PgConnection,
    facts: impl IntoIterator<Item = &PaymentPaid>,
    now: Timestamp,
    asked_too_late: bool,
) -> sqlx::Result<Vec<Verdict>> {
    let evidence: Vec<_> = facts.into_iter().map(events::evidence).collect();
    let ids: Vec<_> = evidence.iter().flatten().map(|(id, _)| id.0).collect();
    let mut books = Books::open(tx, &ids).await?;
    let mut verdicts = Vec::with_capacity(evidence.len());
    for evidence in evidence {
        verdicts.push(match evidence {
            Err(not_a_fact) => Verdict::Dead(not_a_fact.into()),
            Ok((id, paid)) => books.settle(id, &Paid { asked_too_late, ..paid }),
        });
    }
    books.write(tx, now).await?;
    Ok(verdicts)
}

/// The orders that a batch touches, locked, with all their attempts.
struct Books {
    orders: BTreeMap<OrderId, Order>,
    payments: BTreeMap<PaymentId, Payment>,
    /// How many of them each order has.
    attempts: BTreeMap<OrderId, usize>,
    /// What each fact changed, with the order as it was after it: each change is a version of its own.
    settled: Vec<(PaymentId, Settled, Order)>,
    disputed: BTreeSet<PaymentId>,
}

impl Books {
    async fn open(tx: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Self> {
        let orders = orders::lock_of(tx, ids).await?;
        let payments = payments::of_orders(tx, &column(&orders, |order| order.id)).await?;
        let mut attempts = BTreeMap::<_, usize>::new();
        for payment in &payments {
            *attempts.entry(payment.order_id).or_default() += 1;
        }
        Ok(Self {
            orders: orders.into_iter().map(|order| (order.id, order)).collect(),
            payments: payments.into_iter().map(|payment| (payment.id, payment)).collect(),
            attempts,
            settled: Vec::new(),
            disputed: BTreeSet::new(),
        })
    }

    fn settle(&mut self, id: PaymentId, paid: &Paid) -> Verdict {
        let Some(payment) = self.payments.get_mut(&id) else { return Verdict::Dead(Dead::UnknownPayment) };
        let Some(order) = self.orders.get_mut(&payment.order_id) else {
            // Both were read in this transaction, and neither is ever deleted.
            return Verdict::Dead(Dead::UnknownPayment);
        };
        match settle(order, payment, paid) {
            Ok(settled) => {
                if settled != Settled::Unchanged {
                    self.settled.push((id, settled, order.clone()));
                }
                Verdict::Settled(settled)
            }
            Err(mismatch) => {
                // Only the payment's own account can dispute it; a stranger's word must not stop our asking. What is being taken
                // back goes back, whatever was paid, and of what has ended nobody asks.
                let own_account = paid.merchant == payment.merchant && paid.mch_id == payment.mch_id;
                if own_account && payment.state.is_open() && payment.reversing.is_none() {
                    self.disputed.insert(id);
                }
                Verdict::Dead(mismatch.into())
            }
        }
    }

    async fn write(self, tx: &mut PgConnection, now: Timestamp) -> sqlx::Result<()> {
        let (mut rounds, mut soon, mut told) = (Rounds::default(), BTreeSet::new(), Vec::new());
        for (id, settled, order) in &self.settled {
            let payment = &self.payments[id];
            if *settled == Settled::Reversing {
                // It is looked at now: perhaps it must be taken back once more.
                soon.insert(order.id);
                continue;
            }
            let payment::State::Succeeded { transaction_id, at, .. } = &payment.state else {
                continue; // Settled payments have succeeded; there is no other way into this list.
            };
            rounds.add(payment, order);
            match settled {
                Settled::Kept => {
                    // Nobody shall pay the other attempts now: they are asked about and closed as soon as may be.
                    if self.attempts.get(&order.id).is_some_and(|attempts| 1 < *attempts) {
                        soon.insert(order.id);
                    }
                    told.push(Sealed::of(&events::order_paid(order, payment, transaction_id, *at), PROCESS)?);
                }
                Settled::Surplus => {
                    told.push(Sealed::of(&events::payment_surplus(order, payment, transaction_id, *at), PROCESS)?);
                }
                Settled::Reversing | Settled::Unchanged => {}
            }
        }
        for round in &rounds.written {
            settling::write(tx, round).await?;
        }
        asking::ask_soon(tx, &Vec::from_iter(soon), now).await?;
        outbox::enqueue_sealed(tx, &told).await?;
        payments::dispute(tx, &Vec::from_iter(self.disputed), now).await
    }
}

/// Changes that can be written together: round `n` holds the `n`th change of each order, because a statement writes a row once
/// while each change is a version of its own. Nearly always there is one round.
#[derive(Default)]
struct Rounds<'a> {
    written: Vec<Vec<(&'a Payment, &'a Order)>>,
    changes: BTreeMap<OrderId, usize>,
}

impl<'a> Rounds<'a> {
    /// Adds a change behind the others of its order.
    fn add(&mut self, payment: &'a Payment, order: &'a Order) {
        let round = self.changes.entry(order.id).or_default();
        if *round == self.written.len() {
            self.written.push(<_>::default());
        }
        self.written[*round].push((payment, order));
        *round += 1;
    }
}

/// Logs and counts what a fact did, once that is committed.
pub fn tell(fact: &PaymentPaid, verdict: &Verdict, measured: &crate::measures::Measured) {
    match verdict {
        Verdict::Settled(Settled::Kept) => {
            measured.settled("kept");
            tracing::info!(out_trade_no = fact.out_trade_no, transaction_id = fact.transaction_id, "order paid");
        }
        Verdict::Settled(Settled::Surplus) => {
            measured.settled("surplus");
            tracing::warn!(
                out_trade_no = fact.out_trade_no,
                transaction_id = fact.transaction_id,
                amount_fen = fact.amount_fen,
                "surplus: money came that its order cannot keep"
            );
        }
        Verdict::Settled(Settled::Unchanged) => measured.settled("unchanged"),
        Verdict::Settled(Settled::Reversing) => {
            measured.settled("reversing");
            tracing::warn!(
                out_trade_no = fact.out_trade_no,
                transaction_id = fact.transaction_id,
                amount_fen = fact.amount_fen,
                "a charge was paid that is taken back: the money goes back at the provider"
            );
        }
        Verdict::Dead(dead) => {
            measured.mismatched(dead.word());
            tracing::error!(
                out_trade_no = fact.out_trade_no,
                transaction_id = fact.transaction_id,
                merchant = fact.merchant,
                reason = dead.word(),
                "paid fact refused: {dead}"
            );
        }
    }
}

/// What an order's state is worth to whoever attends to its attempts.
pub fn is_over(order: &Order) -> bool {
    match order.state {
        order::State::Pending => false,
        order::State::Paid { .. } | order::State::Closed { .. } => true,
    }
}

//! Money goes back: what may be reserved, and what the provider's word about a refund changes. Pure, like `settle`.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use money::Fen;

use super::{
    RefundId,
    carried::RefundGoodsItem,
    order::{self, Order, Refunded},
    payment::{self, Payment},
    refund::{Cause, Refund, State, Waiting},
};

/// Refunds of one payment. Source: WeChat Pay v2 reference, refund: at most 50 partial refunds per order.
pub const MAX_REFUNDS: usize = 50;

/// So often the provider may give up a surplus refund that it had accepted, before a person looks.
const MOST_CLOSED: usize = 3;

/// Why a refund cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The payment holds no money.
    #[error("the payment has not succeeded")]
    NotPaid,
    /// More than is left of it.
    #[error("{} fen are left of the payment", left.get())]
    Exceeds {
        /// What is left.
        left: Fen,
    },
    /// It has as many refunds as it may have.
    #[error("the payment has {MAX_REFUNDS} refunds, which is as many as it may have")]
    TooMany,
    /// It was paid more than a year ago.
    #[error("the payment is more than a year old")]
    TooLate,
}

/// What somebody wants back.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Names the refund.
    pub id: RefundId,
    /// How much.
    pub amount: Fen,
    /// Who wants it.
    pub cause: Cause,
    /// What the payer reads.
    pub reason: String,
    /// What goes back piece by piece, when the team says so.
    pub goods: Vec<RefundGoodsItem>,
}

/// Writes a refund and reserves its amount. `known` is how many refunds the payment has; those that the provider refused do not
/// count with it, so they do not count here.
///
/// # Errors
/// [`Refusal`]; nothing changes then.
pub fn reserve(
    order: &mut Order,
    payment: &mut Payment,
    known: usize,
    wish: Wish,
    now: Timestamp,
) -> Result<Refund, Refusal> {
    let payment::State::Succeeded { transaction_id, at, .. } = &payment.state else { return Err(Refusal::NotPaid) };
    if a_year_after(*at) <= now {
        return Err(Refusal::TooLate);
    }
    if MAX_REFUNDS <= known {
        return Err(Refusal::TooMany);
    }
    let transaction_id = transaction_id.clone();
    take(payment, wish.amount)?;
    order.version += 1;
    Ok(written(order, payment, transaction_id, wish, now))
}

fn written(order: &Order, payment: &Payment, transaction_id: String, wish: Wish, now: Timestamp) -> Refund {
    let Wish { id, amount, cause, reason, goods } = wish;
    Refund {
        id,
        order_id: order.id,
        payment_id: payment.id,
        merchant: payment.merchant.clone(),
        provider: payment.provider.clone(),
        mch_id: payment.mch_id.clone(),
        sub_mch_id: payment.sub_mch_id.clone(),
        app_id: payment.app_id.clone(),
        transaction_id,
        total: payment.amount,
        amount,
        cause,
        external_no: None,
        reason,
        goods,
        state: State::Created { waiting: None },
        provider_refund_id: None,
        provider_code: None,
        create_time: now,
        sends: 0,
        refused_sends: None,
        sent_at: None,
        asks: 0,
    }
}

/// Reserves so much of a payment.
fn take(payment: &mut Payment, amount: Fen) -> Result<(), Refusal> {
    let left = payment.left();
    let refunding = payment.refunding.checked_add(amount).filter(|_| amount.is_positive() && amount <= left);
    payment.refunding = refunding.ok_or(Refusal::Exceeds { left })?;
    Ok(())
}

/// A refund that was made in the provider's console, as the provider tells it.
#[derive(Clone, Debug)]
pub struct Found {
    /// Names it from now on.
    pub id: RefundId,
    /// Its `out_refund_no`, which the console has made.
    pub number: String,
    /// The provider's number.
    pub refund_id: String,
    /// How much.
    pub amount: Fen,
}

/// Takes a refund into the books that the provider has already: written with its amount reserved, for [`hear`] to move it to where
/// it really is. Only the sum can refuse it, because the provider's own limits are behind it.
///
/// # Errors
/// [`Refusal::NotPaid`] and [`Refusal::Exceeds`]; nothing changes then.
pub fn import(order: &mut Order, payment: &mut Payment, found: Found, now: Timestamp) -> Result<Refund, Refusal> {
    let payment::State::Succeeded { transaction_id, .. } = &payment.state else { return Err(Refusal::NotPaid) };
    let transaction_id = transaction_id.clone();
    take(payment, found.amount)?;
    order.version += 1;
    let wish =
        Wish { id: found.id, amount: found.amount, cause: Cause::External, reason: String::new(), goods: Vec::new() };
    let refund = written(order, payment, transaction_id, wish, now);
    Ok(Refund { external_no: Some(found.number), provider_refund_id: Some(found.refund_id), ..refund })
}

/// Whether nothing more is tried with a surplus payment, so that a person must decide: the provider has refused to give it back,
/// or has given it up too often. `before` are its refunds, each with the word of its state.
pub fn is_hopeless<'a>(before: impl IntoIterator<Item = (Option<Cause>, &'a str)>) -> bool {
    let (mut rejected, mut closed) = (0, 0);
    for (cause, state) in before {
        if cause == Some(Cause::Surplus) {
            rejected += usize::from(state == State::Rejected.word());
            closed += usize::from(state == State::Closed.word());
        }
    }
    0 < rejected || MOST_CLOSED <= closed
}

/// The provider's verified word about a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// It accepted it, or says that the money is on its way.
    Accepted {
        /// Its number.
        refund_id: String,
    },
    /// The money is back.
    Succeeded {
        /// Its number.
        refund_id: String,
        /// Its time.
        at: Timestamp,
    },
    /// The money bounced.
    Bounced {
        /// Its number.
        refund_id: String,
        /// Its own word.
        code: String,
    },
    /// It gave it up.
    Closed {
        /// Its number.
        refund_id: String,
        /// Its own word.
        code: String,
    },
    /// It refused the sending of that count, for good.
    Refused {
        /// [`Refund::sends`] of the sending that was refused.
        sends: i32,
        /// Its own word.
        code: String,
    },
    /// A refused sending is known to be the last word: nothing of it arrived.
    NeverArrived {
        /// [`Refund::sends`] when the provider was asked.
        sends: i32,
    },
    /// It did nothing for now.
    Waits {
        /// What for.
        waiting: Waiting,
        /// Its own word, when there is one.
        code: Option<String>,
    },
}

/// What the provider's word changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heard {
    /// Nothing: it was said before.
    Unchanged,
    /// Something that nobody is told: accepted, or what it waits for.
    Noted,
    /// The money is back.
    Refunded,
    /// No money moved, or it bounced.
    Failed,
    /// The provider contradicts what it said before. Nothing changes; a person must look.
    Contradiction,
}

/// Records the provider's word about `refund`, which gives back `payment`, an attempt of `order`.
///
/// # Panics
/// When the amount of an open refund is not reserved, which only a bug of ours can bring about.
pub fn hear(order: &mut Order, payment: &mut Payment, refund: &mut Refund, word: &Word) -> Heard {
    if let Some(id) = word.refund_id() {
        if refund.provider_refund_id.as_deref().is_some_and(|known| known != id) {
            return Heard::Contradiction;
        }
        if refund.state.is_open() {
            refund.provider_refund_id = Some(id.to_owned());
        }
    }
    let (next, code, heard) = match (&refund.state, word) {
        (State::Created { .. }, Word::Accepted { .. }) => (State::Processing, None, Heard::Noted),
        (State::Created { .. } | State::Processing | State::Abnormal, Word::Succeeded { at, .. }) => {
            (State::Succeeded { at: *at }, None, Heard::Refunded)
        }
        (State::Created { .. } | State::Processing, Word::Bounced { code, .. }) => {
            (State::Abnormal, Some(code), Heard::Failed)
        }
        (State::Created { .. } | State::Processing | State::Abnormal, Word::Closed { code, .. }) => {
            (State::Closed, Some(code), Heard::Failed)
        }
        // Only the sole sending ever made: an earlier one whose answer was lost may have been accepted.
        (State::Created { .. }, Word::Refused { sends: 1, code }) if refund.sends == 1 => {
            (State::Rejected, Some(code), Heard::Failed)
        }
        (State::Created { .. }, Word::Refused { sends, code }) => {
            refund.refused_sends = Some(*sends);
            (State::Created { waiting: Some(Waiting::Answer) }, Some(code), Heard::Noted)
        }
        (State::Created { .. }, Word::NeverArrived { sends }) if refund.sends == *sends => {
            (State::Rejected, None, Heard::Failed)
        }
        (State::Created { .. }, Word::Waits { waiting, code }) => {
            (State::Created { waiting: Some(*waiting) }, code.as_ref(), Heard::Noted)
        }
        // What we have given up is under way all the same: the one thing that must never be.
        (State::Rejected, Word::Accepted { .. }) => return Heard::Contradiction,
        // An answer that was overtaken by another one.
        (_, Word::Accepted { .. } | Word::Refused { .. } | Word::NeverArrived { .. } | Word::Waits { .. })
        | (State::Succeeded { .. }, Word::Succeeded { .. })
        | (State::Abnormal, Word::Bounced { .. })
        | (State::Closed, Word::Closed { .. }) => return Heard::Unchanged,
        (State::Succeeded { .. } | State::Closed | State::Rejected, _) => return Heard::Contradiction,
    };
    if let Some(code) = code {
        refund.provider_code = Some(code.clone());
    }
    if next == refund.state {
        return Heard::Noted;
    }
    let was_open = refund.state.is_open();
    refund.state = next;
    if was_open && !refund.state.is_open() {
        let reserved = payment.refunding.checked_sub(refund.amount).filter(|left| Fen::ZERO <= *left);
        payment.refunding = reserved.expect("an open refund is reserved in its payment");
        if matches!(refund.state, State::Succeeded { .. }) {
            let refunded = payment.refunded.checked_add(refund.amount).filter(|sum| *sum <= payment.amount);
            payment.refunded = refunded.expect("what is reserved fits into the payment");
            note_refunded(order, payment);
        }
    }
    order.version += 1;
    heard
}

/// The order follows the payment that paid it; a surplus payment is no business of its state.
fn note_refunded(order: &mut Order, payment: &Payment) {
    if let order::State::Paid { payment: kept, refunded, .. } = &mut order.state
        && *kept == payment.id
    {
        *refunded = if payment.refunded == payment.amount { Refunded::All } else { Refunded::Part };
    }
}

impl Word {
    fn refund_id(&self) -> Option<&str> {
        match self {
            Word::Accepted { refund_id }
            | Word::Succeeded { refund_id, .. }
            | Word::Bounced { refund_id, .. }
            | Word::Closed { refund_id, .. } => Some(refund_id),
            Word::Refused { .. } | Word::NeverArrived { .. } | Word::Waits { .. } => None,
        }
    }
}

/// Source: WeChat Pay v2 reference, refund: within one year of the payment.
fn a_year_after(paid: Timestamp) -> Timestamp {
    let a_year = paid.to_zoned(TimeZone::UTC).checked_add(1.year());
    a_year.map_or(Timestamp::MAX, |then| then.timestamp())
}

#[cfg(test)]
pub mod samples {
    //! A paid order with a refund, for tests of this module's neighbours.

    use money::Fen;
    use uuid::Uuid;

    use super::{Cause, Order, Payment, Refund, Wish, reserve};
    use crate::domain::{
        RefundId,
        settle::{samples, settle},
    };

    /// A paid order of 100 fen and its payment.
    ///
    /// # Panics
    /// Never.
    pub fn paid() -> (Order, Payment) {
        let (mut order, mut payments) = samples::pending(1);
        settle(&mut order, &mut payments[0], &samples::paid("4200")).expect("the sample fits");
        (order, payments.remove(0))
    }

    /// The same with a refund of so many fen, written and not sent.
    ///
    /// # Panics
    /// When the payment has not so much.
    pub fn reserved(amount: i64) -> (Order, Payment, Refund) {
        let (mut order, mut payment) = paid();
        let refund = another(&mut order, &mut payment, 1, amount);
        (order, payment, refund)
    }

    /// One more refund of that payment.
    ///
    /// # Panics
    /// When the payment has not so much.
    pub fn another(order: &mut Order, payment: &mut Payment, number: u128, amount: i64) -> Refund {
        let now = order.create_time;
        reserve(order, payment, 0, wish(number, amount), now).expect("there is enough")
    }

    /// So many fen back.
    pub fn wish(number: u128, amount: i64) -> Wish {
        let id = RefundId(Uuid::from_u128(200 + number));
        Wish {
            id,
            amount: Fen::new(amount),
            cause: Cause::Requested,
            reason: "the tea was cold".into(),
            goods: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;

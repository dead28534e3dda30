//! `IMPORT_REFUND`: a refund that was made in the provider's console is written into our books, once the provider has confirmed it.
//! It takes from its payment under the same check as ours.

use jiff::{Timestamp, tz};
use money::Fen;
use proto::{
    event::{RefundChanged, Source, refund_changed},
    gateway::v1::{RefundStatus, refund_status},
    time::from_wire,
};
use sqlx::{Postgres, Transaction};
use svc_kit::outbox;

use super::{Tried, not_ours};
use crate::{
    config::PROCESS,
    domain::{
        RefundId,
        order::Order,
        payment::{Payment, State},
        refund::Refund,
        refunding::{Found, Heard, Refusal, Word, import},
        repair::{Answer, Outcome, Repair},
    },
    events,
    life::{Life, refund_word::hear_in},
    store::{orders, payments, refunds, timely},
};

/// Where a bill's day is.
const BILL_ZONE: tz::Offset = tz::offset(8);

impl Life {
    pub(super) async fn repair_import(&self, repair: &Repair) -> sqlx::Result<Tried> {
        let Some(payment) = self.payment_of(repair).await? else { return Ok(not_ours(repair)) };
        let call = self.gateway.query_refund_of(&payment, &repair.out_refund_no, &repair.refund_id);
        let told = match self.question_refund(&payment.merchant, call).await {
            Ok(told) => told,
            Err(silence) => return Ok(silence.into()),
        };
        let no = |detail: String| Ok(Tried::answer(Outcome::NotApplicable, detail));
        if told.state() == refund_status::State::NotFound {
            return Ok(Tried::answer(Outcome::UnknownToProvider, "the provider knows no such refund"));
        }
        if let Some(why) = contradiction(repair, &payment, &told) {
            return no(why);
        }
        let Some((word, state)) = self.word_of(&told) else {
            return no(format!("the provider says {}, which this release does not know", told.provider_state));
        };
        let fact = state.map(|state| changed(&payment, &told, state));
        timely(self.repair_found(repair, &payment, &told, &word, fact)).await
    }

    /// The refund is at the provider, and is one of this payment.
    async fn repair_found(
        &self,
        repair: &Repair,
        payment: &Payment,
        told: &RefundStatus,
        word: &Word,
        fact: Option<RefundChanged>,
    ) -> sqlx::Result<Tried> {
        let mut tx = self.pool.begin().await?;
        let order = orders::lock(&mut tx, &[payment.order_id]).await?.pop();
        let here = payments::get(&mut tx, payment.id).await?;
        let Some((order, payment)) = order.zip(here) else { return Ok(not_ours(repair)) };
        if let Some(known) = known(&mut tx, &payment, told).await? {
            tx.rollback().await?;
            // It is here already, as ours or by another repair: its news are heard like any other.
            return self.repair_told(repair, &known, word, fact, told).await;
        }
        let found = Found {
            id: RefundId(self.clock.uuid_v7()),
            number: told.out_refund_no.clone(),
            refund_id: told.refund_id.clone(),
            amount: Fen::new(told.amount_fen),
        };
        self.write_import(tx, repair, (order, payment), found, word, fact).await
    }

    /// Writes the refund, what the provider says of it, and what is told of both.
    async fn write_import(
        &self,
        mut tx: Transaction<'_, Postgres>,
        repair: &Repair,
        (mut order, mut payment): (Order, Payment),
        found: Found,
        word: &Word,
        fact: Option<RefundChanged>,
    ) -> sqlx::Result<Tried> {
        let now = self.clock.now();
        let mut refund = match import(&mut order, &mut payment, found, now) {
            Ok(refund) => refund,
            Err(refusal) => {
                let detail = match refusal {
                    Refusal::NotPaid => "the payment has no money here: ask about it first".to_owned(),
                    other => format!("the refund does not fit: {other}"),
                };
                return Ok(Tried::answer(Outcome::NotApplicable, detail));
            }
        };
        orders::update(&mut tx, &order).await?;
        payments::update(&mut tx, &payment).await?;
        refunds::insert(&mut tx, &refund).await?;
        outbox::enqueue(&mut tx, &events::refund_created(&order, &refund), PROCESS).await?;
        let accepted_at = accepted_at(repair, &payment, now);
        outbox::enqueue(&mut tx, &events::refund_accepted(&order, &refund, accepted_at), PROCESS).await?;
        // It goes from CREATED to where it is, as a refund of ours would: a version of its own.
        let heard = hear_in(&mut tx, &mut order, &mut payment, &mut refund, word, fact, now).await?;
        if matches!(heard, Heard::Unchanged | Heard::Contradiction) {
            return Ok(Tried::answer(Outcome::NotApplicable, "the refund contradicts itself")); // It is new.
        }
        let (number, here) = (refund.out_refund_no(), refund.state.word());
        let detail = format!("refund {number} of the provider's console is in our books now, {here}");
        if self.commit_answered(tx, repair, &Answer::new(Outcome::Applied, detail)).await? {
            self.refund_due.notify_one();
            self.tell_heard(&refund, word, heard);
        }
        Ok(Tried::Done)
    }

    fn word_of(&self, told: &RefundStatus) -> Option<(Word, Option<refund_changed::State>)> {
        let (refund_id, code) = (told.refund_id.clone(), told.provider_state.clone());
        // The money is back also when nobody says since when; then it is since now, as far as anybody knows.
        let at = told.success_time.as_ref().and_then(from_wire).unwrap_or_else(|| self.clock.now());
        match told.state() {
            refund_status::State::Processing => Some((Word::Accepted { refund_id }, None)),
            refund_status::State::Succeeded => {
                Some((Word::Succeeded { refund_id, at }, Some(refund_changed::State::Succeeded)))
            }
            refund_status::State::Abnormal => {
                Some((Word::Bounced { refund_id, code }, Some(refund_changed::State::Abnormal)))
            }
            refund_status::State::Closed => {
                Some((Word::Closed { refund_id, code }, Some(refund_changed::State::Closed)))
            }
            refund_status::State::NotFound | refund_status::State::Other | refund_status::State::Unspecified => None,
        }
    }
}

/// The refund, when it is here already: by the provider's number, or by a number of ours whose answer was lost.
async fn known(
    tx: &mut Transaction<'_, Postgres>,
    payment: &Payment,
    told: &RefundStatus,
) -> sqlx::Result<Option<Refund>> {
    if let Some(refund) = refunds::of_provider(tx, payment.id, &told.refund_id).await? {
        return Ok(Some(refund));
    }
    let Some(id) = RefundId::from_out_refund_no(&told.out_refund_no) else { return Ok(None) };
    let ours = refunds::get(tx, id).await?;
    Ok(ours.filter(|refund| refund.payment_id == payment.id && refund.external_no.is_none()))
}

/// Why what the provider tells is not the refund that the bill has, of the payment that we have.
fn contradiction(repair: &Repair, payment: &Payment, told: &RefundStatus) -> Option<String> {
    let billed = repair.bill_amount.get();
    let State::Succeeded { transaction_id, .. } = &payment.state else {
        return Some("the payment has no money here: ask about it first".to_owned());
    };
    let asked = |asked: &str, said: &str| asked.is_empty() || asked == said;
    let checks = [
        (told.mch_id == payment.mch_id, "the provider tells it of another account"),
        (told.out_trade_no == payment.id.out_trade_no(), "the provider tells it of another payment"),
        (told.transaction_id == *transaction_id, "the provider tells it of another transaction"),
        (asked(&repair.transaction_id, &told.transaction_id), "the bill has it of another transaction"),
        (asked(&repair.out_refund_no, &told.out_refund_no), "the provider tells another number of the refund"),
        (asked(&repair.refund_id, &told.refund_id), "the provider tells another refund under this number"),
        (!told.refund_id.is_empty() && !told.out_refund_no.is_empty(), "the provider tells no number of it"),
    ];
    if let Some((_, why)) = checks.into_iter().find(|(holds, _)| !holds) {
        return Some(why.to_owned());
    }
    (billed != 0 && billed != told.amount_fen)
        .then(|| format!("the bill says {billed} fen, and the provider {} fen", told.amount_fen))
}

/// The beginning of the bill's day, which alone says when the provider accepted it, and never before the payment.
fn accepted_at(repair: &Repair, payment: &Payment, now: Timestamp) -> Timestamp {
    let day = repair.bill_date.to_zoned(tz::TimeZone::fixed(BILL_ZONE)).map_or(now, |day| day.timestamp());
    match payment.state {
        State::Succeeded { at, .. } => day.max(at),
        State::Created | State::Pending | State::Closed | State::Failed => day,
    }
}

fn changed(payment: &Payment, told: &RefundStatus, state: refund_changed::State) -> RefundChanged {
    RefundChanged {
        merchant: payment.merchant.clone(),
        provider: payment.provider.clone(),
        source: Source::Reconcile.into(),
        ..events::refund_told(told, state)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use money::Fen;
    use uuid::Uuid;

    use super::{accepted_at, contradiction};
    use crate::domain::{
        refunding::samples,
        repair::{Action, Repair},
    };

    fn repair(bill_date: &str) -> Repair {
        Repair {
            id: Uuid::from_u128(1),
            discrepancy: Uuid::from_u128(2),
            merchant: "acme-mini".into(),
            bill_date: bill_date.parse().expect("a day"),
            code: "R1".into(),
            action: Action::ImportRefund,
            out_trade_no: String::new(),
            transaction_id: String::new(),
            out_refund_no: String::new(),
            refund_id: String::new(),
            bill_amount: Fen::ZERO,
            requested_by: vec!["reconcile-svc".into()],
            attempts: 0,
            deadline: Timestamp::MAX,
        }
    }

    #[test]
    fn an_external_refund_was_accepted_on_the_day_of_its_bill_in_shanghai_and_not_before_its_payment() {
        // Paid on 2026-11-21 at 10:01 in Shanghai.
        let (_, payment) = samples::paid();
        let at = |day: &str| accepted_at(&repair(day), &payment, Timestamp::UNIX_EPOCH).to_string();
        assert_eq!(at("2026-11-23"), "2026-11-22T16:00:00Z");
        assert_eq!(at("2026-11-21"), "2026-11-21T02:01:00Z");
    }

    #[test]
    fn a_payment_without_money_gives_nothing_back() {
        let (_, payments) = crate::domain::settle::samples::pending(1);
        assert!(
            contradiction(&repair("2026-11-21"), &payments[0], &proto::gateway::v1::RefundStatus::default()).is_some()
        );
    }
}

//! Taking a charge back at the provider: the mark is written, then the reversal leaves, then the provider is asked. Its yes proves
//! nothing; only an end that it tells ends the attempt. The mark is never undone, so it is written only for a reversal that can
//! leave: until then the payer may finish, and is believed.

use std::time::{Duration, Instant};

use proto::gateway::v1::{NotDone, not_done};

use super::{
    Life,
    ask::{Status, soon_jittered},
    budget::{self, Kind},
    charge::Next,
};
use crate::{
    domain::payment::Payment,
    gateway::{Asked, Merchant},
    store::{orders, payments, timely},
};

/// A reversal leaves within this time of its writing, or not at all: who asks "did it arrive?" counts from the writing.
const LEAVES_WITHIN: Duration = Duration::from_secs(12);
/// How soon to try again when a person must mend our settings, or look at what the provider says.
const PERSON_AGAIN: Duration = Duration::from_mins(10);
/// How soon a charge is asked about, and its reversal tried, that cannot be sent yet: its payer may still finish.
const SETTINGS_AGAIN: Duration = Duration::from_secs(15);

impl Life {
    /// Takes a charge back, unless one of its reversals was sent just before. `heard` says whether the provider has just said
    /// something.
    pub(super) async fn reverse(&self, payment: &Payment, heard: bool) -> sqlx::Result<Next> {
        let now = self.clock.now();
        if payment.is_too_late_to_reverse() {
            // The provider says neither that it was paid nor that it has ended, and takes it back no more.
            tracing::error!(
                out_trade_no = payment.id.out_trade_no(),
                "a charge is not decided and can no longer be reversed; a person must look"
            );
            return Ok((soon_jittered(now, PERSON_AGAIN), heard));
        }
        let not_before = payment.reversible_from();
        if now < not_before || self.stop.is_cancelled() {
            return Ok((not_before, heard));
        }
        if let Some(why) = unsendable(payment, self.merchants.known_merchant(&payment.merchant).as_deref()) {
            self.measured.reversed("NOT_SENDABLE");
            tracing::error!(
                out_trade_no = payment.id.out_trade_no(),
                merchant = payment.merchant,
                why,
                "a charge cannot be reversed: a person must mend the merchant's settings"
            );
            let again = if payment.reversing.is_some() { PERSON_AGAIN } else { SETTINGS_AGAIN };
            return Ok((soon_jittered(now, again), heard));
        }
        if let Err(denied) = self.budgets.take(&payment.merchant, Kind::Reverse).await {
            self.measured.reversed("NO_BUDGET");
            return Ok((self.after(denied), heard));
        }
        let written_at = Instant::now();
        let Some(payment) = self.begin_reversing(payment).await? else {
            return Ok((now, heard)); // It has ended, or another replica was faster.
        };
        svc_kit::crash::point("order.reverse.before_send");
        if LEAVES_WITHIN < written_at.elapsed() {
            // This process stood still. The mark stays, and the next one leaves in time.
            return Ok((payment.reversible_from(), heard));
        }
        tracing::info!(out_trade_no = payment.id.out_trade_no(), reverses = payment.reverses(), "charge is reversed");
        let asked = self.gateway.reverse(&payment, written_at).await;
        svc_kit::crash::point("order.reverse.answered");
        let next = payment.reversible_from();
        match asked {
            Asked::Done(()) => {
                self.measured.reversed("DONE");
                self.ask_reversed(&payment, next).await
            }
            Asked::NotDone(no) => self.not_reversed(payment, &no).await,
            Asked::Unknown { why, .. } => {
                self.measured.reversed("UNKNOWN");
                tracing::warn!(out_trade_no = payment.id.out_trade_no(), why, "reversal unknown");
                Ok((next, heard))
            }
            Asked::NotSent { why, ever } => {
                self.measured.reversed("NOT_SENT");
                if ever {
                    tracing::warn!(out_trade_no = payment.id.out_trade_no(), why, "reversal not sent");
                    return Ok((next, heard));
                }
                tracing::error!(
                    out_trade_no = payment.id.out_trade_no(),
                    merchant = payment.merchant,
                    why,
                    "a charge cannot be reversed: a person must mend the merchant's settings"
                );
                Ok((soon_jittered(now, PERSON_AGAIN), heard))
            }
        }
    }

    /// What a definite no to a reversal means.
    async fn not_reversed(&self, mut payment: Payment, no: &NotDone) -> sqlx::Result<Next> {
        let kind = no.kind();
        self.measured.reversed(kind.as_str_name());
        let (number, now) = (payment.id.out_trade_no(), self.clock.now());
        match kind {
            not_done::Kind::TooLate => {
                self.too_late_to_reverse(&mut payment).await?;
                tracing::error!(
                    out_trade_no = number,
                    provider_code = no.provider_code,
                    "too late to reverse a charge: what was paid is kept"
                );
                // From now on no reversal of it can take money back, so what is answered now is so.
                self.ask_reversed(&payment, soon_jittered(now, PERSON_AGAIN)).await
            }
            not_done::Kind::Configuration => {
                tracing::error!(
                    out_trade_no = number,
                    merchant = payment.merchant,
                    provider_code = no.provider_code,
                    "the provider refuses our reversals: a person must mend key, certificate or account"
                );
                Ok((soon_jittered(now, PERSON_AGAIN), true))
            }
            not_done::Kind::RateLimited => {
                self.budgets.limited(&payment.merchant, Kind::Reverse);
                Ok((soon_jittered(now, budget::REST), true))
            }
            _ => {
                tracing::warn!(
                    out_trade_no = number,
                    provider_code = no.provider_code,
                    kind = kind.as_str_name(),
                    "the provider does not reverse"
                );
                let next = payment.reversible_from();
                self.ask_reversed(&payment, next).await
            }
        }
    }

    /// The provider says of a charge that is being taken back that money of it was refunded, which no call of ours has done: not
    /// by a reversal, whose word is another, and not by a refund, which only a payment has. A person must look; nobody reverses
    /// it, asks about it or keeps its money. False when it is not being taken back, or has ended.
    pub(super) async fn found_refunded(&self, payment: &Payment) -> sqlx::Result<bool> {
        let disputed = timely(async {
            let mut tx = self.pool.begin().await?;
            orders::lock(&mut tx, &[payment.order_id]).await?;
            let current = payments::get(&mut tx, payment.id).await?;
            let disputed = current.is_some_and(|payment| payment.reversing.is_some() && payment.state.is_open());
            if disputed {
                payments::dispute(&mut tx, &[payment.id], self.clock.now()).await?;
            }
            tx.commit().await?;
            Ok(disputed)
        });
        let disputed = disputed.await?;
        if disputed {
            self.measured.mismatched("refunded_elsewhere");
            tracing::error!(
                out_trade_no = payment.id.out_trade_no(),
                merchant = payment.merchant,
                "a charge that is being taken back was refunded by somebody else; a person must look"
            );
        }
        Ok(disputed)
    }

    /// The question after a reversal.
    async fn ask_reversed(&self, payment: &Payment, next: jiff::Timestamp) -> sqlx::Result<Next> {
        let status = self.ask(payment).await?;
        Ok((if status == Status::Ended { self.clock.now() } else { next }, true))
    }

    /// Writes that a reversal is about to leave. The attempt as it is then; `None` when none may leave.
    async fn begin_reversing(&self, payment: &Payment) -> sqlx::Result<Option<Payment>> {
        timely(async {
            let now = self.clock.now();
            let mut tx = self.pool.begin().await?;
            let order = orders::lock(&mut tx, &[payment.order_id]).await?.pop();
            let payment = payments::get(&mut tx, payment.id).await?;
            let Some((mut order, mut payment)) = order.zip(payment) else { return Ok(None) }; // Neither is ever deleted.
            let is_first = payment.reversing.is_none();
            if !payment.begin_reversing(now) {
                return Ok(None);
            }
            let Some(reversing) = &payment.reversing else { return Ok(None) }; // It has just begun.
            payments::begin_reversing(&mut tx, payment.id, reversing, self.ahead()).await?;
            if is_first {
                // Teams see that it is being taken back, not how often that was tried.
                order.version += 1;
                orders::update(&mut tx, &order).await?;
            }
            svc_kit::crash::point("order.reverse.before_written");
            tx.commit().await?;
            svc_kit::crash::point("order.reverse.written");
            Ok(Some(payment))
        })
        .await
    }

    /// Writes that the provider takes a charge back no more.
    async fn too_late_to_reverse(&self, payment: &mut Payment) -> sqlx::Result<()> {
        timely(async {
            let mut tx = self.pool.begin().await?;
            orders::lock(&mut tx, &[payment.order_id]).await?;
            payments::too_late_to_reverse(&mut tx, payment.id).await?;
            svc_kit::crash::point("order.reverse.before_too_late");
            tx.commit().await
        })
        .await?;
        payment.too_late_to_reverse();
        svc_kit::crash::point("order.reverse.too_late");
        Ok(())
    }
}

/// Why the gateway would not send a reversal, with the merchant's settings as it lists them; `None` when it would. Source:
/// `ReversePayment`, which compares the same.
fn unsendable(payment: &Payment, merchant: Option<&Merchant>) -> Option<&'static str> {
    let Some(merchant) = merchant else { return Some("the merchant is not configured, or its list is not known yet") };
    let checks = [
        (merchant.can_refund, "its file names no client certificate (client_cert_file)"),
        (merchant.provider == payment.provider, "its provider is another than the attempt's"),
        (merchant.mch_id == payment.mch_id, "its mch_id is another than the attempt's"),
        (merchant.sub_mch_id == payment.sub_mch_id, "its sub_mch_id is another than the attempt's"),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, why)| why)
}

#[cfg(test)]
mod tests {
    use super::unsendable;
    use crate::{
        domain::{
            payment::{Method, Payment},
            settle::samples,
        },
        gateway::{Merchant, Surplus},
    };

    #[test]
    fn a_reversal_is_sent_only_for_the_account_that_took_the_charge_and_with_its_certificate() {
        let payment = Payment { method: Method::PayCode, ..samples::pending(1).1.remove(0) };
        let merchant = Merchant {
            name: payment.merchant.clone(),
            provider: payment.provider.clone(),
            mch_id: payment.mch_id.clone(),
            sub_mch_id: payment.sub_mch_id.clone(),
            apps: Vec::new(),
            methods: Vec::new(),
            can_refund: true,
            surplus: Surplus::Hold,
        };
        assert_eq!(unsendable(&payment, Some(&merchant)), None);
        let changed = [
            (Merchant { can_refund: false, ..merchant.clone() }, "certificate"),
            (Merchant { provider: "huifu".into(), ..merchant.clone() }, "provider"),
            (Merchant { mch_id: "1900000002".into(), ..merchant.clone() }, "mch_id"),
            (Merchant { sub_mch_id: "1900000003".into(), ..merchant }, "sub_mch_id"),
        ];
        for (merchant, word) in changed {
            assert!(unsendable(&payment, Some(&merchant)).is_some_and(|why| why.contains(word)), "{word}");
        }
        assert!(unsendable(&payment, None).is_some());
    }
}

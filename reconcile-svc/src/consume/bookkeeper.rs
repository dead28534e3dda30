use std::collections::BTreeSet;

use proto::bus::DurableSpec;
use sqlx::{PgConnection, PgPool};
use svc_kit::bus::{Delivery, Failure, Handler, Verdict, Verdicts};
use svc_kit::inbox;

use svc_kit::clock::Clock;

use super::note::Note;
use crate::metrics::ReconcileMetrics;
use crate::resolution;
use crate::store::days::MerchantDay;
use crate::store::neighbours;

/// Books what one durable delivers: each fact once, a batch in one transaction, acked after its commit.
#[derive(Clone, Debug)]
pub struct Bookkeeper {
    pool: PgPool,
    durable: &'static str,
    metrics: ReconcileMetrics,
    clock: Clock,
}

impl Bookkeeper {
    /// Books what `durable` delivers.
    pub fn new(pool: PgPool, durable: &DurableSpec, metrics: ReconcileMetrics, clock: Clock) -> Self {
        Self { pool, durable: durable.name, metrics, clock }
    }
}

impl Handler for Bookkeeper {
    async fn handle(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        let notes: Vec<Result<Note, String>> = batch.iter().map(Note::read).collect();
        // What can never be booked is not recorded as applied: should its dead letter fail to be written, it must come again.
        let good = batch.iter().zip(&notes).filter(|(_, note)| note.is_ok());
        let ids: Vec<&str> = good.map(|(delivery, _)| delivery.id.as_str()).collect();

        let mut tx = self.pool.begin().await?;
        let mut new = inbox::record(&mut tx, self.durable, &ids).await?;
        let (mut answers, mut touched) = (Vec::new(), Touched::default());
        for (delivery, note) in batch.iter().zip(&notes) {
            // Taken out of the set, so that a fact that stands in the batch twice is booked once.
            if let Ok(note) = note
                && new.remove(&delivery.id)
            {
                match note {
                    Note::Answer(answer) => answers.push(answer.clone()),
                    note => {
                        note.write(&mut tx).await?;
                        touched.note(note);
                    }
                }
                self.metrics.booked(note.kind());
            }
        }
        // A day that was compared without it is worth another look.
        let days = touched.days(&mut tx).await?;
        // All at once and last: differences are locked in one order, and the end of the audit log for a short time.
        resolution::apply_answers(&mut tx, &answers, days, self.clock.now()).await?;
        tx.commit().await?;
        for answer in &answers {
            self.metrics.repaired(answer.word(), 1);
        }
        let verdict = |note: Result<Note, String>| note.map_or_else(Verdict::Dead, |_| Verdict::Applied);
        Ok(Verdicts::Each(notes.into_iter().map(verdict).collect()))
    }
}

/// What a batch said about money that moved or goes back, by merchant and number.
#[derive(Default)]
struct Touched {
    merchants: Vec<String>,
    out_trade_nos: Vec<String>,
    out_refund_nos: Vec<String>,
}

impl Touched {
    fn note(&mut self, note: &Note) {
        let (merchant, out_trade_no, out_refund_no) = match note {
            Note::Taken(taken) => (&taken.merchant, Some(&taken.out_trade_no), None),
            Note::Provider(told) => (&told.merchant, Some(&told.out_trade_no), None),
            Note::Refund(refund) => (&refund.merchant, None, Some(&refund.out_refund_no)),
            Note::Order(_) | Note::Issued(_) | Note::ProviderRefund(_) | Note::Answer(_) | Note::Other => return,
        };
        self.merchants.push(merchant.clone());
        self.out_trade_nos.extend(out_trade_no.cloned());
        self.out_refund_nos.extend(out_refund_no.cloned());
    }

    /// The days that it is about.
    async fn days(mut self, conn: &mut PgConnection) -> sqlx::Result<BTreeSet<MerchantDay>> {
        if self.merchants.is_empty() {
            return Ok(BTreeSet::new());
        }
        self.merchants.sort_unstable();
        self.merchants.dedup();
        let days = neighbours::booked_late(conn, &self.merchants, &self.out_trade_nos, &self.out_refund_nos).await?;
        Ok(days.into_iter().collect())
    }
}

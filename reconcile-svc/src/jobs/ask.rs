use std::time::Duration;

use futures::{StreamExt as _, stream};
use proto::event::{PaymentPaid, Source};
use proto::gateway::v1::payment_status::State;
use proto::gateway::v1::query_payment_response::Outcome;
use proto::gateway::v1::{PaidStatus, PaymentMethod, QueryPaymentRequest};
use svc_kit::outbox::enqueue;
use tokio_util::sync::CancellationToken;

use crate::PROCESS;
use crate::runs::{Reconciler, RunError};
use crate::store::questions::{self, Question};

/// Questions taken at a time, and asked at a time: a bad day must not become a storm at the provider.
const BATCH: i64 = 16;
const AT_ONCE: usize = 4;

/// Between two looks when no run rings.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Asks the provider about payments that a bill has and that are still open here (P1). When it says PAID, that goes down the
/// normal road: a `PaymentPaid` fact on the bus, which order-svc applies as it applies a callback. The bill itself proves
/// nothing; only what the gateway verified is published.
pub async fn ask_about_open_payments(reconciler: Reconciler, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let taken = async { questions::take_due(&mut *reconciler.pool.acquire().await?, BATCH).await };
        let asked = match taken.await {
            Ok(due) => {
                let asked = due.len();
                stream::iter(due).for_each_concurrent(AT_ONCE, |question| ask(&reconciler, question)).await;
                asked
            }
            Err(error) => {
                tracing::warn!("cannot see which payments to ask about: {error}");
                0
            }
        };
        if stop.is_cancelled() {
            return Ok(());
        }
        if 0 < asked {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = reconciler.to_ask.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn ask(reconciler: &Reconciler, question: Question) {
    let outcome = match answer(reconciler, &question).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::warn!(discrepancy = %question.discrepancy_id, "asking about an open payment failed: {error}");
            "failed"
        }
    };
    reconciler.metrics.asked(outcome);
}

/// Asks about one payment, publishes a verified yes, and says what came of it.
async fn answer(reconciler: &Reconciler, question: &Question) -> Result<&'static str, RunError> {
    let Some(mch_id) = question.mch_id.clone() else { return Ok("account_unknown") };
    let merchant = reconciler.gateway.merchant(&question.merchant).await?;
    let request = QueryPaymentRequest {
        merchant: question.merchant.clone(),
        mch_id,
        app_id: question.app_id.clone(),
        out_trade_no: question.out_trade_no.clone(),
        sub_mch_id: question.sub_mch_id.clone().unwrap_or_else(|| merchant.sub_mch_id.clone()),
        method: method(question.method.as_deref()).into(),
    };
    let status = match reconciler.gateway.query(request).await?.outcome {
        Some(Outcome::Done(status)) => status,
        Some(Outcome::NotDone(_)) => return Ok("refused"),
        Some(Outcome::Unknown(_)) | None => return Ok("unknown"),
    };
    let paid = match (status.state(), status.paid) {
        (State::Paid, Some(paid)) if paid.out_trade_no == question.out_trade_no => paid,
        (State::Paid, _) => return Ok("unknown"),
        _ => return Ok("not_paid"),
    };
    let event = event(&merchant.provider, &question.merchant, paid);
    let mut tx = reconciler.pool.begin().await?;
    enqueue(&mut tx, &event, PROCESS).await?;
    questions::answered(&mut tx, question.discrepancy_id).await?;
    tx.commit().await?;
    reconciler.relay.wake();
    tracing::info!(discrepancy = %question.discrepancy_id, "the provider says that the payment was made; published as a fact");
    Ok("paid")
}

/// Payments by WeChat's older face API are asked about at a path of their own; all others are alike.
fn method(word: Option<&str>) -> PaymentMethod {
    match word {
        Some("facepay") => PaymentMethod::Facepay,
        Some(_) | None => PaymentMethod::Unspecified,
    }
}

fn event(provider: &str, merchant: &str, paid: PaidStatus) -> PaymentPaid {
    PaymentPaid {
        merchant: merchant.to_owned(),
        provider: provider.to_owned(),
        out_trade_no: paid.out_trade_no,
        transaction_id: paid.transaction_id,
        amount_fen: paid.amount_fen,
        payer_amount_fen: paid.payer_amount_fen,
        currency: paid.currency,
        mch_id: paid.mch_id,
        app_id: paid.app_id,
        paid_time: paid.paid_time,
        trade_type: paid.trade_type,
        bank_type: paid.bank_type,
        source: Source::Reconcile.into(),
        sub_mch_id: paid.sub_mch_id,
        service_provider_app_id: paid.service_provider_app_id,
    }
}

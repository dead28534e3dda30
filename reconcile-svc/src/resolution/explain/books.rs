use sqlx::PgConnection;

use super::Wanted;
use super::leg::{Leg, Role};
use crate::store::legs::{self, instant};

/// Leg O: what order-svc told.
pub(super) async fn orders(conn: &mut PgConnection, wanted: &Wanted<'_>) -> sqlx::Result<Leg> {
    let mut leg = Leg::new("O");
    let about_a_refund = !wanted.out_refund_no.is_empty() || !wanted.refund_id.is_empty();
    if let Some(payment) = legs::order_payment(conn, wanted.merchant, wanted.out_trade_no).await? {
        leg.text("order_no", payment.order_no.as_deref());
        leg.text("app", Some(&payment.app));
        // Of a refund, the amount of its payment is another one.
        let (amount, state) = if about_a_refund { (Role::Plain, Role::Plain) } else { (Role::Amount, Role::State) };
        leg.add("out_trade_no", payment.out_trade_no, Role::OurNumber);
        let stands = match (payment.taken_as.as_deref(), instant(payment.close_time), payment.paid_by_other) {
            (Some("PAID"), ..) => "paid",
            (Some(_), Some(_), _) => "surplus: the order was closed",
            (Some(_), None, _) => "surplus: the order was paid already",
            (None, _, true) => "not paid; its order was paid by another payment",
            (None, Some(_), _) => "not paid; its order is closed",
            (None, None, _) => "not paid; its order is open",
        };
        leg.add("payment", stands, state);
        leg.text("transaction_id", payment.transaction_id.as_deref());
        leg.amount("asked for", payment.issued_amount_fen, amount);
        leg.amount("accepted", payment.taken_amount_fen, amount);
        leg.amount("given back", Some(payment.given_back_fen).filter(|fen| 0 < *fen), Role::Plain);
        leg.text("method", payment.method.as_deref());
        leg.time("number given out", instant(payment.issue_time));
        leg.time("order closed", instant(payment.close_time));
        leg.time("paid", instant(payment.paid_time));
    }
    if about_a_refund {
        for refund in legs::order_refunds(conn, wanted.merchant, wanted.out_refund_no, wanted.refund_id).await? {
            leg.add("out_refund_no", refund.out_refund_no, Role::Plain);
            leg.text("refund_id", refund.refund_id.as_deref());
            leg.text("of payment", Some(&refund.out_trade_no));
            leg.add("refund", refund.state, Role::State);
            leg.text("cause", Some(&refund.cause));
            leg.amount("refund amount", Some(refund.amount_fen), Role::Amount);
            leg.time("accepted by the provider", instant(refund.accept_time));
            leg.time("money back", instant(refund.success_time));
        }
    }
    Ok(leg)
}

/// Leg E: what the provider told while it happened.
pub(super) async fn provider(conn: &mut PgConnection, wanted: &Wanted<'_>) -> sqlx::Result<Leg> {
    let mut leg = Leg::new("E");
    if !wanted.out_refund_no.is_empty() || !wanted.refund_id.is_empty() {
        for told in legs::provider_refunds(conn, wanted.merchant, wanted.out_refund_no, wanted.refund_id).await? {
            leg.add("out_refund_no", told.out_refund_no, Role::Plain);
            leg.text("refund_id", Some(&told.refund_id));
            leg.add("refund", told.state, Role::State);
            leg.amount("refund amount", Some(told.amount_fen), Role::Amount);
            leg.time("money back", instant(told.success_time));
            leg.text("told by", Some(source(&told.source)));
        }
        return Ok(leg);
    }
    for told in legs::provider_payments(conn, wanted.merchant, wanted.out_trade_no, wanted.transaction_id).await? {
        leg.add("out_trade_no", told.out_trade_no, Role::OurNumber);
        leg.text("transaction_id", Some(&told.transaction_id));
        leg.amount("amount", Some(told.amount_fen), Role::Amount);
        leg.amount("payer's amount", Some(told.payer_amount_fen), Role::Settlement);
        leg.text("currency", Some(&told.currency));
        leg.text("mch_id", Some(&told.mch_id));
        leg.time("paid", instant(Some(told.paid_time)));
        leg.text("told by", Some(source(&told.source)));
    }
    Ok(leg)
}

/// Who reported a fact, for people.
fn source(word: &str) -> &str {
    match word {
        "SOURCE_NOTICE" => "the provider's callback",
        "SOURCE_QUERY" => "a question of ours",
        "SOURCE_RECONCILE" => "a question because of the bill",
        other => other,
    }
}

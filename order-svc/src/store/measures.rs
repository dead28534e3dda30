//! Numbers and ages for metrics: a stopped loop raises no errors, but its ages grow.

use sqlx::PgConnection;

/// What is not decided yet.
#[derive(Debug, Default, Clone, Copy)]
pub struct Measures {
    /// Attempts whose prepay has no known outcome.
    pub unknown_payments: i64,
    /// Age of the oldest of them, seconds.
    pub unknown_oldest_s: i64,
    /// Attempts that somebody may still pay.
    pub open_payments: i64,
    /// How late the most overdue asking is, seconds.
    pub asking_overdue_s: i64,
    /// Attempts paid with other content than asked for, waiting for a person.
    pub disputed_payments: i64,
    /// Charges that are being taken back.
    pub reversing_payments: i64,
    /// Age of the oldest of them, seconds.
    pub reversing_oldest_s: i64,
    /// Orders past their time and still PENDING.
    pub overdue_orders: i64,
    /// Refunds that were sent and have no known outcome.
    pub unknown_refunds: i64,
    /// Age of the oldest of them, seconds.
    pub unknown_refunds_oldest_s: i64,
    /// Age of the oldest refund that the provider has accepted and not finished, seconds.
    pub processing_oldest_s: i64,
    /// Refunds that wait for a person to mend a key, certificate or account of ours.
    pub refunds_waiting_configuration: i64,
    /// Surplus payments that nothing has decided about.
    pub surplus_undecided: i64,
    /// Refunds that are not decided, whatever they wait for.
    pub open_refunds: i64,
    /// Refunds that wait for money in the merchant account.
    pub refunds_waiting_balance: i64,
    /// Refunds whose money bounced, waiting for a person.
    pub abnormal_refunds: i64,
    /// How late the most overdue refund is, seconds.
    pub refunds_overdue_s: i64,
    /// Surplus money that waits for a person, fen.
    pub surplus_held_fen: i64,
    /// Repairs that are not answered yet.
    pub repairs_waiting: i64,
    /// Age of the oldest of them, seconds.
    pub repairs_oldest_s: i64,
}

/// Measures at `now` of the service's clock.
pub async fn measure(conn: &mut PgConnection, now: jiff_sqlx::Timestamp) -> sqlx::Result<Measures> {
    sqlx::query_as!(
        Measures,
        r#"SELECT
            (SELECT count(*) FROM payments WHERE state = 'CREATED') AS "unknown_payments!",
            (SELECT coalesce(greatest(0, extract(epoch FROM $1::timestamptz - min(create_time)))::bigint, 0)
               FROM payments WHERE state = 'CREATED') AS "unknown_oldest_s!",
            (SELECT count(*) FROM payments WHERE next_ask_at IS NOT NULL) AS "open_payments!",
            (SELECT coalesce(greatest(0, extract(epoch FROM $1::timestamptz - min(next_ask_at)))::bigint, 0)
               FROM payments WHERE next_ask_at IS NOT NULL) AS "asking_overdue_s!",
            (SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL AND state <> 'SUCCEEDED') AS "disputed_payments!",
            (SELECT count(*) FROM payments WHERE reversing_at IS NOT NULL AND state IN ('CREATED', 'PENDING'))
                AS "reversing_payments!",
            (SELECT coalesce(greatest(0, extract(epoch FROM $1::timestamptz - min(reversing_at)))::bigint, 0)
               FROM payments WHERE reversing_at IS NOT NULL AND state IN ('CREATED', 'PENDING')) AS "reversing_oldest_s!",
            (SELECT count(*) FROM orders WHERE state = 'PENDING' AND expire_time <= $1) AS "overdue_orders!",
            (SELECT count(*) FROM refunds WHERE state = 'CREATED' AND unknown_since IS NOT NULL) AS "unknown_refunds!",
            (SELECT coalesce(greatest(0, extract(epoch FROM $1::timestamptz - min(unknown_since)))::bigint, 0)
               FROM refunds WHERE state = 'CREATED' AND unknown_since IS NOT NULL) AS "unknown_refunds_oldest_s!",
            (SELECT coalesce(greatest(0, extract(epoch FROM $1::timestamptz - min(create_time)))::bigint, 0)
               FROM refunds WHERE state = 'PROCESSING') AS "processing_oldest_s!",
            (SELECT count(*) FROM refunds WHERE state = 'CREATED' AND waiting = 'CONFIGURATION')
                AS "refunds_waiting_configuration!",
            (SELECT count(*) FROM payments
              WHERE surplus AND surplus_held_at IS NULL AND refunded_fen + refunding_fen < amount_fen)
                AS "surplus_undecided!",
            (SELECT count(*) FROM refunds WHERE next_ask_at IS NOT NULL) AS "open_refunds!",
            (SELECT count(*) FROM refunds WHERE state = 'CREATED' AND waiting = 'BALANCE') AS "refunds_waiting_balance!",
            (SELECT count(*) FROM refunds WHERE state = 'ABNORMAL') AS "abnormal_refunds!",
            (SELECT coalesce(greatest(0, extract(epoch FROM $1::timestamptz - min(next_ask_at)))::bigint, 0)
               FROM refunds WHERE next_ask_at IS NOT NULL) AS "refunds_overdue_s!",
            (SELECT coalesce(sum(amount_fen - refunded_fen - refunding_fen), 0)::bigint FROM payments
              WHERE surplus_held_at IS NOT NULL AND refunded_fen + refunding_fen < amount_fen) AS "surplus_held_fen!",
            (SELECT count(*) FROM repairs WHERE state = 'WAITING') AS "repairs_waiting!",
            (SELECT coalesce(greatest(0, extract(epoch FROM $1::timestamptz - min(create_time)))::bigint, 0)
               FROM repairs WHERE state = 'WAITING') AS "repairs_oldest_s!""#,
        now as _,
    )
    .fetch_one(conn)
    .await
}

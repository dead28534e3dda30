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
    /// Orders past their time and still PENDING.
    pub overdue_orders: i64,
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
            (SELECT count(*) FROM orders WHERE state = 'PENDING' AND expire_time <= $1) AS "overdue_orders!""#,
        now as _,
    )
    .fetch_one(conn)
    .await
}

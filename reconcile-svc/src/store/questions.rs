//! What the provider is to be asked about: open payments that a bill has (P1).

use sqlx::PgConnection;
use uuid::Uuid;

/// One payment to ask about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The open difference.
    pub discrepancy_id: Uuid,
    /// Merchant account.
    pub merchant: String,
    /// Our number.
    pub out_trade_no: String,
    /// The app that opens the cashier, as it was when the number was given out; where we do not know it, the one of the bill's
    /// row, which is the same but for a service provider.
    pub app_id: String,
    /// The provider's number of the account when the number was given out; `None` when we do not know that we gave it out.
    pub mch_id: Option<String>,
    /// The sub-merchant when the number was given out; `None` for a direct merchant, or when we do not know.
    pub sub_mch_id: Option<String>,
    /// How it is paid; `None` when we do not know.
    pub method: Option<String>,
}

/// Takes what is due, each once: taking puts the next time off by 1, 5, then every 30 minutes, on the database's clock, so a
/// process that dies after it loses nothing. After 48 times (a day) nobody asks until another run finds it.
pub async fn take_due(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<Question>> {
    sqlx::query_as!(
        Question,
        r#"WITH due AS (
             SELECT discrepancy_id FROM discrepancies WHERE state = 'OPEN' AND ask_at <= now()
             ORDER BY ask_at LIMIT $1 FOR UPDATE SKIP LOCKED
         ), taken AS (
             UPDATE discrepancies d SET ask_count = d.ask_count + 1,
                 ask_at = CASE WHEN d.ask_count < 47 THEN now() + CASE d.ask_count
                     WHEN 0 THEN interval '1 min' WHEN 1 THEN interval '5 min' ELSE interval '30 min' END END
             FROM due WHERE d.discrepancy_id = due.discrepancy_id
             RETURNING d.discrepancy_id, d.merchant, d.out_trade_no, d.app_id
         )
         SELECT t.discrepancy_id AS "discrepancy_id!", t.merchant AS "merchant!", t.out_trade_no AS "out_trade_no!",
             COALESCE(p.app_id, t.app_id) AS "app_id!", p.mch_id AS "mch_id?", p.sub_mch_id AS "sub_mch_id?",
             p.method AS "method?"
         FROM taken t LEFT JOIN book_payments p ON p.merchant = t.merchant AND p.out_trade_no = t.out_trade_no"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// There is nothing more to ask: the provider's answer is on its way as a fact.
pub async fn answered(conn: &mut PgConnection, discrepancy_id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("UPDATE discrepancies SET ask_at = NULL WHERE discrepancy_id = $1", discrepancy_id)
        .execute(conn)
        .await?;
    Ok(())
}

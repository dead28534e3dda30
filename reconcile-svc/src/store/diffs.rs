//! What two runs found, side by side.

use sqlx::PgConnection;
use uuid::Uuid;

/// Differences of one kind: the largest first, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// The largest.
    pub largest: Vec<Uuid>,
    /// All.
    pub count: i64,
}

/// What differs between what two runs found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Found by the later one only.
    pub appeared: Side,
    /// Found by the earlier one only.
    pub vanished: Side,
    /// Found by both, with other amounts, or no longer only waiting.
    pub changed: Side,
}

/// Compares what two runs found; at most `limit` of each kind are named.
pub async fn diff(conn: &mut PgConnection, from: Uuid, to: Uuid, limit: i64) -> sqlx::Result<Diff> {
    let rows = sqlx::query!(
        r#"WITH sides AS (
             SELECT discrepancy_id, f.run_id IS NULL AS appeared, t.run_id IS NULL AS vanished,
                 COALESCE(t.risk_fen, f.risk_fen) AS risk_fen
             FROM (SELECT * FROM run_differences WHERE run_id = $1) f
             FULL JOIN (SELECT * FROM run_differences WHERE run_id = $2) t USING (discrepancy_id)
             WHERE f.run_id IS NULL OR t.run_id IS NULL
                OR (f.bill_amount_fen, f.book_amount_fen, f.due_date IS NULL)
                   <> (t.bill_amount_fen, t.book_amount_fen, t.due_date IS NULL)
           ), placed AS (
             SELECT *, COUNT(*) OVER of_kind AS count,
                 ROW_NUMBER() OVER (of_kind ORDER BY risk_fen DESC, discrepancy_id DESC) AS place
             FROM sides WINDOW of_kind AS (PARTITION BY appeared, vanished)
           )
           SELECT discrepancy_id AS "discrepancy_id!", appeared AS "appeared!", vanished AS "vanished!", count AS "count!"
           FROM placed WHERE place <= $3 ORDER BY place"#,
        from,
        to,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let mut diff = Diff::default();
    for row in rows {
        let side = match (row.appeared, row.vanished) {
            (true, _) => &mut diff.appeared,
            (false, true) => &mut diff.vanished,
            (false, false) => &mut diff.changed,
        };
        side.largest.push(row.discrepancy_id);
        side.count = row.count;
    }
    Ok(diff)
}

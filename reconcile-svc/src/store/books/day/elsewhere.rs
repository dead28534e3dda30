//! What runs of other days found in their files.

/// The question for it, about every number of the provider that the runs that count of other days than `day` found. Both are
/// literals. What a run of an earlier release found has no amounts, and then nothing is said of any.
pub(super) fn found_elsewhere(merchant: &str, day: &str) -> String {
    format!(
        r"
            SELECT m.number,
                -- A payment before its reversal.
                COALESCE(MIN(r.bill_date) FILTER (WHERE m.leg = 'TRADE' AND m.amount_fen IS NOT NULL),
                         MIN(r.bill_date) FILTER (WHERE m.leg = 'TRADE')) AS billed_on,
                MAX(m.amount_fen) FILTER (WHERE m.leg = 'TRADE') AS billed_fen,
                MIN(r.bill_date) FILTER (WHERE m.leg = 'FUND') AS moved_on,
                CASE WHEN BOOL_AND(m.amount_fen IS NOT NULL) FILTER (WHERE m.leg = 'FUND')
                     THEN SUM(m.amount_fen) FILTER (WHERE m.leg = 'FUND') END::BIGINT AS moved_fen,
                CASE WHEN BOOL_AND(m.amount_fen IS NOT NULL) FILTER (WHERE m.leg = 'FUND')
                     THEN SUM(m.fee_fen) FILTER (WHERE m.leg = 'FUND') END::BIGINT AS moved_fee_fen
            FROM run_boundary m JOIN runs r USING (run_id)
            WHERE m.merchant = {merchant} AND r.current AND r.bill_date <> {day} GROUP BY m.number"
    )
}

-- What was open before 0007 is asked about as it would have been, and its numbers are marked as `Key::fingerprint` marks them. Runs of
-- those releases have rules_version 0; what a later run tells has both from that run.
UPDATE discrepancies d SET repair = 'QUERY_PAYMENT', repair_at = COALESCE(ask_at, now()), repair_count = ask_count
WHERE code IN ('P1', 'P5', 'P8') AND state = 'OPEN' AND repair_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM run_differences f JOIN runs r USING (run_id)
                    WHERE f.discrepancy_id = d.discrepancy_id AND r.rules_version <> 0);
UPDATE discrepancies d SET fingerprint = marked.fingerprint
FROM (SELECT discrepancy_id, out_trade_no || '/' || transaction_id || '|/|/' AS unmarked,
          replace(replace(replace(out_trade_no, '\', '\\'), '/', '\/'), '|', '\|') || '/'
              || replace(replace(replace(transaction_id, '\', '\\'), '/', '\/'), '|', '\|') || '|/|/' AS fingerprint
      FROM discrepancies) AS marked
WHERE marked.discrepancy_id = d.discrepancy_id AND d.fingerprint = marked.unmarked AND marked.unmarked <> marked.fingerprint
    -- One that a later run has told since then stands beside it, and that is the one that lives on.
    AND NOT EXISTS (SELECT 1 FROM discrepancies other WHERE other.merchant = d.merchant AND other.code = d.code
                        AND other.fingerprint = marked.fingerprint);

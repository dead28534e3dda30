-- A balanced day balances its refunds as well. Runs of earlier releases compared none.
ALTER TABLE runs ADD CONSTRAINT runs_balanced_refunds
    CHECK (state <> 'BALANCED' OR rules_version = 0 OR (bill_refund_count = matched_refund_count
        AND book_refund_count = matched_refund_count AND bill_refund_sum_fen = matched_refund_sum_fen
        AND book_refund_sum_fen = matched_refund_sum_fen));

-- What a day's bill ends on another day is found by the provider's own number.
CREATE INDEX discrepancies_by_transaction ON discrepancies (merchant, transaction_id) WHERE transaction_id <> '';
CREATE INDEX discrepancies_by_refund_id ON discrepancies (merchant, refund_id) WHERE refund_id <> '';
-- Which days the schedule looks at again.
CREATE INDEX discrepancies_unfinished ON discrepancies (merchant, bill_date) WHERE state IN ('HELD', 'OPEN');

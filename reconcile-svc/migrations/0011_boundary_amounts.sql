-- How much of a payment or refund this run's files have that belongs to another day: another day's movement explains a trade only
-- when it is the trade's own amount.
ALTER TABLE run_boundary
    -- TRADE: what the bill has as paid or given back, NULL when it has only a reversal. FUND: how much money moved, zero when only a
    -- fee did. NULL in runs of before engine 5.
    ADD COLUMN amount_fen BIGINT CHECK (0 <= amount_fen),
    -- FUND: fees that left, less those that came back.
    ADD COLUMN fee_fen    BIGINT NOT NULL DEFAULT 0;

-- Reversed pay codes and faces: rows of the bill that are no payments.
ALTER TABLE runs
    ADD COLUMN bill_revoked_count   BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN bill_revoked_sum_fen BIGINT NOT NULL DEFAULT 0;

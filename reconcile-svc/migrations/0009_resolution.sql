-- The audit log is written and read, never changed. Whoever may drop a trigger can still change it, and then the hashes no longer fit.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: it is only appended to', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER audit_log_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Nobody looks a row up by its hash, and a hundred thousand rows are appended at once.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_hash_key;

-- When order-svc was asked, on the database's clock: what it does not answer within a day is given up.
ALTER TABLE repairs ADD COLUMN ask_time TIMESTAMPTZ NOT NULL DEFAULT now();
CREATE INDEX repairs_unanswered ON repairs (ask_time) WHERE outcome IS NULL;

-- Days that are to be compared again soon, because an answer of order-svc may have ended a difference. A mark tells one wish from
-- the next, so that a wish that comes during a run is not taken for that run's.
CREATE TABLE days_to_look_at (
    merchant   TEXT NOT NULL,
    bill_date  DATE NOT NULL,
    mark       UUID NOT NULL DEFAULT gen_random_uuid(),
    -- On the database's clock: the facts that come with an answer need a moment.
    look_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (merchant, bill_date)
);

-- Differences are found by a team's own number as well.
CREATE INDEX book_orders_by_number ON book_orders (order_no);
CREATE INDEX discrepancies_waived ON discrepancies (waived_until) WHERE state = 'WAIVED';

-- What reconciliation asks for about a difference, and refunds that were made in the provider's own console. Everything is only
-- added. A replica of the release before attends to no refund with a cause that it does not know, and cannot show one either.

ALTER TABLE refunds DROP CONSTRAINT refunds_cause_check;
ALTER TABLE refunds
    ADD CONSTRAINT refunds_cause_check CHECK (cause IN ('REQUESTED', 'SURPLUS', 'EXTERNAL')),
    -- The `out_refund_no` of a refund that somebody else has sent; ours are known by the digits of their id.
    ADD COLUMN external_no text CHECK (octet_length(external_no) BETWEEN 1 AND 64),
    ADD CONSTRAINT only_external_refunds_keep_a_number CHECK ((cause = 'EXTERNAL') = (external_no IS NOT NULL)),
    -- The provider has it already, whatever becomes of it: sending it would be a second refund.
    ADD CONSTRAINT external_refunds_are_never_sent CHECK (cause <> 'EXTERNAL' OR (sends = 0 AND provider_refund_id IS NOT NULL));
CREATE UNIQUE INDEX one_external_refund_per_number ON refunds (merchant, mch_id, external_no) WHERE external_no IS NOT NULL;

-- One row for each repair that reconciliation has ever asked for: few, and finance asks about them later.
CREATE TABLE repairs (
    repair_id        uuid PRIMARY KEY,
    discrepancy_id   uuid        NOT NULL,
    merchant         text        NOT NULL CHECK (merchant ~ '^[a-z0-9-]{1,32}$'),
    bill_date        date        NOT NULL,
    -- Of the difference: P1 … F4.
    code             text        NOT NULL CHECK (code ~ '^[A-Z][0-9]{1,2}$'),
    action           text        NOT NULL CHECK (action IN ('QUERY_PAYMENT', 'REPUBLISH_PAYMENT', 'REFUND_SURPLUS',
                                                            'QUERY_REFUND', 'IMPORT_REFUND')),
    -- Numbers as the bill or the books have them; empty when the difference has none.
    out_trade_no     text        NOT NULL,
    transaction_id   text        NOT NULL,
    out_refund_no    text        NOT NULL,
    refund_id        text        NOT NULL,
    -- 0 when the bill does not have it.
    bill_amount_fen  bigint      NOT NULL CHECK (0 <= bill_amount_fen),
    requested_by     text[]      NOT NULL CHECK (cardinality(requested_by) BETWEEN 1 AND 2),
    state            text        NOT NULL CHECK (state IN ('WAITING', 'DONE')),
    create_time      timestamptz NOT NULL,
    -- How often the provider was asked and said nothing.
    attempts         integer     NOT NULL DEFAULT 0 CHECK (0 <= attempts),
    -- Who has no answer by then gives up.
    deadline         timestamptz NOT NULL,
    next_turn        timestamptz,
    -- While the database's clock is before this, one replica is doing it.
    claimed_until    timestamptz,
    outcome          text        CHECK (outcome IN ('APPLIED', 'CONFIRMED', 'UNKNOWN_TO_PROVIDER', 'NOT_APPLICABLE', 'NOT_OURS',
                                                    'GAVE_UP')),
    detail           text,
    answer_time      timestamptz,
    CHECK ((state = 'WAITING') = (next_turn IS NOT NULL)),
    CHECK ((state = 'DONE') = (outcome IS NOT NULL)),
    CHECK ((state = 'DONE') = (detail IS NOT NULL)),
    CHECK ((state = 'DONE') = (answer_time IS NOT NULL))
);
CREATE INDEX repairs_to_do ON repairs (merchant, next_turn) WHERE state = 'WAITING';
CREATE INDEX repairs_by_turn ON repairs (next_turn) WHERE state = 'WAITING';

-- What is answered is told, so it stays.
CREATE FUNCTION keep_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'repair % was answered, and that cannot be undone', OLD.repair_id;
END $$;
CREATE TRIGGER keep_answer BEFORE UPDATE ON repairs FOR EACH ROW WHEN (OLD.state = 'DONE') EXECUTE FUNCTION keep_answer();

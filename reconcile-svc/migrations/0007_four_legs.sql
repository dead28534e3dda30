-- Four legs: refunds join the books, fund flows the bills, and every code its hold and its life.

-- Leg O: refunds. Each event fills what it knows; nothing is emptied again. `state` is what all events together say.
CREATE TABLE book_refunds (
    merchant        TEXT NOT NULL,
    out_refund_no   TEXT NOT NULL,
    refund          UUID NOT NULL,
    order_id        UUID NOT NULL,
    app             TEXT NOT NULL,
    -- Our number of the payment.
    out_trade_no    TEXT NOT NULL DEFAULT '',
    transaction_id  TEXT NOT NULL DEFAULT '',
    mch_id          TEXT NOT NULL DEFAULT '',
    amount_fen      BIGINT NOT NULL CHECK (0 < amount_fen),
    cause           TEXT NOT NULL CHECK (cause IN ('REQUESTED', 'SURPLUS', 'EXTERNAL')),
    create_time     TIMESTAMPTZ,
    -- The provider's number, once it accepted.
    refund_id       TEXT,
    accept_time     TIMESTAMPTZ,
    -- Civil date in Asia/Shanghai of accept_time: the day whose bill has it.
    accept_date     DATE,
    success_time    TIMESTAMPTZ,
    -- REJECTED, CLOSED or ABNORMAL, as order-svc told.
    failed_as       TEXT CHECK (failed_as IN ('REJECTED', 'CLOSED', 'ABNORMAL')),
    state           TEXT NOT NULL GENERATED ALWAYS AS (
        CASE WHEN success_time IS NOT NULL THEN 'SUCCEEDED'
             WHEN failed_as IS NOT NULL THEN failed_as
             WHEN accept_time IS NOT NULL THEN 'PROCESSING'
             ELSE 'CREATED' END) STORED,
    PRIMARY KEY (merchant, out_refund_no),
    CHECK ((accept_time IS NULL) = (accept_date IS NULL))
);
CREATE INDEX book_refunds_by_day ON book_refunds (merchant, accept_date, refund_id) WHERE accept_date IS NOT NULL;
CREATE INDEX book_refunds_by_number ON book_refunds (merchant, refund_id) WHERE refund_id IS NOT NULL;
CREATE INDEX book_refunds_by_payment ON book_refunds (merchant, out_trade_no);

-- Leg E: what the provider told about refunds; the states of one refund are facts of their own.
CREATE TABLE provider_refunds (
    merchant        TEXT NOT NULL,
    provider        TEXT NOT NULL,
    refund_id       TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('SUCCEEDED', 'ABNORMAL', 'CLOSED')),
    out_refund_no   TEXT NOT NULL,
    transaction_id  TEXT NOT NULL,
    out_trade_no    TEXT NOT NULL,
    amount_fen      BIGINT NOT NULL CHECK (0 <= amount_fen),
    mch_id          TEXT NOT NULL,
    success_time    TIMESTAMPTZ,
    source          TEXT NOT NULL,
    PRIMARY KEY (merchant, provider, refund_id, state)
);
CREATE INDEX provider_refunds_by_number ON provider_refunds (merchant, out_refund_no);

-- When a fact was first written down: P10 waits five minutes after it.
ALTER TABLE provider_payments ADD COLUMN note_time TIMESTAMPTZ NOT NULL DEFAULT '-infinity';
ALTER TABLE provider_payments ALTER COLUMN note_time SET DEFAULT now();

-- Files as they were fetched, gzipped, in pieces, for as long as BILL_KEEP_DAYS says. The same bytes are kept once.
CREATE TABLE bills (
    bill_id       UUID PRIMARY KEY,
    merchant      TEXT NOT NULL,
    bill_date     DATE NOT NULL,
    -- TRADE, FUND_BASIC, FUND_OPERATION or FUND_FEES.
    kind          TEXT NOT NULL CHECK (kind IN ('TRADE', 'FUND_BASIC', 'FUND_OPERATION', 'FUND_FEES')),
    -- SHA-256 of the decompressed file, hex.
    sha256        TEXT NOT NULL,
    bytes         BIGINT NOT NULL,
    stored_bytes  BIGINT NOT NULL,
    fetch_time    TIMESTAMPTZ NOT NULL,
    UNIQUE (merchant, bill_date, kind, sha256)
);
CREATE INDEX bills_by_age ON bills (bill_date);
CREATE TABLE bill_pieces (
    bill_id  UUID NOT NULL REFERENCES bills (bill_id) ON DELETE CASCADE,
    piece    INTEGER NOT NULL,
    gzip     BYTEA NOT NULL,
    PRIMARY KEY (bill_id, piece)
);

ALTER TABLE runs DROP CONSTRAINT runs_state_check;
ALTER TABLE runs ADD CONSTRAINT runs_state_check
    CHECK (state IN ('RUNNING', 'BALANCED', 'WAITING', 'DIFFERENCES', 'CONTROL_FAILED', 'BILL_INVALID'));
ALTER TABLE runs
    -- Civil date in Asia/Shanghai on which it was made; NULL in runs of earlier releases.
    ADD COLUMN as_of                     DATE,
    ADD COLUMN rules_version             INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN book_refund_count         BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN book_refund_sum_fen       BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN matched_refund_count      BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN matched_refund_sum_fen    BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN waiting_count             BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN waiting_sum_fen           BIGINT NOT NULL DEFAULT 0,
    -- SHA-256 of the whole result, hex.
    ADD COLUMN result_sha256             TEXT NOT NULL DEFAULT '';

-- Every input of a run.
CREATE TABLE run_inputs (
    run_id   UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    input    TEXT NOT NULL CHECK (input IN
        ('TRADE', 'FUND_BASIC', 'FUND_OPERATION', 'FUND_FEES', 'BOOK_PAYMENTS', 'BOOK_REFUNDS')),
    state    TEXT NOT NULL CHECK (state IN ('READ', 'NONE', 'NOT_FETCHED')),
    sha256   TEXT NOT NULL,
    bytes    BIGINT NOT NULL,
    PRIMARY KEY (run_id, input)
);

-- The accounts as a run saw them; the closing balance is the next day's control.
CREATE TABLE run_accounts (
    run_id       UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    account      TEXT NOT NULL CHECK (account IN ('BASIC', 'OPERATION', 'FEES')),
    state        TEXT NOT NULL CHECK (state IN ('READ', 'NONE', 'NOT_FETCHED')),
    opening_fen  BIGINT,
    closing_fen  BIGINT,
    PRIMARY KEY (run_id, account)
);
CREATE TABLE run_movements (
    run_id     UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    account    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    of_trades  BOOLEAN NOT NULL,
    count      BIGINT NOT NULL,
    sum_fen    BIGINT NOT NULL,
    PRIMARY KEY (run_id, account, kind, of_trades)
);

-- What this run's files have and our books have on another day; rows of earlier releases are about payments in trade bills.
CREATE TABLE run_boundary (
    run_id     UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    merchant   TEXT NOT NULL,
    leg        TEXT NOT NULL CHECK (leg IN ('TRADE', 'FUND')),
    -- The provider's number of the payment or refund.
    number     TEXT NOT NULL,
    book_date  DATE NOT NULL,
    PRIMARY KEY (run_id, leg, number)
);
CREATE INDEX run_boundary_by_number ON run_boundary (merchant, number, leg);
INSERT INTO run_boundary (run_id, merchant, leg, number, book_date)
SELECT m.run_id, m.merchant, 'TRADE', m.transaction_id, r.bill_date
FROM run_boundary_matches m JOIN runs r USING (run_id)
ON CONFLICT DO NOTHING;

ALTER TABLE discrepancies DROP CONSTRAINT discrepancies_code_check;
ALTER TABLE discrepancies DROP CONSTRAINT discrepancies_state_check;
ALTER TABLE discrepancies DROP CONSTRAINT discrepancies_merchant_code_out_trade_no_transaction_id_key;
ALTER TABLE discrepancies ALTER COLUMN risk_fen DROP EXPRESSION;
ALTER TABLE discrepancies
    ADD CONSTRAINT discrepancies_code_check CHECK (code IN ('P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8', 'P9', 'P10',
        'R1', 'R2', 'R3', 'R4', 'F1', 'F2', 'F3', 'F4')),
    ADD CONSTRAINT discrepancies_state_check CHECK (state IN
        ('HELD', 'OPEN', 'RESOLVING', 'PROPOSED', 'APPROVED', 'APPLIED', 'WAIVED', 'RESOLVED')),
    ALTER COLUMN risk_fen SET NOT NULL,
    ADD COLUMN out_refund_no  TEXT NOT NULL DEFAULT '',
    ADD COLUMN refund_id      TEXT NOT NULL DEFAULT '',
    ADD COLUMN account        TEXT NOT NULL DEFAULT '',
    ADD COLUMN movement       TEXT NOT NULL DEFAULT '',
    -- With code and merchant its identity over all versions: `reconciliation::Key::fingerprint`.
    ADD COLUMN fingerprint    TEXT,
    -- HELD: from this day on it is a difference.
    ADD COLUMN due_date       DATE,
    -- What order-svc can do by itself: QUERY_PAYMENT, REPUBLISH_PAYMENT, QUERY_REFUND, IMPORT_REFUND.
    ADD COLUMN repair         TEXT,
    ADD COLUMN critical       BOOLEAN NOT NULL DEFAULT FALSE,
    ADD COLUMN assignee       TEXT NOT NULL DEFAULT '',
    ADD COLUMN waived_until   DATE,
    -- How it ended: RESOLVED_BY_RERUN, APPLIED, WAIVED.
    ADD COLUMN resolution     TEXT NOT NULL DEFAULT '',
    -- What order-svc answered last.
    ADD COLUMN answer         TEXT NOT NULL DEFAULT '',
    -- What somebody proposed, and who: PROPOSED and what follows it.
    ADD COLUMN proposed       TEXT,
    ADD COLUMN proposed_by    TEXT,
    -- When order-svc is to be asked again, on the database's clock: OPEN with a repair.
    ADD COLUMN repair_at      TIMESTAMPTZ,
    ADD COLUMN repair_count   INTEGER NOT NULL DEFAULT 0,
    ADD CHECK (state <> 'HELD' OR due_date IS NOT NULL),
    ADD CHECK ((state = 'WAIVED') = (waived_until IS NOT NULL)),
    ADD CHECK (state NOT IN ('PROPOSED', 'APPROVED') OR (proposed IS NOT NULL AND proposed_by IS NOT NULL));
UPDATE discrepancies SET fingerprint = out_trade_no || '/' || transaction_id || '|/|/', critical = code = 'P3',
    resolution = CASE state WHEN 'RESOLVED' THEN 'RESOLVED_BY_RERUN' ELSE '' END,
    repair = CASE WHEN code = 'P1' THEN 'QUERY_PAYMENT' END;
ALTER TABLE discrepancies ALTER COLUMN fingerprint SET NOT NULL;
CREATE UNIQUE INDEX discrepancies_by_fingerprint ON discrepancies (merchant, code, fingerprint);
CREATE INDEX discrepancies_by_number ON discrepancies (merchant, out_trade_no);
CREATE INDEX discrepancies_by_refund ON discrepancies (merchant, out_refund_no) WHERE out_refund_no <> '';
CREATE INDEX discrepancies_to_repair ON discrepancies (repair_at) WHERE state = 'OPEN' AND repair_at IS NOT NULL;

ALTER TABLE run_differences
    ADD COLUMN risk_fen BIGINT NOT NULL DEFAULT 0,
    -- Set while it only waited in that run.
    ADD COLUMN due_date DATE;
UPDATE run_differences SET risk_fen = GREATEST(bill_amount_fen, book_amount_fen);

-- What order-svc was asked to do.
CREATE TABLE repairs (
    repair_id       UUID PRIMARY KEY,
    discrepancy_id  UUID NOT NULL REFERENCES discrepancies (discrepancy_id),
    action          TEXT NOT NULL,
    requested_by    TEXT[] NOT NULL,
    request_time    TIMESTAMPTZ NOT NULL,
    outcome         TEXT,
    detail          TEXT NOT NULL DEFAULT '',
    answer_time     TIMESTAMPTZ,
    CHECK ((outcome IS NULL) = (answer_time IS NULL))
);
CREATE INDEX repairs_by_discrepancy ON repairs (discrepancy_id);
CREATE UNIQUE INDEX repairs_one_under_way ON repairs (discrepancy_id) WHERE outcome IS NULL;

-- Every step in the life of a difference. Each row carries the hash of the row before; nobody updates or deletes.
CREATE TABLE audit_log (
    sequence        BIGINT PRIMARY KEY CHECK (0 < sequence),
    time            TIMESTAMPTZ NOT NULL,
    actor           TEXT NOT NULL,
    action          TEXT NOT NULL,
    discrepancy_id  UUID NOT NULL REFERENCES discrepancies (discrepancy_id),
    detail          TEXT NOT NULL,
    previous_hash   BYTEA NOT NULL,
    hash            BYTEA NOT NULL UNIQUE
);
CREATE INDEX audit_log_by_discrepancy ON audit_log (discrepancy_id, sequence);
-- The end of the chain; locked while a row is appended, so that there are no gaps and no forks.
CREATE TABLE audit_head (
    one       BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    sequence  BIGINT NOT NULL,
    hash      BYTEA NOT NULL
);
INSERT INTO audit_head (sequence, hash) VALUES (0, ''::BYTEA);

-- Answered ResolveDiscrepancy requests.
CREATE TABLE resolve_requests (
    request_id      UUID PRIMARY KEY,
    discrepancy_id  UUID NOT NULL REFERENCES discrepancies (discrepancy_id),
    person          TEXT NOT NULL,
    content_sha256  TEXT NOT NULL,
    create_time     TIMESTAMPTZ NOT NULL
);

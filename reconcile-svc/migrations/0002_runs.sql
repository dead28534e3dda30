-- One comparison of one merchant's day. Final rows never change but for `current`.
CREATE TABLE runs (
    run_id                UUID PRIMARY KEY,
    merchant              TEXT NOT NULL,
    bill_date             DATE NOT NULL,
    version               INTEGER NOT NULL CHECK (0 < version),
    state                 TEXT NOT NULL CHECK (state IN ('RUNNING', 'BALANCED', 'DIFFERENCES', 'CONTROL_FAILED')),
    -- Which process works on it, and until when nobody else may: the database's clock.
    holder                UUID,
    lease_until           TIMESTAMPTZ,
    -- The last final version of the day.
    current               BOOLEAN NOT NULL DEFAULT FALSE,
    problem               TEXT NOT NULL DEFAULT '',
    -- The inputs. The bill's hash is empty when the provider says that no bill exists.
    engine_version        INTEGER NOT NULL,
    bill_sha256           TEXT NOT NULL DEFAULT '',
    books_sha256          TEXT NOT NULL DEFAULT '',
    bill_count            BIGINT NOT NULL DEFAULT 0,
    bill_sum_fen          BIGINT NOT NULL DEFAULT 0,
    bill_refund_count     BIGINT NOT NULL DEFAULT 0,
    bill_refund_sum_fen   BIGINT NOT NULL DEFAULT 0,
    -- 1/1000 fen: bills state fees with five decimals of a yuan.
    bill_fee_milli_fen    BIGINT NOT NULL DEFAULT 0,
    book_count            BIGINT NOT NULL DEFAULT 0,
    book_sum_fen          BIGINT NOT NULL DEFAULT 0,
    matched_count         BIGINT NOT NULL DEFAULT 0,
    matched_sum_fen       BIGINT NOT NULL DEFAULT 0,
    start_time            TIMESTAMPTZ NOT NULL,
    end_time              TIMESTAMPTZ,
    UNIQUE (merchant, bill_date, version),
    CHECK ((state = 'RUNNING') = (holder IS NOT NULL)),
    CHECK ((state = 'RUNNING') = (lease_until IS NOT NULL)),
    CHECK ((state = 'RUNNING') = (end_time IS NULL)),
    CHECK (NOT (state = 'RUNNING' AND current)),
    -- Money is conserved: a balanced day has nothing on either side that the other has not.
    CHECK (state <> 'BALANCED' OR (bill_count = matched_count AND book_count = matched_count
        AND bill_sum_fen = matched_sum_fen AND book_sum_fen = matched_sum_fen))
);
CREATE UNIQUE INDEX runs_one_under_way ON runs (merchant, bill_date) WHERE state = 'RUNNING';
CREATE UNIQUE INDEX runs_one_current ON runs (merchant, bill_date) WHERE current;

-- One difference, over all versions of its day. Its identity is the fingerprint (code, merchant, key), so its age survives
-- a new version.
CREATE TABLE discrepancies (
    discrepancy_id    UUID PRIMARY KEY,
    merchant          TEXT NOT NULL,
    bill_date         DATE NOT NULL,
    code              TEXT NOT NULL CHECK (code IN ('P1', 'P3', 'P5', 'P6', 'P8')),
    out_trade_no      TEXT NOT NULL,
    transaction_id    TEXT NOT NULL,
    -- From the bill's row; empty when the bill does not have it.
    app_id            TEXT NOT NULL,
    bill_amount_fen   BIGINT NOT NULL,
    book_amount_fen   BIGINT NOT NULL,
    risk_fen          BIGINT GENERATED ALWAYS AS (GREATEST(bill_amount_fen, book_amount_fen)) STORED,
    explanation       TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('OPEN', 'RESOLVED')),
    open_time         TIMESTAMPTZ NOT NULL,
    opened_by         UUID NOT NULL REFERENCES runs (run_id),
    resolve_time      TIMESTAMPTZ,
    resolved_by       UUID REFERENCES runs (run_id),
    -- When a P1 may be asked about again, on the database's clock; NULL when there is nothing to ask.
    ask_at            TIMESTAMPTZ,
    ask_count         INTEGER NOT NULL DEFAULT 0,
    UNIQUE (merchant, code, out_trade_no, transaction_id),
    CHECK ((state = 'RESOLVED') = (resolve_time IS NOT NULL)),
    CHECK ((state = 'RESOLVED') = (resolved_by IS NOT NULL))
);
CREATE INDEX discrepancies_by_day ON discrepancies (merchant, bill_date);
CREATE INDEX discrepancies_by_risk ON discrepancies (risk_fen DESC, discrepancy_id DESC);
CREATE INDEX discrepancies_to_ask ON discrepancies (ask_at) WHERE state = 'OPEN' AND ask_at IS NOT NULL;

-- What each version found, so that an earlier version stays readable as it was.
CREATE TABLE run_differences (
    run_id            UUID NOT NULL REFERENCES runs (run_id),
    discrepancy_id    UUID NOT NULL REFERENCES discrepancies (discrepancy_id),
    bill_amount_fen   BIGINT NOT NULL,
    book_amount_fen   BIGINT NOT NULL,
    explanation       TEXT NOT NULL,
    PRIMARY KEY (run_id, discrepancy_id)
);
CREATE INDEX run_differences_by_discrepancy ON run_differences (discrepancy_id);

-- Differences of a run by code, as ListRuns tells them.
CREATE TABLE run_codes (
    run_id    UUID NOT NULL REFERENCES runs (run_id),
    code      TEXT NOT NULL,
    count     BIGINT NOT NULL CHECK (0 < count),
    sum_fen   BIGINT NOT NULL,
    PRIMARY KEY (run_id, code)
);

-- Payments about midnight: in the bill of one day, in our books on another. The other day's run does not miss them.
CREATE TABLE run_boundary_matches (
    run_id           UUID NOT NULL REFERENCES runs (run_id),
    merchant         TEXT NOT NULL,
    out_trade_no     TEXT NOT NULL,
    transaction_id   TEXT NOT NULL,
    PRIMARY KEY (run_id, out_trade_no, transaction_id)
);
CREATE INDEX run_boundary_matches_by_number ON run_boundary_matches (merchant, out_trade_no);

-- Answered requests: same id and content, same run; other content is refused.
CREATE TABLE run_requests (
    request_id   UUID PRIMARY KEY,
    merchant     TEXT NOT NULL,
    bill_date    DATE NOT NULL,
    run_id       UUID NOT NULL REFERENCES runs (run_id),
    create_time  TIMESTAMPTZ NOT NULL
);

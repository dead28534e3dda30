-- Leg O: orders and payments as order-svc accepted them. Events come in any order and twice, so each column is filled by
-- the event that knows it, and never emptied again.
CREATE TABLE book_orders (
    order_id     UUID PRIMARY KEY,
    merchant     TEXT NOT NULL,
    app          TEXT NOT NULL,
    order_no     TEXT NOT NULL,
    amount_fen   BIGINT NOT NULL CHECK (0 < amount_fen),
    create_time  TIMESTAMPTZ,
    close_time   TIMESTAMPTZ
);

CREATE TABLE book_payments (
    merchant           TEXT NOT NULL,
    out_trade_no       TEXT NOT NULL,
    payment_id         UUID NOT NULL,
    order_id           UUID NOT NULL,
    app                TEXT NOT NULL,
    -- What we asked for, and of which account: from order.v1.payment.created.
    issued_amount_fen  BIGINT CHECK (0 < issued_amount_fen),
    mch_id             TEXT,
    issue_time         TIMESTAMPTZ,
    -- What was accepted: from order.v1.order.paid or order.v1.payment.surplus.
    taken_as           TEXT CHECK (taken_as IN ('PAID', 'SURPLUS')),
    taken_amount_fen   BIGINT CHECK (0 < taken_amount_fen),
    transaction_id     TEXT,
    paid_time          TIMESTAMPTZ,
    -- Civil date in Asia/Shanghai of paid_time.
    paid_date          DATE,
    PRIMARY KEY (merchant, out_trade_no),
    CHECK ((taken_as IS NULL) = (taken_amount_fen IS NULL)),
    CHECK ((taken_as IS NULL) = (transaction_id IS NULL)),
    CHECK ((taken_as IS NULL) = (paid_time IS NULL)),
    CHECK ((taken_as IS NULL) = (paid_date IS NULL)),
    CHECK (issued_amount_fen IS NOT NULL OR taken_as IS NOT NULL)
);
CREATE INDEX book_payments_by_day ON book_payments (merchant, paid_date) WHERE paid_date IS NOT NULL;

-- Leg E: what the provider told us while it happened.
CREATE TABLE provider_payments (
    merchant          TEXT NOT NULL,
    provider          TEXT NOT NULL,
    transaction_id    TEXT NOT NULL,
    out_trade_no      TEXT NOT NULL,
    amount_fen        BIGINT NOT NULL CHECK (0 <= amount_fen),
    payer_amount_fen  BIGINT NOT NULL CHECK (0 <= payer_amount_fen),
    currency          TEXT NOT NULL,
    mch_id            TEXT NOT NULL,
    app_id            TEXT NOT NULL,
    paid_time         TIMESTAMPTZ NOT NULL,
    -- Civil date in Asia/Shanghai of paid_time.
    paid_date         DATE NOT NULL,
    source            TEXT NOT NULL,
    PRIMARY KEY (merchant, provider, transaction_id)
);
CREATE INDEX provider_payments_by_day ON provider_payments (merchant, paid_date);
CREATE INDEX provider_payments_by_number ON provider_payments (merchant, out_trade_no);

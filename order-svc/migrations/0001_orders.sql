-- Orders, their payments, and what makes both safe: requests, outbox, applied events.
-- Instants of business (create_time, next_ask_at, …) come from the service's clock. Leases (claimed_until, sending_until) are
-- written and compared with the database's clock only, so a replica with a wrong clock cannot steal or keep work.

CREATE TABLE orders (
    order_id           uuid PRIMARY KEY,
    app                text        NOT NULL CHECK (app ~ '^[a-z0-9-]{1,32}$'),
    order_no           text        NOT NULL CHECK (length(order_no) BETWEEN 1 AND 64),
    merchant           text        NOT NULL CHECK (merchant ~ '^[a-z0-9-]{1,32}$'),
    amount_fen         bigint      NOT NULL CHECK (amount_fen BETWEEN 1 AND 100000000),
    description        text        NOT NULL CHECK (octet_length(description) BETWEEN 1 AND 127),
    -- SHA-256 of what the caller asked for, without its request id: tells a repeated order_no from a reused one.
    content_sha256     bytea       NOT NULL CHECK (octet_length(content_sha256) = 32),
    state              text        NOT NULL CHECK (state IN ('PENDING', 'PAID', 'CLOSED')),
    create_time        timestamptz NOT NULL,
    expire_time        timestamptz NOT NULL CHECK (create_time < expire_time),
    close_requested_at timestamptz,
    paid_time          timestamptz,
    paid_payment_id    uuid,
    close_time         timestamptz,
    -- Grows by one at each change; watchers and events rely on it.
    version            bigint      NOT NULL DEFAULT 1 CHECK (0 < version),
    UNIQUE (app, order_no),
    CHECK ((state = 'PAID') = (paid_payment_id IS NOT NULL)),
    CHECK ((state = 'PAID') = (paid_time IS NOT NULL)),
    CHECK ((state = 'CLOSED') = (close_time IS NOT NULL))
);

-- Lists of one app, newest first (ids are UUIDv7).
CREATE INDEX orders_by_app ON orders (app, order_id DESC);
-- Orders whose time has run out, or whose team has given them up.
CREATE INDEX orders_to_close ON orders (expire_time) WHERE state = 'PENDING';
CREATE INDEX orders_given_up ON orders (close_requested_at) WHERE state = 'PENDING' AND close_requested_at IS NOT NULL;

CREATE TABLE payments (
    payment_id     uuid PRIMARY KEY,
    order_id       uuid        NOT NULL REFERENCES orders,
    merchant       text        NOT NULL,
    provider       text        NOT NULL,
    -- Account and app as they were when the attempt was written; facts and queries must agree with them.
    mch_id         text        NOT NULL,
    app_id         text        NOT NULL,
    amount_fen     bigint      NOT NULL CHECK (0 < amount_fen),
    method         text        NOT NULL CHECK (method IN ('mini_program', 'jsapi')),
    -- Personal data; needed to repeat a prepay with the same content.
    openid         text        NOT NULL,
    payer_ip       text        NOT NULL,
    state          text        NOT NULL CHECK (state IN ('CREATED', 'PENDING', 'SUCCEEDED', 'CLOSED', 'FAILED')),
    create_time    timestamptz NOT NULL,
    -- How often the provider was asked to accept it, counted before each sending.
    sends          integer     NOT NULL DEFAULT 0,
    -- When it was last sent, by the service's clock.
    sent_at        timestamptz,
    -- While the database's clock is before this, a prepay may be on its way: nobody closes the attempt.
    sending_until  timestamptz,
    -- The payer started another attempt: this one is closed as soon as the provider does it.
    superseded     boolean     NOT NULL DEFAULT false,
    transaction_id text,
    paid_time      timestamptz,
    -- Money came that the order could not keep.
    surplus        boolean     NOT NULL DEFAULT false,
    -- The provider says that it was paid, but not what we asked for: a person must look, nobody asks again.
    disputed_at    timestamptz,
    -- The provider's word for a refusal.
    provider_code  text,
    -- When to ask the provider next; null when there is nothing left to ask.
    next_ask_at    timestamptz,
    -- How often the schedule asked and heard something.
    asks           integer     NOT NULL DEFAULT 0,
    last_ask_at    timestamptz,
    -- While the database's clock is before this, one replica is asking.
    claimed_until  timestamptz,
    CHECK ((state = 'SUCCEEDED') = (transaction_id IS NOT NULL)),
    CHECK ((state = 'SUCCEEDED') = (paid_time IS NOT NULL)),
    CHECK (NOT surplus OR state = 'SUCCEEDED'),
    CHECK (state IN ('CREATED', 'PENDING') OR next_ask_at IS NULL)
);

CREATE INDEX payments_of_order ON payments (order_id);
-- No order keeps two payments, whatever the code above believes.
CREATE UNIQUE INDEX one_kept_payment ON payments (order_id) WHERE state = 'SUCCEEDED' AND NOT surplus;
-- One transaction of an account at its provider pays one attempt.
CREATE UNIQUE INDEX one_attempt_per_transaction ON payments (provider, mch_id, transaction_id)
    WHERE transaction_id IS NOT NULL;
CREATE INDEX payments_to_ask ON payments (merchant, next_ask_at) WHERE next_ask_at IS NOT NULL;
CREATE INDEX payments_by_turn ON payments (next_ask_at) WHERE next_ask_at IS NOT NULL;
CREATE INDEX payments_unknown ON payments (create_time) WHERE state = 'CREATED';
CREATE INDEX payments_disputed ON payments (disputed_at) WHERE disputed_at IS NOT NULL;

-- One row per request id: the same id gets the same answer.
CREATE TABLE requests (
    app            text        NOT NULL,
    request_id     uuid        NOT NULL,
    rpc            text        NOT NULL,
    content_sha256 bytea       NOT NULL CHECK (octet_length(content_sha256) = 32),
    -- The attempt that a PayOrder wrote, before its answer is known.
    payment_id     uuid,
    -- The encoded answer, or the encoded google.rpc.Status of a definite refusal.
    response       bytea,
    refusal        bytea,
    -- While the database's clock is before this, somebody is working on it.
    claimed_until  timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (app, request_id),
    CHECK (response IS NULL OR refusal IS NULL)
);
CREATE INDEX requests_by_age ON requests (created_at);

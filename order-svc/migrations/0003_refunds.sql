-- Money that goes back, and a journal of every change of state that no code path can skip.

-- How much of a payment is back with the payer, and how much is reserved for refunds that are not decided yet. The check is what
-- holds when two refunds race: whoever comes second is refused by the database.
ALTER TABLE payments
    ADD COLUMN refunded_fen    bigint NOT NULL DEFAULT 0 CHECK (0 <= refunded_fen),
    ADD COLUMN refunding_fen   bigint NOT NULL DEFAULT 0 CHECK (0 <= refunding_fen),
    -- The order's; here, so that attempts near their end are asked about first.
    ADD COLUMN expire_time     timestamptz,
    -- A surplus that waits for a person: by the merchant's policy, or because the provider refused to give it back.
    ADD COLUMN surplus_held_at timestamptz,
    ADD CONSTRAINT refunds_fit_the_payment CHECK (refunded_fen + refunding_fen <= amount_fen),
    ADD CONSTRAINT only_money_is_refunded CHECK (state = 'SUCCEEDED' OR refunded_fen + refunding_fen = 0),
    ADD CONSTRAINT only_a_surplus_is_held CHECK (surplus OR surplus_held_at IS NULL);
UPDATE payments AS p SET expire_time = o.expire_time FROM orders AS o WHERE o.order_id = p.order_id;
ALTER TABLE payments ALTER COLUMN expire_time SET NOT NULL;
-- A replica of the release before still writes attempts while this one starts.
CREATE FUNCTION fill_expire_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.expire_time IS NULL THEN
        SELECT o.expire_time INTO NEW.expire_time FROM orders AS o WHERE o.order_id = NEW.order_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fill_expire_time BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION fill_expire_time();
-- Surplus money that nobody has decided about; what is refunded or held leaves it by itself.
CREATE INDEX payments_surplus ON payments (payment_id)
    WHERE surplus AND surplus_held_at IS NULL AND refunded_fen + refunding_fen < amount_fen;
CREATE INDEX payments_held ON payments (surplus_held_at)
    WHERE surplus_held_at IS NOT NULL AND refunded_fen + refunding_fen < amount_fen;

ALTER TABLE orders DROP CONSTRAINT orders_state_check;
ALTER TABLE orders DROP CONSTRAINT orders_check1;
ALTER TABLE orders DROP CONSTRAINT orders_check2;
ALTER TABLE orders
    ADD CONSTRAINT orders_state_check
        CHECK (state IN ('PENDING', 'PAID', 'PARTIALLY_REFUNDED', 'REFUNDED', 'CLOSED')),
    ADD CONSTRAINT paid_orders_name_their_payment
        CHECK ((state IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED')) = (paid_payment_id IS NOT NULL)),
    ADD CONSTRAINT paid_orders_have_a_time
        CHECK ((state IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED')) = (paid_time IS NOT NULL));

CREATE TABLE refunds (
    -- Its 32 hex digits are the provider's `out_refund_no`.
    refund_id          uuid PRIMARY KEY,
    order_id           uuid        NOT NULL REFERENCES orders,
    payment_id         uuid        NOT NULL REFERENCES payments,
    -- As they are in the payment, so that every sending carries the same content.
    merchant           text        NOT NULL,
    provider           text        NOT NULL,
    mch_id             text        NOT NULL,
    app_id             text        NOT NULL,
    transaction_id     text        NOT NULL,
    total_fen          bigint      NOT NULL CHECK (0 < total_fen),
    amount_fen         bigint      NOT NULL CHECK (0 < amount_fen AND amount_fen <= total_fen),
    cause              text        NOT NULL CHECK (cause IN ('REQUESTED', 'SURPLUS')),
    -- What the payer reads.
    reason             text        NOT NULL CHECK (octet_length(reason) <= 80),
    state              text        NOT NULL
                       CHECK (state IN ('CREATED', 'PROCESSING', 'SUCCEEDED', 'ABNORMAL', 'CLOSED', 'REJECTED')),
    -- What a CREATED refund waits for.
    waiting            text        CHECK (waiting IN ('ANSWER', 'BALANCE', 'CONFIGURATION', 'RATE')),
    -- The provider's number of it, and its word for a refusal.
    provider_refund_id text,
    provider_code      text,
    create_time        timestamptz NOT NULL,
    success_time       timestamptz,
    -- How often the provider was asked to do it, counted before each sending; and which sending was last refused.
    sends              integer     NOT NULL DEFAULT 0,
    refused_sends      integer,
    sent_at            timestamptz,
    -- The same by the database's clock, moved as far as the clock of development is: only it is compared with "a minute ago"
    -- when that ends a refund, so that replicas with different clocks cannot end one that may still arrive.
    sent_on_db         timestamptz,
    -- Since when it has been unknown whether the provider accepted it.
    unknown_since      timestamptz,
    next_ask_at        timestamptz,
    asks               integer     NOT NULL DEFAULT 0,
    last_ask_at        timestamptz,
    claimed_until      timestamptz,
    CHECK (waiting IS NULL OR state = 'CREATED'),
    CHECK ((state = 'SUCCEEDED') = (success_time IS NOT NULL)),
    CHECK (state NOT IN ('PROCESSING', 'SUCCEEDED', 'ABNORMAL') OR provider_refund_id IS NOT NULL),
    CHECK (state IN ('CREATED', 'PROCESSING', 'ABNORMAL') OR next_ask_at IS NULL)
);
CREATE INDEX refunds_of_order ON refunds (order_id, refund_id);
CREATE INDEX refunds_of_payment ON refunds (payment_id);
CREATE INDEX refunds_to_ask ON refunds (merchant, next_ask_at) WHERE next_ask_at IS NOT NULL;
CREATE INDEX refunds_by_turn ON refunds (next_ask_at) WHERE next_ask_at IS NOT NULL;
CREATE INDEX refunds_undecided ON refunds (create_time) WHERE state IN ('CREATED', 'ABNORMAL');
-- One refund of an account at its provider is one refund of ours.
CREATE UNIQUE INDEX one_refund_per_number ON refunds (provider, mch_id, provider_refund_id) WHERE provider_refund_id IS NOT NULL;

-- Every version of an order and every state of its attempts and refunds, in the order in which they were written. Triggers fill
-- it, so it holds also what a path forgot or a hand changed, and they refuse what no state machine allows.
CREATE TABLE state_changes (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity     text        NOT NULL CHECK (entity IN ('order', 'payment', 'refund')),
    id         uuid        NOT NULL,
    order_id   uuid        NOT NULL,
    -- The order's version; null for the others.
    version    bigint,
    -- Null when it was written first.
    from_state text,
    to_state   text        NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX state_changes_of_order ON state_changes (order_id);
INSERT INTO state_changes (entity, id, order_id, version, to_state)
    SELECT 'order', order_id, order_id, version, state FROM orders ORDER BY order_id;
INSERT INTO state_changes (entity, id, order_id, to_state)
    SELECT 'payment', payment_id, order_id, state FROM payments ORDER BY payment_id;

CREATE FUNCTION is_legal(entity text, from_state text, to_state text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN CASE entity
    -- A version in the same state: an attempt, a wish, a reservation or a surplus is new.
    WHEN 'order' THEN from_state = to_state OR (from_state, to_state) IN (
        ('PENDING', 'PAID'), ('PENDING', 'CLOSED'),
        ('PAID', 'PARTIALLY_REFUNDED'), ('PAID', 'REFUNDED'), ('PARTIALLY_REFUNDED', 'REFUNDED'))
    WHEN 'payment' THEN (from_state, to_state) IN (
        ('CREATED', 'PENDING'), ('CREATED', 'SUCCEEDED'), ('CREATED', 'CLOSED'), ('CREATED', 'FAILED'),
        ('PENDING', 'SUCCEEDED'), ('PENDING', 'CLOSED'), ('PENDING', 'FAILED'),
        -- The payer can win every race, and that money is real.
        ('CLOSED', 'SUCCEEDED'), ('FAILED', 'SUCCEEDED'))
    ELSE (from_state, to_state) IN (
        ('CREATED', 'PROCESSING'), ('CREATED', 'SUCCEEDED'), ('CREATED', 'ABNORMAL'), ('CREATED', 'CLOSED'),
        ('CREATED', 'REJECTED'), ('PROCESSING', 'SUCCEEDED'), ('PROCESSING', 'ABNORMAL'), ('PROCESSING', 'CLOSED'),
        ('ABNORMAL', 'SUCCEEDED'), ('ABNORMAL', 'CLOSED'))
END;

CREATE FUNCTION note_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO state_changes (entity, id, order_id, version, to_state)
        VALUES ('order', NEW.order_id, NEW.order_id, NEW.version, NEW.state);
    ELSIF NEW.version <> OLD.version OR NEW.state <> OLD.state THEN
        IF NEW.version <> OLD.version + 1 OR NOT is_legal('order', OLD.state, NEW.state) THEN
            RAISE EXCEPTION 'order % cannot go from % version % to % version %',
                NEW.order_id, OLD.state, OLD.version, NEW.state, NEW.version;
        END IF;
        INSERT INTO state_changes (entity, id, order_id, version, from_state, to_state)
        VALUES ('order', NEW.order_id, NEW.order_id, NEW.version, OLD.state, NEW.state);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION note_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO state_changes (entity, id, order_id, to_state) VALUES ('payment', NEW.payment_id, NEW.order_id, NEW.state);
        RETURN NULL;
    END IF;
    IF NOT is_legal('payment', OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'payment % cannot go from % to %', NEW.payment_id, OLD.state, NEW.state;
    END IF;
    INSERT INTO state_changes (entity, id, order_id, from_state, to_state)
    VALUES ('payment', NEW.payment_id, NEW.order_id, OLD.state, NEW.state);
    RETURN NULL;
END $$;

CREATE FUNCTION note_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO state_changes (entity, id, order_id, to_state) VALUES ('refund', NEW.refund_id, NEW.order_id, NEW.state);
        RETURN NULL;
    END IF;
    IF NOT is_legal('refund', OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'refund % cannot go from % to %', NEW.refund_id, OLD.state, NEW.state;
    END IF;
    INSERT INTO state_changes (entity, id, order_id, from_state, to_state)
    VALUES ('refund', NEW.refund_id, NEW.order_id, OLD.state, NEW.state);
    RETURN NULL;
END $$;

CREATE TRIGGER note_order AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note_order();
CREATE TRIGGER note_new_payment AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION note_payment();
CREATE TRIGGER note_payment AFTER UPDATE ON payments FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION note_payment();
CREATE TRIGGER note_new_refund AFTER INSERT ON refunds FOR EACH ROW EXECUTE FUNCTION note_refund();
CREATE TRIGGER note_refund AFTER UPDATE ON refunds FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION note_refund();

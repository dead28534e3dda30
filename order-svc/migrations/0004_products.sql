-- Every method of payment, what an order tells besides its price, service-provider mode, and products with a QR code of their own.
-- Everything is only added: a replica of the release before still writes while this one starts, and what it leaves out has a
-- default that means what it means.

ALTER TABLE payments DROP CONSTRAINT payments_method_check;
ALTER TABLE payments
    ADD CONSTRAINT payments_method_check
        CHECK (method IN ('mini_program', 'jsapi', 'native', 'app', 'h5', 'pay_code', 'face', 'facepay')),
    -- Empty where the method names no payer.
    ALTER COLUMN openid SET DEFAULT '',
    -- The sub-merchant in service-provider mode, as it was when the attempt was written.
    ADD COLUMN sub_mch_id text NOT NULL DEFAULT '',
    -- What the method needs besides, the same in every sending: {"productId": …} of native, {"h5": …} of h5.
    ADD COLUMN details    jsonb CHECK (jsonb_typeof(details) = 'object');

ALTER TABLE refunds
    ADD COLUMN sub_mch_id text NOT NULL DEFAULT '',
    -- Which things go back, piece by piece; absent when the team did not say.
    ADD COLUMN goods      jsonb CHECK (jsonb_typeof(goods) = 'array');
-- A replica of the release before writes refunds without it, also of payments that have it.
CREATE FUNCTION fill_sub_mch_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sub_mch_id = '' THEN
        SELECT p.sub_mch_id INTO NEW.sub_mch_id FROM payments AS p WHERE p.payment_id = NEW.payment_id;
    END IF;
    -- No payment: the foreign key says so, in better words than a null would.
    NEW.sub_mch_id = coalesce(NEW.sub_mch_id, '');
    RETURN NEW;
END $$;
CREATE TRIGGER fill_sub_mch_id BEFORE INSERT ON refunds FOR EACH ROW EXECUTE FUNCTION fill_sub_mch_id();

-- A product with a fixed price and a QR code that never changes (Native mode 1). Each scan makes an order.
CREATE TABLE product_codes (
    -- Its 32 hex digits are the provider's `product_id`.
    product_code_id uuid PRIMARY KEY,
    app             text        NOT NULL CHECK (app ~ '^[a-z0-9-]{1,32}$'),
    product_no      text        NOT NULL CHECK (length(product_no) BETWEEN 1 AND 64),
    merchant        text        NOT NULL CHECK (merchant ~ '^[a-z0-9-]{1,32}$'),
    -- Account and app as they were when it was written; scans must agree with them.
    provider        text        NOT NULL,
    mch_id          text        NOT NULL,
    app_id          text        NOT NULL,
    amount_fen      bigint      NOT NULL CHECK (amount_fen BETWEEN 1 AND 100000000),
    description     text        NOT NULL CHECK (octet_length(description) BETWEEN 1 AND 127),
    particulars     jsonb       CHECK (jsonb_typeof(particulars) = 'object'),
    -- SHA-256 of what the caller asked for, without its request id: tells a repeated product_no from a reused one.
    content_sha256  bytea       NOT NULL CHECK (octet_length(content_sha256) = 32),
    create_time     timestamptz NOT NULL,
    -- When it was taken out of sale.
    close_time      timestamptz,
    UNIQUE (app, product_no)
);
-- Lists of one app, newest first (ids are UUIDv7).
CREATE INDEX product_codes_by_app ON product_codes (app, product_code_id DESC);

ALTER TABLE orders
    -- What else it tells the provider, as proto3 JSON of `tongbao.order.v1.Particulars`; the same with every attempt.
    ADD COLUMN particulars     jsonb CHECK (jsonb_typeof(particulars) = 'object'),
    -- Whose scan made it.
    ADD COLUMN product_code_id uuid REFERENCES product_codes;

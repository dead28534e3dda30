-- The same rules and the same ways in, for less: with the next two, of the instructions that Postgres spends on a paid fact in a batch of
-- 256, this saves a tenth (docs/performance.md says how they were counted). One table each: who holds one of them waits for no other.

-- A pattern that counts to 32 costs five times one that does not, and is matched again whenever an order changes. What differs stands
-- first in the key, so that a search compares one text at each step; whoever looks for a number names the whole key, and lists of an
-- app have orders_by_app.
ALTER TABLE orders
    DROP CONSTRAINT orders_app_check,
    DROP CONSTRAINT orders_merchant_check,
    ADD CONSTRAINT orders_app_check CHECK (app ~ '^[a-z0-9-]+$' AND length(app) <= 32),
    ADD CONSTRAINT orders_merchant_check CHECK (merchant ~ '^[a-z0-9-]+$' AND length(merchant) <= 32),
    DROP CONSTRAINT orders_app_order_no_key,
    ADD CONSTRAINT orders_app_order_no_key UNIQUE (order_no, app);

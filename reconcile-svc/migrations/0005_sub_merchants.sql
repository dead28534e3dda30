-- What a question about a number must repeat, from order.v1.payment.created. NULL where the event does not say: it is of an
-- earlier release, or the account is a direct merchant's.
ALTER TABLE book_payments
    ADD COLUMN sub_mch_id TEXT,
    -- The app that opens the cashier. A service provider's bill names the provider's app instead.
    ADD COLUMN app_id     TEXT,
    ADD COLUMN method     TEXT;

-- The sub-merchant in service-provider mode, as the provider says; empty otherwise.
ALTER TABLE provider_payments ADD COLUMN sub_mch_id TEXT NOT NULL DEFAULT '';

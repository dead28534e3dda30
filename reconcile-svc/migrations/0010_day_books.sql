-- Movements of money are looked up by the provider's number.
CREATE INDEX book_payments_by_transaction ON book_payments (merchant, transaction_id) WHERE transaction_id IS NOT NULL;
CREATE INDEX provider_payments_by_transaction ON provider_payments (merchant, transaction_id);
-- Which attempt paid an order: the others of it are surplus.
CREATE INDEX book_payments_that_paid ON book_payments (order_id) WHERE taken_as = 'PAID';

-- What the provider took was not rejected, whatever we concluded before we heard that.
ALTER TABLE book_refunds DROP COLUMN state;
ALTER TABLE book_refunds ADD COLUMN state TEXT NOT NULL GENERATED ALWAYS AS (
    CASE WHEN success_time IS NOT NULL THEN 'SUCCEEDED'
         WHEN failed_as = 'REJECTED' AND accept_time IS NOT NULL THEN 'PROCESSING'
         WHEN failed_as IS NOT NULL THEN failed_as
         WHEN accept_time IS NOT NULL THEN 'PROCESSING'
         ELSE 'CREATED' END) STORED;

-- What differs stands first in the key.
DROP INDEX one_attempt_per_transaction;
CREATE UNIQUE INDEX one_attempt_per_transaction ON payments (transaction_id, mch_id, provider)
    WHERE transaction_id IS NOT NULL;

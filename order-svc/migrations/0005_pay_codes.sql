-- Payments by pay code and by face: charged once, never again, and taken back when the payer does not finish. No callback tells
-- about them, so what ends them rests on the database's clock.

ALTER TABLE payments
    -- When it was written, by the database's clock, moved as far as the clock of development is: only it is compared with "a
    -- minute ago" when an unknown number ends a charge, so that replicas with different clocks cannot end one that may arrive.
    ADD COLUMN sent_on_db         timestamptz,
    -- Since when it has been taken back. Written before the first reversal leaves, and never removed.
    ADD COLUMN reversing_at       timestamptz,
    -- How often the provider was asked to take it back, counted before each sending; when last, by both clocks.
    ADD COLUMN reverses           integer NOT NULL DEFAULT 0,
    ADD COLUMN reverse_sent_at    timestamptz,
    ADD COLUMN reverse_sent_on_db timestamptz,
    -- The provider has said that it takes the attempt back no more: what it says of it from then on stays.
    ADD COLUMN reverse_too_late   boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT only_a_charge_is_reversed CHECK (reversing_at IS NULL OR method IN ('pay_code', 'face', 'facepay')),
    ADD CONSTRAINT reversals_are_counted CHECK (
        (reversing_at IS NOT NULL) = (0 < reverses) AND 0 <= reverses
        AND (reversing_at IS NULL) = (reverse_sent_at IS NULL) AND (reversing_at IS NULL) = (reverse_sent_on_db IS NULL)
        AND (reversing_at IS NOT NULL OR NOT reverse_too_late)),
    -- A reversal that is on its way takes the money back, whatever was said before.
    ADD CONSTRAINT what_is_reversed_is_not_kept CHECK (state <> 'SUCCEEDED' OR reversing_at IS NULL OR reverse_too_late),
    -- A pay code is sent once. A second charge would take a second code's money under the first one's number.
    ADD CONSTRAINT a_charge_is_sent_once
        CHECK (method NOT IN ('pay_code', 'face', 'facepay') OR (sends <= 1 AND sent_on_db IS NOT NULL));

-- Nobody is charged while another charge of the same order is not decided.
CREATE UNIQUE INDEX one_open_charge ON payments (order_id)
    WHERE method IN ('pay_code', 'face', 'facepay') AND state IN ('CREATED', 'PENDING');
CREATE INDEX payments_reversing ON payments (reversing_at)
    WHERE reversing_at IS NOT NULL AND state IN ('CREATED', 'PENDING');

-- The mark stays, and what was counted is not taken back: an end that was believed rests on them.
CREATE FUNCTION keep_reversing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reversing_at IS DISTINCT FROM OLD.reversing_at OR NEW.reverses < OLD.reverses
       OR (OLD.reverse_too_late AND NOT NEW.reverse_too_late) THEN
        RAISE EXCEPTION 'payment % is being reversed, and that cannot be undone', NEW.payment_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_reversing AFTER UPDATE ON payments FOR EACH ROW
    WHEN (OLD.reversing_at IS NOT NULL) EXECUTE FUNCTION keep_reversing();

-- As for orders, in the migration before.

CREATE FUNCTION note_new_payments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO state_changes (entity, id, order_id, to_state)
    SELECT 'payment', payment_id, order_id, state FROM fresh ORDER BY payment_id;
    RETURN NULL;
END $$;

CREATE FUNCTION note_payments() RETURNS trigger LANGUAGE plpgsql SET enable_hashjoin = on AS $$
DECLARE
    wrong record;
BEGIN
    SELECT fresh.payment_id, stale.state AS from_state, fresh.state AS to_state
    INTO wrong
    FROM fresh JOIN stale USING (payment_id)
    WHERE fresh.state <> stale.state AND NOT is_legal('payment', stale.state, fresh.state)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'payment % cannot go from % to %', wrong.payment_id, wrong.from_state, wrong.to_state;
    END IF;
    INSERT INTO state_changes (entity, id, order_id, from_state, to_state)
    SELECT 'payment', fresh.payment_id, fresh.order_id, stale.state, fresh.state
    FROM fresh JOIN stale USING (payment_id)
    WHERE fresh.state <> stale.state
    ORDER BY fresh.payment_id;
    RETURN NULL;
END $$;

DROP TRIGGER note_new_payment ON payments;
DROP TRIGGER note_payment ON payments;
DROP FUNCTION note_payment();
CREATE TRIGGER note_new_payments AFTER INSERT ON payments REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_new_payments();
CREATE TRIGGER note_payments AFTER UPDATE ON payments REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_payments();

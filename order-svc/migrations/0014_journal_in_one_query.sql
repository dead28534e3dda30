-- The journal's triggers looked at the changed rows twice: once for what no state machine allows, once to write them down. Each look is a
-- query with a join, and at a few rows it costs more than the rows. Now the line that is written is also what is checked. What is
-- refused, in which words, and what stands in the journal, is as before; of several wrong rows the one with the first id is named.
CREATE FUNCTION refuse_change(what text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', what;
END $$;

CREATE OR REPLACE FUNCTION note_orders() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = on SET enable_nestloop = off AS $$
BEGIN
    INSERT INTO state_changes (entity, id, order_id, version, from_state, to_state)
    SELECT 'order', fresh.order_id, fresh.order_id, fresh.version, stale.state,
           CASE WHEN fresh.version = stale.version + 1 AND is_legal('order', stale.state, fresh.state) THEN fresh.state
                ELSE refuse_change(format('order %s cannot go from %s version %s to %s version %s',
                                          fresh.order_id, stale.state, stale.version, fresh.state, fresh.version))
           END
    FROM fresh JOIN stale USING (order_id)
    WHERE fresh.version <> stale.version OR fresh.state <> stale.state
    ORDER BY fresh.order_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION note_payments() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = on SET enable_nestloop = off AS $$
BEGIN
    INSERT INTO state_changes (entity, id, order_id, from_state, to_state)
    SELECT 'payment', fresh.payment_id, fresh.order_id, stale.state,
           CASE WHEN is_legal('payment', stale.state, fresh.state) THEN fresh.state
                ELSE refuse_change(format('payment %s cannot go from %s to %s',
                                          fresh.payment_id, stale.state, fresh.state))
           END
    FROM fresh JOIN stale USING (payment_id)
    WHERE fresh.state <> stale.state
    ORDER BY fresh.payment_id;
    RETURN NULL;
END $$;

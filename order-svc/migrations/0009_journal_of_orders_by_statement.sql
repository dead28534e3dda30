-- The journal of states is written once per statement instead of once per row: a batch of facts changes hundreds of rows, and each
-- row's own call cost as much as its change. What is refused, and what stands in the journal, is as before. Payments follow in a migration of their own: whoever
-- needs both tables at one time waits for the release before, which takes them in another order.

-- The tables of old and new rows are joined by their ids. They have no index, so this needs the join by hash that order-svc's
-- connections are otherwise told to avoid.
CREATE FUNCTION note_new_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO state_changes (entity, id, order_id, version, to_state)
    SELECT 'order', order_id, order_id, version, state FROM fresh ORDER BY order_id;
    RETURN NULL;
END $$;

CREATE FUNCTION note_orders() RETURNS trigger LANGUAGE plpgsql SET enable_hashjoin = on AS $$
DECLARE
    wrong record;
BEGIN
    SELECT fresh.order_id, stale.state AS from_state, stale.version AS from_version, fresh.state AS to_state,
           fresh.version AS to_version
    INTO wrong
    FROM fresh JOIN stale USING (order_id)
    WHERE (fresh.version <> stale.version OR fresh.state <> stale.state)
      AND (fresh.version <> stale.version + 1 OR NOT is_legal('order', stale.state, fresh.state))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'order % cannot go from % version % to % version %',
            wrong.order_id, wrong.from_state, wrong.from_version, wrong.to_state, wrong.to_version;
    END IF;
    INSERT INTO state_changes (entity, id, order_id, version, from_state, to_state)
    SELECT 'order', fresh.order_id, fresh.order_id, fresh.version, stale.state, fresh.state
    FROM fresh JOIN stale USING (order_id)
    WHERE fresh.version <> stale.version
    ORDER BY fresh.order_id;
    RETURN NULL;
END $$;

DROP TRIGGER note_order ON orders;
DROP FUNCTION note_order();
CREATE TRIGGER note_new_orders AFTER INSERT ON orders REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_new_orders();
CREATE TRIGGER note_orders AFTER UPDATE ON orders REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_orders();

-- The journal is read by order, in the order of its lines: one index instead of two.
ALTER TABLE state_changes DROP CONSTRAINT state_changes_pkey, ADD PRIMARY KEY (order_id, seq);
DROP INDEX state_changes_of_order;

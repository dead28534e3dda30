-- A plan of these functions is made once in each session and kept. Where the first statement of a session changed one row, the tables
-- of old and new rows were joined by a loop within a loop from then on: 500 rows by 250,000 comparisons.
ALTER FUNCTION note_orders() SET enable_nestloop = off;
ALTER FUNCTION note_payments() SET enable_nestloop = off;

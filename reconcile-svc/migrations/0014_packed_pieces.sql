-- The pieces are gzip already: Postgres would try to pack each once more, and keep it as it is.
ALTER TABLE bill_pieces ALTER COLUMN gzip SET STORAGE EXTERNAL;

-- What was read without a lock is written only if it is still so. One statement changes several tables, and it is all or nothing:
-- it counts what it has changed, and stops itself with the code of a failed serialization, which means "read again".
CREATE FUNCTION expect_rows(changed bigint, wanted bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF changed <> wanted THEN
        RAISE EXCEPTION 'only % of % rows are as they were read', changed, wanted USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN true;
END $$;

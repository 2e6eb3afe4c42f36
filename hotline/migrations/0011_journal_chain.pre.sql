-- Each row of the journal carries the hash of the one before it, so that a changed, removed or
-- inserted row is found (`hotline audit verify`); the head also finds a removed last one.
ALTER TABLE journal ADD COLUMN prev bytea, ADD COLUMN hash bytea;

CREATE TABLE journal_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id       bigint NOT NULL,
    rows     bigint NOT NULL,
    hash     bytea NOT NULL
) WITH (fillfactor = 10);
INSERT INTO journal_head (id, rows, hash) VALUES (0, 0, decode(repeat('00', 32), 'hex'));

-- A value with its length in bytes before it, so that no two rows read the same.
CREATE FUNCTION journal_part(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(octet_length(convert_to(value, 'UTF8')) || ':' || value, '-') || ','
$$;
CREATE FUNCTION journal_hash(it journal) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(it.prev || convert_to(
        journal_part(it.id::text)
        || journal_part(to_char(it.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))
        || journal_part(it.actor)
        || journal_part(it.event)
        || journal_part(it.call_id::text)
        || journal_part(it.case_id::text)
        || journal_part(it.body::text), 'UTF8'))
$$;

-- The writers take turns (journal_take_turns), so the head is nobody else's until the commit.
CREATE FUNCTION journal_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT hash INTO STRICT NEW.prev FROM journal_head;
    NEW.hash := journal_hash(NEW);
    UPDATE journal_head SET id = NEW.id, rows = rows + 1, hash = NEW.hash;
    RETURN NEW;
END $$;

ALTER TABLE journal DISABLE TRIGGER journal_kept;
DO $$
DECLARE
    it journal;
BEGIN
    FOR it IN SELECT * FROM journal ORDER BY id LOOP
        SELECT hash INTO STRICT it.prev FROM journal_head;
        it.hash := journal_hash(it);
        UPDATE journal SET prev = it.prev, hash = it.hash WHERE id = it.id;
        UPDATE journal_head SET id = it.id, rows = rows + 1, hash = it.hash;
    END LOOP;
END $$;
ALTER TABLE journal ENABLE TRIGGER journal_kept;
ALTER TABLE journal ALTER COLUMN prev SET NOT NULL, ALTER COLUMN hash SET NOT NULL;
CREATE TRIGGER journal_chained BEFORE INSERT ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_chain();

-- Deleting by class when the time has come; the proof stands in the journal (retaining.py).
ALTER TABLE recordings DROP CONSTRAINT recordings_state_check;
ALTER TABLE recordings ADD CONSTRAINT recordings_state_check CHECK (state IN
    ('expected', 'stored', 'missing', 'damaged', 'deleted'));

-- Recordings that were decided upon and whose sound is still to be deleted: a killed run goes on here.
CREATE TABLE retention_items (
    call_id    bigint NOT NULL REFERENCES calls (id),
    leg        text NOT NULL,
    kept_in    text NOT NULL,
    path       text NOT NULL,
    sha256     text NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (call_id, leg)
);

-- What belongs to a matter that is open, disputed or protected is kept, however old it is.
CREATE FUNCTION case_is_held(wanted bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM cases k
         WHERE k.id = wanted
           AND (k.state NOT IN ('closed', 'archived')
                OR EXISTS (SELECT FROM protections p WHERE p.case_id = k.id AND p.ended_at IS NULL)
                OR EXISTS (SELECT FROM supervisions s
                            WHERE s.case_id = k.id AND s.state <> 'cleared')))
$$;
CREATE FUNCTION call_is_held(wanted bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM cases k WHERE k.call_id = wanted AND case_is_held(k.id))
        OR EXISTS (SELECT FROM callbacks b WHERE b.call_id = wanted AND b.done_at IS NULL)
        OR EXISTS (SELECT FROM calls c WHERE c.id = wanted AND c.ended_at IS NULL)
$$;

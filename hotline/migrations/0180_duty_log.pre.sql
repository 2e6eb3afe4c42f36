-- The log of the duty line. Every citizen's call of a duty line has its entry from the moment the
-- call is stored, by the database itself; visits, faxes and other telephones are entered by hand.

CREATE TABLE duty_lines (line text PRIMARY KEY);
INSERT INTO duty_lines VALUES ('duty');

-- Identity lies apart and sealed: who reported is no part of what was reported.
CREATE TABLE duty_reporters (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit  sealed,
    name  sealed,
    post  sealed,
    phone sealed
);

-- An entry is its newest version; version 0 says that nobody has written anything yet.
CREATE TABLE duty_log (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line    text NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('call', 'visit', 'fax', 'phone', 'other')),
    call_id bigint UNIQUE REFERENCES calls (id),
    at      timestamptz NOT NULL,
    newest  integer NOT NULL DEFAULT 0 CHECK (newest >= 0),
    done    boolean NOT NULL DEFAULT false,
    CHECK ((kind = 'call') = (call_id IS NOT NULL)),
    CHECK (newest > 0 OR (kind = 'call' AND NOT done))
);
CREATE INDEX duty_log_open ON duty_log (line, id) WHERE NOT done;

CREATE TABLE duty_log_versions (
    entry_id bigint NOT NULL REFERENCES duty_log (id),
    version  integer NOT NULL CHECK (version > 0),
    at       timestamptz NOT NULL,
    by       text NOT NULL CHECK (by <> ''),
    done     boolean NOT NULL,
    case_id  bigint REFERENCES cases (id),
    reporter bigint REFERENCES duty_reporters (id),
    content  jsonb NOT NULL,
    PRIMARY KEY (entry_id, version)
);
CREATE TRIGGER duty_log_versions_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON duty_log_versions
    FOR EACH STATEMENT EXECUTE FUNCTION rows_stay();
CREATE INDEX duty_log_versions_case ON duty_log_versions (case_id) WHERE case_id IS NOT NULL;

CREATE FUNCTION duty_log_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO duty_log (line, kind, call_id, at)
    SELECT NEW.line, 'call', NEW.id, NEW.started_at FROM duty_lines WHERE line = NEW.line;
    RETURN NULL;
END $$;
CREATE TRIGGER calls_duty_log AFTER INSERT ON calls
    FOR EACH ROW WHEN (NEW.kind = 'citizen') EXECUTE FUNCTION duty_log_call();

-- A line that becomes a duty line brings the calls it had before.
CREATE FUNCTION duty_line_begins(named text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM duty_lines WHERE line = named) THEN RETURN; END IF;
    LOCK TABLE calls IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO duty_lines VALUES (named) ON CONFLICT DO NOTHING;
    INSERT INTO duty_log (line, kind, call_id, at)
    SELECT line, 'call', id, started_at FROM calls
     WHERE line = named AND kind = 'citizen' ORDER BY id ON CONFLICT DO NOTHING;
END $$;

INSERT INTO duty_log (line, kind, call_id, at)
SELECT line, 'call', id, started_at FROM calls
 WHERE line IN (SELECT line FROM duty_lines) AND kind = 'citizen' ORDER BY id;

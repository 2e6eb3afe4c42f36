-- Every form by which something was ever judged, as it stood then.
CREATE TABLE inspection_forms (
    fingerprint text PRIMARY KEY,
    name        text NOT NULL,
    content     jsonb NOT NULL,
    first_at    timestamptz NOT NULL
);

-- Every answered call inspected by a form. The machine's score is advice: no table of people's
-- evaluation takes it (0211). One row for a call, a form and what was heard; the newest is `current`.
CREATE TABLE inspections (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_id     bigint NOT NULL REFERENCES calls (id),
    form        text NOT NULL,
    fingerprint text NOT NULL REFERENCES inspection_forms (fingerprint),
    heard       text NOT NULL,
    line        text NOT NULL,
    operator    text,
    answered_at timestamptz NOT NULL,
    score       numeric(5, 2) CHECK (score BETWEEN 0 AND 100),
    reason      text,
    low         boolean NOT NULL,
    serious     boolean NOT NULL,
    measures    jsonb,
    made_at     timestamptz NOT NULL,
    current     boolean NOT NULL DEFAULT true,
    UNIQUE (call_id, fingerprint, heard),
    CHECK ((score IS NULL) = (reason IS NOT NULL)),
    CHECK (score IS NOT NULL OR NOT low)
);
CREATE UNIQUE INDEX inspections_current ON inspections (call_id) WHERE current;
CREATE INDEX inspections_operator ON inspections (operator, call_id DESC) WHERE current;
CREATE INDEX inspections_answered ON inspections (answered_at) WHERE current;

-- How each item of the form stands; `position` is its place in the form.
CREATE TABLE inspection_items (
    inspection_id bigint NOT NULL REFERENCES inspections (id) ON DELETE CASCADE,
    position      integer NOT NULL,
    item          text NOT NULL,
    verdict       text NOT NULL CHECK (verdict IN ('kept', 'lost', 'not_asked', 'not_judged')),
    weight        integer NOT NULL CHECK (weight > 0),
    lost          integer NOT NULL CHECK (lost BETWEEN 0 AND weight),
    reason        text,
    PRIMARY KEY (inspection_id, item),
    CHECK (verdict = 'lost' OR lost = 0)
);
CREATE INDEX inspection_items_lost ON inspection_items (item, inspection_id) WHERE verdict = 'lost';

-- Every fault, with the leg and the seconds to listen to. The words go where the transcript's go.
CREATE TABLE inspection_deductions (
    inspection_id bigint NOT NULL REFERENCES inspections (id) ON DELETE CASCADE,
    position      integer NOT NULL,
    item          text NOT NULL,
    points        integer NOT NULL CHECK (points >= 0),
    reason        text NOT NULL,
    leg           text CHECK (leg IN ('caller', 'operator')),
    starts        double precision NOT NULL CHECK (starts >= 0),
    ends          double precision NOT NULL CHECK (ends >= starts),
    words         text,
    facts         jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (inspection_id, position)
);

-- Whatever empties a transcript (its period is over, a person asked for it, another recording came)
-- empties what was quoted from it in the same statement.
CREATE FUNCTION forget_quotes() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE inspection_deductions d SET words = NULL
      FROM inspections i
     WHERE i.id = d.inspection_id AND i.call_id = NEW.call_id AND d.words IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER transcripts_quoted AFTER UPDATE OF text ON transcripts
    FOR EACH ROW WHEN (coalesce(NEW.text, '') = '' AND coalesce(OLD.text, '') <> '')
    EXECUTE FUNCTION forget_quotes();

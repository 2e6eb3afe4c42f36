-- Who must not find a case. A protected case (a report against officials, or against this office) is
-- found by discipline alone, and by whoever took it until discipline has it; from any case people
-- and units can be kept apart. Nobody is ever taken off these lists: a row ends, with who ended it.
CREATE TABLE protections (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id        bigint NOT NULL REFERENCES cases (id),
    against_office boolean NOT NULL,
    taker          text NOT NULL CHECK (taker <> ''),
    marked_at      timestamptz NOT NULL,
    marked_by      text NOT NULL CHECK (marked_by <> ''),
    handed_at      timestamptz,
    handed_to      text,
    ended_at       timestamptz,
    ended_by       text,
    CHECK ((handed_at IS NULL) = (handed_to IS NULL)),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX protections_case ON protections (case_id) WHERE ended_at IS NULL;

CREATE TABLE kept_apart (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id  bigint NOT NULL REFERENCES cases (id),
    person   text CHECK (person <> ''),
    unit     text CHECK (unit <> ''),
    because  text NOT NULL CHECK (because IN ('accused', 'chain', 'declared', 'asked', 'rule')),
    since    timestamptz NOT NULL,
    by       text NOT NULL CHECK (by <> ''),
    ended_at timestamptz,
    ended_by text,
    CHECK (num_nonnulls(person, unit) = 1),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX kept_apart_person ON kept_apart (person, case_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX kept_apart_unit ON kept_apart (unit, case_id) WHERE ended_at IS NULL;
CREATE INDEX kept_apart_case ON kept_apart (case_id);

-- The accused who are no users, in the caller's words: name and post.
CREATE TABLE accused_others (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint NOT NULL REFERENCES cases (id),
    said    sealed NOT NULL,
    at      timestamptz NOT NULL,
    by      text NOT NULL
);
CREATE INDEX accused_others_case ON accused_others (case_id);

-- The one place that says which cases a person must not find. A viewer is {"names": [login, seat],
-- "unit": ..., "discipline": true}; '{}' is somebody who is nobody, as the figures are counted.
-- Each names its own tables for good, whatever the asker's search_path puts before them.
CREATE FUNCTION hidden_cases(viewer jsonb) RETURNS SETOF bigint LANGUAGE sql STABLE ROWS 20
SET search_path FROM CURRENT AS $$
    SELECT case_id FROM kept_apart
     WHERE ended_at IS NULL AND (person IN (SELECT jsonb_array_elements_text(viewer -> 'names'))
                                 OR unit = viewer ->> 'unit')
    UNION
    SELECT case_id FROM protections
     WHERE ended_at IS NULL
       AND NOT (coalesce((viewer ->> 'discipline')::boolean, false)
                OR (handed_at IS NULL
                    AND taker IN (SELECT jsonb_array_elements_text(viewer -> 'names'))))
$$;

-- The calls they came by, and those that were dialled for them.
CREATE FUNCTION hidden_calls(viewer jsonb) RETURNS SETOF bigint LANGUAGE sql STABLE ROWS 20
SET search_path FROM CURRENT AS $$
    WITH hidden AS (
        SELECT id, call_id FROM cases WHERE id = ANY (ARRAY(SELECT hidden_cases(viewer))))
    SELECT call_id FROM hidden WHERE call_id IS NOT NULL
    UNION
    SELECT c.id FROM hidden JOIN dial_orders d ON d.case_id = hidden.id OR d.call_id = hidden.call_id
      JOIN calls c ON c.system = d.system AND c.linked_id = d.channel
$$;

-- What the service writes for everybody to read (a screen pop, a notice) names none of these.
CREATE FUNCTION withheld_cases() RETURNS SETOF bigint LANGUAGE sql STABLE ROWS 20
SET search_path FROM CURRENT AS $$
    SELECT case_id FROM protections WHERE ended_at IS NULL
    UNION
    SELECT case_id FROM kept_apart WHERE ended_at IS NULL
$$;

-- Many cases of one sort in one area at once (routing/bursts.py). A burst is raised once, grows,
-- is acknowledged by a person and ends by itself; a case belongs to one burst at most.
CREATE TABLE bursts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sort            text NOT NULL CHECK (sort IN ('alike', 'category')),
    area            text,
    level1          text,
    first_case      bigint NOT NULL UNIQUE REFERENCES cases (id),
    raised_at       timestamptz NOT NULL,
    stretch         interval NOT NULL,
    raised_with     integer NOT NULL CHECK (raised_with > 0),
    usual           real NOT NULL,
    last_at         timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    ended_at        timestamptz,
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
CREATE UNIQUE INDEX bursts_of_category ON bursts (area, level1)
    WHERE sort = 'category' AND ended_at IS NULL;
CREATE INDEX bursts_open ON bursts (id) WHERE ended_at IS NULL OR acknowledged_at IS NULL;

CREATE TABLE burst_cases (
    case_id  bigint PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    burst_id bigint NOT NULL REFERENCES bursts (id)
);
CREATE INDEX burst_cases_burst ON burst_cases (burst_id, case_id);
-- What an area usually has of a category.
CREATE INDEX cases_area_level1 ON cases (area, level1, drafted_at) WHERE area IS NOT NULL;

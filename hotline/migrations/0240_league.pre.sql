-- The league table of a month as it was frozen: with the rules it was made by and every number behind
-- each score, so that anybody can compute it again. A later version follows granted appeals; none is
-- ever changed. It holds units and counts, nothing of a person.
CREATE TABLE league_snapshots (
    month       date NOT NULL CHECK (extract(day FROM month) = 1),
    version     integer NOT NULL CHECK (version > 0),
    rules       text NOT NULL,
    fingerprint text NOT NULL,
    content     json NOT NULL,
    sha256      text NOT NULL,
    frozen_at   timestamptz NOT NULL,
    frozen_by   text NOT NULL CHECK (frozen_by <> ''),
    PRIMARY KEY (month, version)
);
CREATE TRIGGER league_snapshots_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON league_snapshots
    FOR EACH STATEMENT EXECUTE FUNCTION rows_stay();

-- A unit says that an item counted against it and should not have. Why is a word of a fixed list, so
-- that nothing of a caller is written here.
CREATE TABLE league_appeals (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    month      date NOT NULL CHECK (extract(day FROM month) = 1),
    unit       text NOT NULL CHECK (unit <> ''),
    indicator  text NOT NULL,
    case_id    bigint NOT NULL REFERENCES cases (id),
    reason     text NOT NULL CHECK (reason IN
        ('not_ours', 'beyond_duty', 'caller_unreachable', 'law_enforcement', 'force', 'miscounted')),
    asked_at   timestamptz NOT NULL,
    asked_by   text NOT NULL CHECK (asked_by <> ''),
    granted    boolean,
    decided_at timestamptz,
    decided_by text,
    UNIQUE (month, unit, indicator, case_id),
    CHECK (num_nonnulls(granted, decided_at, decided_by) IN (0, 3))
);
CREATE INDEX league_appeals_case ON league_appeals (case_id);

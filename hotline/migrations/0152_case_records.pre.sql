-- What a piece of evidence shows; what was found on the spot; units called to come to a caller; what
-- was sent to a caller's telephone.

ALTER TABLE case_evidence ADD COLUMN sort text NOT NULL DEFAULT 'handling'
    CHECK (sort IN ('identity', 'contact', 'handling'));

ALTER TABLE case_texts
    DROP CONSTRAINT case_texts_sort_check,
    ADD CONSTRAINT case_texts_sort_check CHECK (sort IN
        ('summary', 'reply', 'public_reply', 'reason', 'basis', 'ruling', 'comment', 'feedback',
         'channel', 'told', 'unsolved_reason', 'not_contacted', 'place', 'found'));

-- The words stand in case_texts, under these digests.
CREATE TABLE case_visits (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id    bigint NOT NULL REFERENCES cases (id),
    visited_at timestamptz NOT NULL,
    place      text NOT NULL,
    found      text NOT NULL,
    reply      text NOT NULL CHECK (reply IN ('true', 'untrue', 'none')),
    evidence   bigint[] NOT NULL DEFAULT '{}',
    by         text NOT NULL CHECK (by <> ''),
    unit       text,
    at         timestamptz NOT NULL
);
CREATE INDEX case_visits_case ON case_visits (case_id, id);

CREATE TABLE comings (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id         bigint NOT NULL REFERENCES cases (id),
    unit            text NOT NULL CHECK (unit <> ''),
    place           text NOT NULL,
    reason          text NOT NULL,
    state           text NOT NULL DEFAULT 'asked'
        CHECK (state IN ('asked', 'acknowledged', 'arrived', 'withdrawn')),
    asked_at        timestamptz NOT NULL,
    asked_by        text NOT NULL CHECK (asked_by <> ''),
    due_at          timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    comes_at        timestamptz,
    ended_at        timestamptz,
    ended_by        text,
    CHECK ((state = 'asked') <= (acknowledged_at IS NULL)),
    CHECK ((state IN ('arrived', 'withdrawn')) = (ended_at IS NOT NULL))
);
CREATE INDEX comings_open ON comings (unit, id) WHERE state IN ('asked', 'acknowledged');
CREATE INDEX comings_case ON comings (case_id, id);
CREATE UNIQUE INDEX comings_once ON comings (case_id, unit) WHERE state IN ('asked', 'acknowledged');

-- A notice to a caller names nobody: the number is opened when it is sent.
ALTER TABLE notices ADD COLUMN caller uuid REFERENCES identities (token);

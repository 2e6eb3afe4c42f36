-- Supervision (督办): records, tracked items, fault records, and when each is next to be looked at.

-- What a leader, a delegate, a proposal, a yearly plan or a meeting gave a unit to do. Without a
-- unit it is the office's own.
CREATE TABLE tracked_items (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type        text NOT NULL
        CHECK (type IN ('leader', 'suggestion', 'proposal', 'target', 'decision')),
    title       text NOT NULL CHECK (title <> ''),
    source      text NOT NULL CHECK (source <> ''),
    unit        text CHECK (unit <> ''),
    person      text CHECK (person <> ''),
    urgency     text NOT NULL CHECK (urgency IN ('normal', 'urgent', 'emergency')),
    state       text NOT NULL CHECK (state IN ('given', 'going', 'reported', 'done', 'ended')),
    policy      text NOT NULL,
    due_at      timestamptz NOT NULL CHECK (due_at > given_at),
    given_at    timestamptz NOT NULL,
    given_by    text NOT NULL,
    signed_at   timestamptz,
    signed_by   text,
    reported_at timestamptz,
    settled_at  timestamptz,
    settled_by  text,
    case_id     bigint REFERENCES cases (id),
    version     bigint NOT NULL DEFAULT 0,
    look_at     timestamptz NOT NULL DEFAULT '-infinity',
    CHECK ((settled_at IS NULL) = (state NOT IN ('done', 'ended')))
);
CREATE INDEX tracked_items_look ON tracked_items (look_at) WHERE look_at < 'infinity';
CREATE INDEX tracked_items_unit ON tracked_items (unit, id);
CREATE INDEX tracked_items_due ON tracked_items (due_at) WHERE settled_at IS NULL;

-- One row for each reason to supervise one thing: what finds it again opens nothing twice.
CREATE TABLE supervisions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type        text NOT NULL CHECK (type IN ('call_order', 'leader', 'suggestion', 'proposal',
        'target', 'decision', 'knowledge')),
    subject     text NOT NULL CHECK (subject <> ''),
    case_id     bigint REFERENCES cases (id),
    tracked_id  bigint REFERENCES tracked_items (id),
    card_id     bigint REFERENCES cards (id),
    trigger     text NOT NULL CHECK (trigger IN ('not_signed', 'overdue', 'returned', 'repeated',
        'concentrated', 'stale_card', 'by_hand')),
    occasion    text NOT NULL CHECK (occasion <> ''),
    stage       text,
    ends_at     timestamptz,
    since       timestamptz NOT NULL,
    facts       jsonb NOT NULL,
    kind        text,
    urgency     text NOT NULL CHECK (urgency IN ('normal', 'urgent', 'emergency')),
    unit        text,
    person      text,
    level       text NOT NULL CHECK (level IN ('urge', 'supervise', 'list')),
    receiver    text NOT NULL CHECK (receiver IN ('unit', 'head', 'leader')),
    state       text NOT NULL CHECK (state IN ('open', 'answered', 'cleared')),
    policy      text NOT NULL,
    basis       text NOT NULL,
    limit_basis text NOT NULL,
    opened_at   timestamptz NOT NULL,
    opened_by   text NOT NULL,
    level_at    timestamptz NOT NULL,
    due_at      timestamptz,
    noticed_at  timestamptz,
    noticed_by  text,
    answered_at timestamptz,
    answered_by text,
    cleared_at  timestamptz,
    cleared_by  text,
    version     bigint NOT NULL DEFAULT 0,
    look_at     timestamptz NOT NULL,
    UNIQUE (subject, trigger, occasion),
    CHECK ((state = 'cleared') = (cleared_at IS NOT NULL)),
    CHECK ((cleared_at IS NULL) = (cleared_by IS NULL)),
    CHECK (level_at >= opened_at)
);
CREATE INDEX supervisions_look ON supervisions (look_at) WHERE state <> 'cleared';
CREATE INDEX supervisions_case ON supervisions (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX supervisions_tracked ON supervisions (tracked_id) WHERE tracked_id IS NOT NULL;
CREATE INDEX supervisions_unit ON supervisions (unit, id);
CREATE INDEX supervisions_open ON supervisions (level, unit) WHERE state <> 'cleared';

-- The cases of a burst: its record is of no single one.
CREATE TABLE supervision_cases (
    supervision_id bigint NOT NULL REFERENCES supervisions (id),
    case_id        bigint NOT NULL REFERENCES cases (id),
    PRIMARY KEY (supervision_id, case_id)
);

-- A fault of a unit or person: what happened, never what follows from it. There is no penalty here.
CREATE TABLE fault_records (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fact         text NOT NULL CHECK (fact IN ('late', 'false_reply', 'leak', 'rude',
        'pushed_away', 'not_signed', 'faked', 'other')),
    unit         text CHECK (unit <> ''),
    person       text CHECK (person <> ''),
    case_id      bigint REFERENCES cases (id),
    supervision_id bigint REFERENCES supervisions (id),
    happened_at  timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    recorded_by  text NOT NULL,
    state        text NOT NULL CHECK (state IN ('recorded', 'upheld', 'dismissed', 'appealed')),
    decided_at   timestamptz,
    decided_by   text,
    appealed_at  timestamptz,
    appealed_by  text,
    appeal_decided_at timestamptz,
    appeal_decided_by text,
    version      bigint NOT NULL DEFAULT 0,
    CHECK (unit IS NOT NULL OR person IS NOT NULL),
    CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
    CHECK (decided_by <> recorded_by),
    CHECK (appeal_decided_by <> decided_by),
    CHECK (appeal_decided_by <> recorded_by)
);
CREATE INDEX fault_records_person ON fault_records (person, id);
CREATE INDEX fault_records_unit ON fault_records (unit, id);

-- What people wrote; the journal keeps sha256(salt + text) of each, as with a case's texts.
CREATE TABLE supervision_texts (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    supervision_id bigint REFERENCES supervisions (id),
    tracked_id     bigint REFERENCES tracked_items (id),
    fault_id       bigint REFERENCES fault_records (id),
    at             timestamptz NOT NULL,
    actor          text NOT NULL,
    unit           text,
    step           text NOT NULL,
    text           text,
    salt           bytea NOT NULL,
    digest         text NOT NULL UNIQUE,
    erased_at      timestamptz,
    CHECK (num_nonnulls(supervision_id, tracked_id, fault_id) = 1),
    CHECK ((text IS NULL) = (erased_at IS NOT NULL))
);
CREATE INDEX supervision_texts_record ON supervision_texts (supervision_id, id);
CREATE INDEX supervision_texts_tracked ON supervision_texts (tracked_id, id);
CREATE INDEX supervision_texts_fault ON supervision_texts (fault_id, id);

-- Papers and pictures; the contents lie where a case's evidence lies.
CREATE TABLE supervision_evidence (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    supervision_id bigint REFERENCES supervisions (id),
    tracked_id     bigint REFERENCES tracked_items (id),
    fault_id       bigint REFERENCES fault_records (id),
    name           text NOT NULL CHECK (name <> ''),
    media_type     text NOT NULL,
    sha256         text NOT NULL,
    size           bigint NOT NULL CHECK (size > 0),
    path           text NOT NULL,
    added_by       text NOT NULL,
    added_unit     text,
    added_at       timestamptz NOT NULL,
    CHECK (num_nonnulls(supervision_id, tracked_id, fault_id) = 1)
);
CREATE INDEX supervision_evidence_record ON supervision_evidence (supervision_id, id);
CREATE INDEX supervision_evidence_tracked ON supervision_evidence (tracked_id, id);
CREATE INDEX supervision_evidence_fault ON supervision_evidence (fault_id, id);

-- One row for each case whose past and clocks are still to be looked at. Every change of a case puts
-- it back to `-infinity`, its end too: what was late and is over needs its record as well. A row goes
-- when an ended case was looked at. `matter_at` is the opening whose caller and matter were counted.
CREATE TABLE supervision_looks (
    case_id    bigint PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    look_at    timestamptz NOT NULL DEFAULT '-infinity',
    changed_in bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    matter_at  timestamptz
);
CREATE INDEX supervision_looks_next ON supervision_looks (look_at);

CREATE FUNCTION supervision_looks_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO supervision_looks (case_id) SELECT id FROM changed ORDER BY id
    ON CONFLICT (case_id) DO UPDATE
       SET look_at = '-infinity', changed_in = pg_current_xact_id()::text::bigint;
    RETURN NULL;
END $$;
CREATE TRIGGER cases_begun_supervised AFTER INSERT ON cases REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION supervision_looks_again();
CREATE TRIGGER cases_changed_supervised AFTER UPDATE ON cases REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION supervision_looks_again();
INSERT INTO supervision_looks (case_id)
SELECT id FROM cases WHERE state NOT IN ('closed', 'archived');

CREATE INDEX cases_matter ON cases (level1, area, drafted_at) WHERE opened_at IS NOT NULL;

-- The whole life of a case: signing, returns, consultation, extensions, call-back, archive.

ALTER TABLE cases
    ADD COLUMN version         bigint NOT NULL DEFAULT 0,
    ADD COLUMN helpers         text[] NOT NULL DEFAULT '{}',
    ADD COLUMN asked           text[] NOT NULL DEFAULT '{}',
    ADD COLUMN offered_to      text,
    ADD COLUMN given_at        timestamptz,
    ADD COLUMN signed_at       timestamptz,
    ADD COLUMN archived_at     timestamptz,
    ADD COLUMN reopened_at     timestamptz,
    ADD COLUMN due_at          timestamptz,
    ADD COLUMN asked_days      integer CHECK (asked_days > 0),
    ADD COLUMN extended_days   integer[] NOT NULL DEFAULT '{}',
    ADD COLUMN statutory       text,
    ADD COLUMN return_ruled    boolean NOT NULL DEFAULT false,
    ADD COLUMN level           integer NOT NULL DEFAULT 0 CHECK (level BETWEEN 0 AND 2),
    ADD COLUMN unit_solved     text CHECK (unit_solved IN ('yes', 'no')),
    ADD COLUMN solved          text CHECK (solved IN ('yes', 'no', 'not_answered')),
    ADD COLUMN satisfied       text CHECK (satisfied IN
        ('satisfied', 'basically', 'dissatisfied', 'not_answered')),
    ADD COLUMN call_back_tries integer NOT NULL DEFAULT 0,
    ADD COLUMN outcome         text CHECK (outcome IN
        ('direct', 'handled', 'explained', 'terminated', 'withdrawn')),
    ADD COLUMN explanation     text CHECK (explanation IN
        ('emergency_transfer', 'other_channel', 'same_matter', 'secret', 'outside_government',
         'unlawful', 'closed_lawfully', 'abusive')),
    ADD COLUMN same_as         bigint REFERENCES cases (id),
    DROP CONSTRAINT cases_state_check,
    ADD CONSTRAINT cases_state_check CHECK (state IN
        ('draft', 'open', 'consulting', 'dispatched', 'return_asked', 'handling',
         'extension_asked', 'termination_asked', 'answered', 'calling_back', 'closed',
         'archived'));
CREATE INDEX cases_unit ON cases (unit, state);
CREATE INDEX cases_due ON cases (due_at) WHERE state NOT IN ('closed', 'archived');
CREATE INDEX cases_same_as ON cases (same_as) WHERE same_as IS NOT NULL;

UPDATE cases c SET given_at = dispatched_at,
    outcome = CASE WHEN state <> 'closed' THEN NULL
                   WHEN EXISTS (SELECT FROM journal j
                                 WHERE j.case_id = c.id AND j.event = 'case.withdrawn')
                        THEN 'withdrawn'
                   WHEN dispatched_at IS NULL THEN 'direct' ELSE 'handled' END
 WHERE dispatched_at IS NOT NULL OR state = 'closed';

-- What people wrote, each with a salt of its own: the journal keeps sha256(salt + text), so a text
-- can be erased without a trace of it, and a changed one is found.
ALTER TABLE case_texts
    DROP CONSTRAINT case_texts_sort_check,
    ADD CONSTRAINT case_texts_sort_check CHECK (sort IN
        ('summary', 'reply', 'public_reply', 'reason', 'basis', 'ruling', 'comment', 'feedback',
         'channel', 'told', 'unsolved_reason', 'not_contacted')),
    ALTER COLUMN text DROP NOT NULL,
    ADD COLUMN salt      bytea,
    ADD COLUMN digest    text,
    ADD COLUMN unit      text,
    ADD COLUMN erased_at timestamptz,
    ADD CONSTRAINT case_texts_erased CHECK ((text IS NULL) = (erased_at IS NOT NULL));
INSERT INTO case_texts (case_id, at, actor, move, sort, text)
SELECT id, coalesce(opened_at, drafted_at), owner, 'open', 'summary', summary
  FROM cases WHERE summary <> '';
UPDATE case_texts SET salt = uuid_send(gen_random_uuid());
UPDATE case_texts SET digest = encode(sha256(salt || convert_to(text, 'UTF8')), 'hex');
ALTER TABLE case_texts ALTER COLUMN salt SET NOT NULL, ALTER COLUMN digest SET NOT NULL;
CREATE UNIQUE INDEX case_texts_digest ON case_texts (digest);

-- Units with a part in a case beside the lead, each with its word or its silence.
CREATE TABLE case_units (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id     bigint NOT NULL REFERENCES cases (id),
    unit        text NOT NULL CHECK (unit <> ''),
    part        text NOT NULL CHECK (part IN ('helper', 'consulted')),
    asked_at    timestamptz NOT NULL,
    asked_by    text NOT NULL,
    answered_at timestamptz,
    answered_by text,
    ended_at    timestamptz
);
CREATE INDEX case_units_case ON case_units (case_id, id);
CREATE INDEX case_units_silent ON case_units (unit) WHERE answered_at IS NULL AND ended_at IS NULL;

-- Papers and pictures that show what was done; each content lies once in data_dir/evidence.
CREATE TABLE case_evidence (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id    bigint NOT NULL REFERENCES cases (id),
    name       text NOT NULL CHECK (name <> ''),
    media_type text NOT NULL,
    sha256     text NOT NULL,
    size       bigint NOT NULL CHECK (size > 0),
    path       text NOT NULL,
    added_by   text NOT NULL,
    added_unit text,
    added_at   timestamptz NOT NULL
);
CREATE INDEX case_evidence_case ON case_evidence (case_id, id);
CREATE INDEX case_evidence_content ON case_evidence (sha256);

-- Requests that were made with a key: the same one again is answered, not done again.
CREATE TABLE requests_made (
    person   text NOT NULL,
    key      text NOT NULL,
    request  text NOT NULL,
    answer   text NOT NULL,
    made_at  timestamptz NOT NULL,
    PRIMARY KEY (person, key)
);
CREATE INDEX requests_made_at ON requests_made (made_at);

-- From here on the journal tells every fact of a case; what was before is told once, as it stands.
INSERT INTO journal (at, actor, event, call_id, case_id, body)
SELECT now(), 'service', 'case.carried_over', c.call_id, c.id, jsonb_build_object(
    'number', c.number,
    'to', c.state,
    'owner', c.owner,
    'texts', coalesce((SELECT jsonb_object_agg(t.sort, t.digest) FROM case_texts t
                        WHERE t.case_id = c.id AND t.sort = 'summary'), '{}'),
    'kept', coalesce((SELECT jsonb_agg(t.digest ORDER BY t.id) FROM case_texts t
                       WHERE t.case_id = c.id AND t.sort <> 'summary'), '[]'),
    'changes', (to_jsonb(c) - 'id' - 'summary' - 'suggestion')
        || jsonb_build_object('urgency', coalesce(c.urgency, 'normal')))
  FROM cases c ORDER BY c.id;

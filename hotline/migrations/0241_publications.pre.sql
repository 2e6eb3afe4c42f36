-- What the public reads of a case: a question and a reply in words of their own, written by one person
-- and released by another. Both passed the scan, so nothing of a person is meant to be in here; a
-- reply that was taken back is no longer published and keeps its row.
CREATE TABLE publications (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id     bigint NOT NULL REFERENCES cases (id),
    question    text NOT NULL CHECK (question <> ''),
    reply       text NOT NULL CHECK (reply <> ''),
    state       text NOT NULL DEFAULT 'proposed' CHECK (state IN
        ('proposed', 'published', 'withheld', 'withdrawn')),
    withheld    text CHECK (withheld IN ('article_14', 'article_15', 'article_16', 'other_law')),
    proposed_at timestamptz NOT NULL,
    proposed_by text NOT NULL CHECK (proposed_by <> ''),
    decided_at  timestamptz,
    decided_by  text,
    CHECK ((state = 'proposed') = (decided_by IS NULL)),
    CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
    CHECK (state = 'withdrawn' OR decided_by IS DISTINCT FROM proposed_by),
    CHECK ((state = 'withheld') = (withheld IS NOT NULL))
);
CREATE UNIQUE INDEX publications_case ON publications (case_id) WHERE state <> 'withdrawn';
CREATE INDEX publications_of_case ON publications (case_id);

-- What people wrote when they moved a case, word for word.
-- The journal holds the same words with the numbers in them masked, because everybody reads it.
-- A citizen is told the whole answer, with the telephone number he is to ring.
CREATE TABLE case_texts (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint NOT NULL REFERENCES cases (id),
    at      timestamptz NOT NULL,
    actor   text NOT NULL,
    move    text NOT NULL,
    sort    text NOT NULL CHECK (sort IN ('reply', 'reason')),
    text    text NOT NULL CHECK (text <> '')
);
CREATE INDEX case_texts_case ON case_texts (case_id, id);

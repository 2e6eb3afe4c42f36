-- What people hear in a call is what counts for anybody; the machine's inspection (0210) is advice.
-- Every score here has a person's name, every result is one of these scores, and what a person is
-- judged by (`operator_results`) reads nothing of the machine's.

-- The draw of a week: with its seed anybody draws the same calls again.
CREATE TABLE inspection_plans (
    week        date PRIMARY KEY CHECK (extract(isodow FROM week) = 1),
    seed        text NOT NULL,
    fingerprint text NOT NULL REFERENCES inspection_forms (fingerprint),
    planned_at  timestamptz NOT NULL,
    planned_by  text NOT NULL CHECK (planned_by <> '')
);

CREATE TABLE inspection_samples (
    call_id  bigint PRIMARY KEY REFERENCES calls (id),
    week     date NOT NULL REFERENCES inspection_plans (week),
    operator text NOT NULL,
    because  text[] NOT NULL CHECK (cardinality(because) > 0),
    scorers  smallint NOT NULL CHECK (scorers IN (1, 2))
);
CREATE INDEX inspection_samples_week ON inspection_samples (week, call_id);

-- What one person heard. `part`: one of the first scores, the word of a third person where two
-- differ, or the decision of an appeal. Nobody scores a call twice, in whatever part.
CREATE TABLE inspection_scores (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_id     bigint NOT NULL REFERENCES calls (id),
    scorer      text NOT NULL CHECK (scorer <> '' AND scorer <> 'service'),
    part        text NOT NULL CHECK (part IN ('first', 'third', 'appeal')),
    fingerprint text NOT NULL REFERENCES inspection_forms (fingerprint),
    score       numeric(5, 2) NOT NULL CHECK (score BETWEEN 0 AND 100),
    made_at     timestamptz NOT NULL,
    UNIQUE (call_id, scorer),
    UNIQUE (id, call_id)
);
CREATE TRIGGER inspection_scores_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON inspection_scores
    FOR EACH STATEMENT EXECUTE FUNCTION rows_stay();

CREATE TABLE inspection_score_items (
    score_id bigint NOT NULL REFERENCES inspection_scores (id),
    position integer NOT NULL,
    item     text NOT NULL,
    verdict  text NOT NULL CHECK (verdict IN ('kept', 'lost', 'not_asked', 'not_judged')),
    weight   integer NOT NULL CHECK (weight > 0),
    lost     integer NOT NULL CHECK (lost BETWEEN 0 AND weight),
    starts   double precision CHECK (starts >= 0),
    ends     double precision CHECK (ends >= starts),
    note     text,
    PRIMARY KEY (score_id, item),
    CHECK ((verdict = 'lost') = (lost > 0)),
    CHECK ((starts IS NULL) = (ends IS NULL))
);

-- The score of a call that stands. It is a person's score of that very call: nothing else fits.
CREATE TABLE inspection_results (
    call_id   bigint PRIMARY KEY REFERENCES calls (id),
    score_id  bigint NOT NULL,
    operator  text NOT NULL,
    stands_at timestamptz NOT NULL,
    FOREIGN KEY (score_id, call_id) REFERENCES inspection_scores (id, call_id)
);
CREATE INDEX inspection_results_operator ON inspection_results (operator, call_id DESC);

-- The operator says that a result is not right; somebody who never scored the call decides.
CREATE TABLE inspection_appeals (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_id    bigint NOT NULL UNIQUE REFERENCES inspection_results (call_id),
    against    bigint NOT NULL REFERENCES inspection_scores (id),
    operator   text NOT NULL,
    items      text[] NOT NULL CHECK (cardinality(items) > 0),
    reason     text,
    asked_at   timestamptz NOT NULL,
    asked_by   text NOT NULL CHECK (asked_by <> ''),
    due_at     timestamptz NOT NULL CHECK (due_at > asked_at),
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'upheld', 'dismissed')),
    decided_at timestamptz,
    decided_by text CHECK (decided_by <> asked_by),
    answer     text,
    CHECK (num_nonnulls(decided_at, decided_by) = CASE WHEN state = 'open' THEN 0 ELSE 2 END)
);
CREATE INDEX inspection_appeals_open ON inspection_appeals (due_at) WHERE state = 'open';

CREATE FUNCTION another_decides() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM inspection_scores
                WHERE call_id = NEW.call_id AND scorer = NEW.decided_by AND part <> 'appeal') THEN
        RAISE EXCEPTION 'Whoever scored a call does not decide the appeal.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER inspection_appeals_decided BEFORE UPDATE OF decided_by ON inspection_appeals
    FOR EACH ROW WHEN (NEW.decided_by IS NOT NULL) EXECUTE FUNCTION another_decides();

-- What an operator is judged by, and the only thing: results that stand and are not under appeal.
CREATE VIEW operator_results AS
SELECT r.call_id, r.operator, s.id AS score_id, s.score, s.part, s.fingerprint, r.stands_at
  FROM inspection_results r JOIN inspection_scores s ON s.id = r.score_id
 WHERE NOT EXISTS (SELECT FROM inspection_appeals a
                    WHERE a.call_id = r.call_id AND a.state = 'open');

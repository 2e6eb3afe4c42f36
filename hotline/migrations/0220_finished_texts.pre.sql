-- The finished text of each leg: kept beside the raw words, and found by its words and its sounds.
-- What is looked for lies here without personal data; `sentences` has all of it, with its seconds.
CREATE TABLE finished_texts (
    call_id    bigint NOT NULL,
    leg        text NOT NULL,
    at         timestamptz NOT NULL,
    line       text NOT NULL,
    operator   text,
    level1     text,
    rules      text NOT NULL,
    sentences  jsonb NOT NULL,
    said       text NOT NULL,
    raw        text NOT NULL,
    sounds     text NOT NULL,
    marks      integer[] NOT NULL,
    tags       integer[] NOT NULL,
    PRIMARY KEY (call_id, leg),
    FOREIGN KEY (call_id, leg) REFERENCES transcripts (call_id, leg) ON DELETE CASCADE
);
CREATE INDEX finished_texts_at ON finished_texts (at DESC, call_id DESC, leg DESC);
-- One index over both columns: a common word of a rare operator is cut out of two lists.
CREATE INDEX finished_texts_marks ON finished_texts USING gin (marks, tags);

-- By what a search is narrowed: each as one number, so that the index can do it.
CREATE FUNCTION finished_tags(leg text, line text, operator text, level1 text) RETURNS integer[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_remove(ARRAY[hashtext('leg:' || leg), hashtext('line:' || line),
                              hashtext('operator:' || operator), hashtext('level1:' || level1)], NULL)
$$;

CREATE FUNCTION case_level1_said() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE finished_texts f
       SET level1 = NEW.level1, tags = finished_tags(f.leg, f.line, f.operator, NEW.level1)
     WHERE f.call_id = NEW.call_id AND f.level1 IS DISTINCT FROM NEW.level1;
    RETURN NULL;
END $$;
CREATE TRIGGER cases_level1_said AFTER UPDATE OF level1 ON cases FOR EACH ROW
    WHEN (NEW.call_id IS NOT NULL AND NEW.level1 IS DISTINCT FROM OLD.level1)
    EXECUTE FUNCTION case_level1_said();

-- Legs to be finished (again). Whoever holds the row finishes; nobody else does it twice.
CREATE TABLE finishing_looks (
    call_id bigint NOT NULL,
    leg     text NOT NULL,
    PRIMARY KEY (call_id, leg),
    FOREIGN KEY (call_id, leg) REFERENCES transcripts (call_id, leg) ON DELETE CASCADE
);
-- By which rules and names what is kept here was finished.
CREATE TABLE finishing_rules (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    rules    text NOT NULL
);
INSERT INTO finishing_rules (rules) VALUES ('');

-- Words that come are finished; words that go take their finished text along, whoever erases them.
-- The look goes first: whoever is finishing holds it, and what he writes is waited for.
CREATE FUNCTION words_to_finish() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'done' AND NEW.text <> '' THEN
        INSERT INTO finishing_looks (call_id, leg) VALUES (NEW.call_id, NEW.leg)
        ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM finishing_looks WHERE call_id = NEW.call_id AND leg = NEW.leg;
        DELETE FROM finished_texts WHERE call_id = NEW.call_id AND leg = NEW.leg;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER transcript_heard AFTER INSERT ON transcripts FOR EACH ROW
    WHEN (NEW.state = 'done') EXECUTE FUNCTION words_to_finish();
CREATE TRIGGER transcript_changed AFTER UPDATE ON transcripts FOR EACH ROW
    WHEN ((NEW.state, NEW.text, NEW.words, NEW.again)
          IS DISTINCT FROM (OLD.state, OLD.text, OLD.words, OLD.again))
    EXECUTE FUNCTION words_to_finish();
INSERT INTO finishing_looks (call_id, leg)
SELECT call_id, leg FROM transcripts WHERE state = 'done' AND text <> '';

-- What a case says: the finished text where there is one, without numbers of people.
CREATE OR REPLACE FUNCTION words_of_case(wanted bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws(E'\n', c.summary, (
        SELECT coalesce(f.said, t.text) FROM transcripts t
          LEFT JOIN finished_texts f ON f.call_id = t.call_id AND f.leg = t.leg
         WHERE t.call_id = c.call_id AND t.leg = 'caller' AND t.state = 'done'))
      FROM cases c WHERE c.id = wanted
$$;
-- The words are read when they are finished, once, and not a moment before.
DROP TRIGGER caller_was_heard ON transcripts;
DROP TRIGGER caller_was_heard_anew ON transcripts;
CREATE TRIGGER caller_was_finished AFTER INSERT ON finished_texts FOR EACH ROW
    WHEN (NEW.leg = 'caller') EXECUTE FUNCTION caller_words_changed();
CREATE TRIGGER caller_was_finished_anew AFTER UPDATE OF said ON finished_texts FOR EACH ROW
    WHEN (NEW.leg = 'caller' AND NEW.said IS DISTINCT FROM OLD.said)
    EXECUTE FUNCTION caller_words_changed();
CREATE TRIGGER caller_is_erased AFTER DELETE ON finished_texts FOR EACH ROW
    WHEN (OLD.leg = 'caller') EXECUTE FUNCTION caller_words_changed();

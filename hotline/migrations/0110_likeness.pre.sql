-- How alike the words of cases are (routing/likeness.py): of each case its heaviest grams.
-- The words themselves lie with the case; `read` is the digest of those that were read.
CREATE TABLE case_marks (
    case_id bigint PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    at      timestamptz NOT NULL,
    marks   integer[] NOT NULL,
    weights real[] NOT NULL,
    read    bytea NOT NULL,
    CHECK (cardinality(marks) = cardinality(weights))
);
CREATE INDEX case_marks_marks ON case_marks USING gin (marks);

-- How many times cases said each gram; `mark_total` is how many cases were read.
CREATE TABLE mark_counts (
    mark integer PRIMARY KEY,
    seen integer NOT NULL
) WITH (fillfactor = 80);
CREATE TABLE mark_total (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    cases    bigint NOT NULL
);
INSERT INTO mark_total (cases) VALUES (0);

-- Cases whose words are to be read (again). `changed_in` tells the reader of a change meanwhile.
CREATE TABLE likeness_looks (
    case_id    bigint PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    changed_in bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
);

-- What a case says: what a person wrote down of it, and the caller's own words.
CREATE FUNCTION words_of_case(wanted bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws(E'\n', c.summary, (
        SELECT t.text FROM transcripts t
         WHERE t.call_id = c.call_id AND t.leg = 'caller' AND t.state = 'done'))
      FROM cases c WHERE c.id = wanted
$$;

CREATE FUNCTION likeness_look(wanted bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO likeness_looks (case_id) VALUES (wanted)
    ON CONFLICT (case_id) DO UPDATE SET changed_in = pg_current_xact_id()::text::bigint
$$;
CREATE FUNCTION case_words_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM likeness_look(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER case_summary_written AFTER INSERT ON cases FOR EACH ROW
    WHEN (NEW.summary IS NOT NULL) EXECUTE FUNCTION case_words_changed();
CREATE TRIGGER case_summary_changed AFTER UPDATE OF summary, area, level1 ON cases FOR EACH ROW
    WHEN ((NEW.summary, NEW.area, NEW.level1) IS DISTINCT FROM (OLD.summary, OLD.area, OLD.level1))
    EXECUTE FUNCTION case_words_changed();

CREATE FUNCTION caller_words_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM likeness_look(c.id) FROM cases c WHERE c.call_id = coalesce(NEW.call_id, OLD.call_id);
    RETURN NULL;
END $$;
CREATE TRIGGER caller_was_heard AFTER INSERT ON transcripts FOR EACH ROW
    WHEN (NEW.text IS NOT NULL) EXECUTE FUNCTION caller_words_changed();
CREATE TRIGGER caller_was_heard_anew AFTER UPDATE OF text ON transcripts FOR EACH ROW
    WHEN (NEW.text IS DISTINCT FROM OLD.text) EXECUTE FUNCTION caller_words_changed();
CREATE TRIGGER caller_is_forgotten AFTER DELETE ON transcripts FOR EACH ROW
    WHEN (OLD.text IS NOT NULL) EXECUTE FUNCTION caller_words_changed();

INSERT INTO likeness_looks (case_id)
SELECT id FROM cases WHERE words_of_case(id) <> '';

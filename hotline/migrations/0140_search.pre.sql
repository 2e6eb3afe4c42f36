-- Cases found by words, by the last digits of a caller's number and by their own number, and lists
-- that begin where the reader is, however many cases there are.

-- A text as it is looked for: one form of every character, small letters, no spaces and no
-- punctuation. What is stored and what is asked go through this one function.
CREATE FUNCTION search_plain(given text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(lower(normalize(given, NFKC) COLLATE "C"),
                          '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f\u30fb\ufe30-\ufe4f]+',
                          '', 'g')
$$;

-- The neighbouring pairs of a text: Chinese words have two characters, and trigrams are an extension
-- that a city's server may lack.
CREATE FUNCTION search_grams(plain text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT chars[n] || chars[n + 1]), '{}')
      FROM (SELECT regexp_split_to_array(plain, '') AS chars) AS split,
           generate_series(1, cardinality(chars) - 1) AS n
$$;

-- The summary of each case that has one; a summary that is changed or erased changes here, too.
CREATE TABLE case_words (
    case_id bigint PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    plain   text NOT NULL
);
CREATE FUNCTION case_words_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.summary IS NULL THEN
        DELETE FROM case_words WHERE case_id = NEW.id;
    ELSE
        INSERT INTO case_words (case_id, plain) VALUES (NEW.id, search_plain(NEW.summary))
        ON CONFLICT (case_id) DO UPDATE SET plain = excluded.plain;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER cases_worded AFTER INSERT ON cases
    FOR EACH ROW WHEN (NEW.summary IS NOT NULL) EXECUTE FUNCTION case_words_kept();
CREATE TRIGGER cases_reworded AFTER UPDATE OF summary ON cases
    FOR EACH ROW WHEN (NEW.summary IS DISTINCT FROM OLD.summary)
    EXECUTE FUNCTION case_words_kept();
INSERT INTO case_words (case_id, plain)
SELECT id, search_plain(summary) FROM cases WHERE summary IS NOT NULL;
CREATE INDEX case_words_grams ON case_words USING gin (search_grams(plain));

-- The keyed fingerprint of a number's last digits, with the newest key that seals it; one that is
-- asked for comes with the fingerprints of every key there is, the newest first.
CREATE TYPE tails AS (hashes bytea[]);
ALTER TABLE identities ADD COLUMN tail bytea;
CREATE INDEX identities_tail ON identities (tail);
CREATE INDEX identities_no_tail ON identities (token) WHERE tail IS NULL AND number IS NOT NULL;

CREATE INDEX cases_number_begins ON cases (number text_pattern_ops);
CREATE INDEX cases_of_state ON cases (state, id);
CREATE INDEX cases_of_lead ON cases (unit, id);
CREATE INDEX cases_of_level1 ON cases (level1, id);
CREATE INDEX cases_of_area ON cases (area, id);
CREATE INDEX cases_not_normal ON cases (urgency, id) WHERE urgency <> 'normal';
CREATE INDEX case_units_in_turn ON case_units (unit, case_id) WHERE ended_at IS NULL;

-- The work lists: what is due first comes first.
CREATE INDEX cases_work ON cases ((coalesce(due_at, 'infinity'::timestamptz)), id)
    WHERE state NOT IN ('closed', 'archived');
CREATE INDEX cases_work_of_lead ON cases (unit, (coalesce(due_at, 'infinity'::timestamptz)), id)
    WHERE state NOT IN ('closed', 'archived');

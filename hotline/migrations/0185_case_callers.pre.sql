-- Whoever brought a case that no call brought: a letter's sender, a visitor. The name and the number
-- stay sealed behind the same token as a caller's.
ALTER TABLE cases
    ADD COLUMN caller uuid REFERENCES identities (token),
    ADD CHECK (caller IS NULL OR call_id IS NULL);
CREATE INDEX cases_caller ON cases (caller) WHERE caller IS NOT NULL;

-- Who brought each case, by a call or otherwise, and when; nobody where the number was withheld.
-- A call from here to a citizen is not the citizen's (`by_citizen`).
CREATE VIEW case_callers AS
    SELECT k.id AS case_id, c.caller, c.started_at AS at, c.kind = 'citizen' AS by_citizen
      FROM cases k JOIN calls c ON c.id = k.call_id WHERE c.caller IS NOT NULL
    UNION ALL
    SELECT k.id, k.caller, k.drafted_at, true FROM cases k WHERE k.caller IS NOT NULL;

CREATE OR REPLACE VIEW case_repeats AS
    SELECT k.same_as AS case_id, k.id AS repeat_id, k.closed_at AS at,
           coalesce(coalesce(k.caller, mine.caller) = coalesce(c.caller, first.caller), false)
               AS same_caller
      FROM cases k JOIN cases c ON c.id = k.same_as
      LEFT JOIN calls mine ON mine.id = k.call_id
      LEFT JOIN calls first ON first.id = c.call_id;

CREATE OR REPLACE FUNCTION person_is_held(wanted uuid) RETURNS boolean LANGUAGE sql STABLE
SET search_path FROM CURRENT AS $$
    SELECT EXISTS (SELECT FROM calls c
                    WHERE (c.caller = wanted OR c.callee = wanted) AND call_is_held(c.id))
        OR EXISTS (SELECT FROM cases k WHERE k.caller = wanted AND case_is_held(k.id))
$$;

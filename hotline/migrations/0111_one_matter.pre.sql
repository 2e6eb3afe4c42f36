-- Several cases of one matter. A caller's repeat is explained as the same matter and needs no order
-- of its own (`same_as`); a case of another caller goes with a lead case and is told its result.
ALTER TABLE cases
    ADD COLUMN lead bigint REFERENCES cases (id) CHECK (lead <> id);
CREATE INDEX cases_lead ON cases (lead) WHERE lead IS NOT NULL;

-- Every repeat that was linked to a case, for people and for the supervision: a caller who rings
-- again and again is one of its reasons.
CREATE VIEW case_repeats AS
    SELECT k.same_as AS case_id, k.id AS repeat_id, k.closed_at AS at,
           coalesce(mine.caller = first.caller, false) AS same_caller
      FROM cases k JOIN cases c ON c.id = k.same_as
      LEFT JOIN calls mine ON mine.id = k.call_id
      LEFT JOIN calls first ON first.id = c.call_id;

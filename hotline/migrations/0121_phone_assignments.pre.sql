-- Urgent matters given to a unit by telephone, the paper following later (急件电话交办): who gave it to
-- whom when, and when the unit reported back. What was said lies with the case's texts.
CREATE TABLE phone_assignments (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id     bigint NOT NULL REFERENCES cases (id),
    unit        text NOT NULL CHECK (unit <> ''),
    given_at    timestamptz NOT NULL,
    given_by    text NOT NULL CHECK (given_by <> ''),
    before_dispatch boolean NOT NULL,
    feedback_at timestamptz,
    feedback_by text,
    CHECK ((feedback_at IS NULL) = (feedback_by IS NULL))
);
CREATE UNIQUE INDEX phone_assignments_running ON phone_assignments (case_id)
    WHERE feedback_at IS NULL;
CREATE INDEX phone_assignments_case ON phone_assignments (case_id, id);

-- Its clock is one of the case's: whoever reminds and supervises looks at the case again.
CREATE FUNCTION phone_assignment_looks() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO reminder_looks (case_id)
    SELECT id FROM cases WHERE id = NEW.case_id AND state NOT IN ('closed', 'archived')
    ON CONFLICT (case_id) DO UPDATE
       SET look_at = '-infinity', changed_in = pg_current_xact_id()::text::bigint;
    INSERT INTO supervision_looks (case_id) VALUES (NEW.case_id)
    ON CONFLICT (case_id) DO UPDATE
       SET look_at = '-infinity', changed_in = pg_current_xact_id()::text::bigint;
    RETURN NULL;
END $$;
CREATE TRIGGER phone_assignments_told AFTER INSERT OR UPDATE ON phone_assignments
    FOR EACH ROW EXECUTE FUNCTION phone_assignment_looks();

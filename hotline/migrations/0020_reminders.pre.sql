-- When the clocks of each case are next to be looked at, and which reminders were sent.

-- One row for each case that is not over. Whatever changes a case puts it back to `-infinity`: its
-- clocks are computed anew, from the journal. `changed_in` tells the one who computes whether it
-- was changed meanwhile.
CREATE TABLE reminder_looks (
    case_id    bigint PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    look_at    timestamptz NOT NULL DEFAULT '-infinity',
    changed_in bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
);
CREATE INDEX reminder_looks_next ON reminder_looks (look_at);

-- A clock that begins again, or whose end moves, reminds again: both are in its key.
CREATE TABLE reminders_sent (
    case_id    bigint NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    stage      text NOT NULL,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    share      smallint NOT NULL CHECK (share IN (50, 80, 100)),
    reached_at timestamptz NOT NULL,
    sent_at    timestamptz NOT NULL,
    PRIMARY KEY (case_id, stage, starts_at, ends_at, share)
);

CREATE FUNCTION reminder_looks_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reminder_looks (case_id)
    SELECT id FROM changed WHERE state NOT IN ('closed', 'archived') ORDER BY id
    ON CONFLICT (case_id) DO UPDATE
       SET look_at = '-infinity', changed_in = pg_current_xact_id()::text::bigint;
    DELETE FROM reminder_looks l USING changed c
     WHERE l.case_id = c.id AND c.state IN ('closed', 'archived');
    RETURN NULL;
END $$;
CREATE TRIGGER cases_begun AFTER INSERT ON cases REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION reminder_looks_again();
CREATE TRIGGER cases_changed AFTER UPDATE ON cases REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION reminder_looks_again();

INSERT INTO reminder_looks (case_id)
SELECT id FROM cases WHERE state NOT IN ('closed', 'archived');

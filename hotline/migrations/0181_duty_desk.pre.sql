-- The duty desk: incidents with their reports, handovers, leaders' instructions, the contact book.

-- An incident keeps the reporting policy it was opened under, whole; its clocks follow from that
-- and from its rows of the journal.
CREATE TABLE duty_incidents (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line            text NOT NULL,
    name            text,
    state           text NOT NULL CHECK (state IN ('raised', 'open', 'closed', 'dismissed')),
    level           text CHECK (level IN ('I', 'II', 'III', 'IV')),
    type            text CHECK (type IN ('natural', 'accident', 'public_health', 'social_security')),
    summary         text NOT NULL CHECK (summary <> ''),
    raised_at       timestamptz NOT NULL,
    raised_by       text NOT NULL,
    call_id         bigint REFERENCES calls (id),
    case_id         bigint REFERENCES cases (id),
    reporter        bigint REFERENCES duty_reporters (id),
    policy          jsonb NOT NULL,
    callout_id      bigint REFERENCES callouts (id),
    acknowledged_at timestamptz,
    acknowledged_by text,
    ended_at        timestamptz,
    reason          text,
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CHECK (state <> 'open' OR (name IS NOT NULL AND level IS NOT NULL AND type IS NOT NULL
                               AND acknowledged_at IS NOT NULL)),
    CHECK ((state IN ('closed', 'dismissed')) = (ended_at IS NOT NULL))
);
CREATE INDEX duty_incidents_live ON duty_incidents (id) WHERE state IN ('raised', 'open');
CREATE INDEX duty_incidents_call ON duty_incidents (call_id) WHERE call_id IS NOT NULL;
-- Whoever presses the key twice has raised one alarm.
CREATE UNIQUE INDEX duty_incidents_case ON duty_incidents (case_id)
    WHERE case_id IS NOT NULL AND state IN ('raised', 'open');
CREATE INDEX journal_incident ON journal (((body ->> 'incident')::bigint), id)
    WHERE event LIKE 'duty.incident%';

CREATE TABLE duty_reports (
    incident_id bigint NOT NULL REFERENCES duty_incidents (id),
    number      integer NOT NULL CHECK (number > 0),
    kind        text NOT NULL CHECK (kind IN ('first', 'follow_up', 'final')),
    title       text NOT NULL,
    content     jsonb NOT NULL,
    edition     integer NOT NULL DEFAULT 1,
    drafted_at  timestamptz NOT NULL,
    drafted_by  text NOT NULL,
    signed_at   timestamptz,
    signed_by   text,
    sent_at     timestamptz,
    sent_by     text,
    sent_to     text,
    PRIMARY KEY (incident_id, number),
    CHECK ((number = 1) = (kind = 'first')),
    CHECK (sent_at IS NULL OR signed_at IS NOT NULL)
);
CREATE UNIQUE INDEX duty_reports_one_draft ON duty_reports (incident_id) WHERE sent_at IS NULL;
CREATE UNIQUE INDEX duty_reports_one_final ON duty_reports (incident_id) WHERE kind = 'final';

-- What was signed is what goes.
CREATE FUNCTION duty_report_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.sent_at IS NOT NULL OR (OLD.signed_at IS NOT NULL
       AND (NEW.content, NEW.title, NEW.kind, NEW.signed_at, NEW.signed_by)
           IS DISTINCT FROM (OLD.content, OLD.title, OLD.kind, OLD.signed_at, OLD.signed_by)) THEN
        RAISE EXCEPTION 'A report stays as it was signed.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER duty_reports_kept BEFORE UPDATE OR DELETE ON duty_reports
    FOR EACH ROW EXECUTE FUNCTION duty_report_stays();

-- Which timers came to which share of their limit; share 100 is an alarm until `over_at`.
CREATE TABLE duty_reminders (
    kind    text NOT NULL,
    subject bigint NOT NULL,
    ends_at timestamptz NOT NULL,
    share   smallint NOT NULL,
    at      timestamptz NOT NULL,
    over_at timestamptz,
    PRIMARY KEY (kind, subject, ends_at, share)
);
CREATE INDEX duty_reminders_alarms ON duty_reminders (kind) WHERE share = 100 AND over_at IS NULL;

-- The officer who goes signs the list he leaves; signing again makes another list. Who comes signs
-- the newest. Both rows stay as they are, and no list is ever signed by one person alone.
CREATE TABLE duty_handovers (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line         text NOT NULL,
    changes_at   timestamptz NOT NULL,
    signed_at    timestamptz NOT NULL,
    outgoing     text NOT NULL CHECK (outgoing <> ''),
    outgoing_for text NOT NULL,
    items        jsonb NOT NULL,
    digest       text NOT NULL,
    remarks      text NOT NULL,
    UNIQUE (id, line, changes_at, outgoing)
);
CREATE INDEX duty_handovers_change ON duty_handovers (line, changes_at, id);
CREATE TRIGGER duty_handovers_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON duty_handovers
    FOR EACH STATEMENT EXECUTE FUNCTION rows_stay();
CREATE TABLE duty_reliefs (
    handover_id  bigint PRIMARY KEY,
    line         text NOT NULL,
    changes_at   timestamptz NOT NULL,
    outgoing     text NOT NULL,
    signed_at    timestamptz NOT NULL,
    incoming     text NOT NULL CHECK (incoming <> ''),
    incoming_for text NOT NULL,
    UNIQUE (line, changes_at),
    CHECK (incoming <> outgoing),
    FOREIGN KEY (handover_id, line, changes_at, outgoing)
        REFERENCES duty_handovers (id, line, changes_at, outgoing)
);
CREATE TRIGGER duty_reliefs_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON duty_reliefs
    FOR EACH STATEMENT EXECUTE FUNCTION rows_stay();

-- A shift that changed without a handover is a gap like any other (coverage.py).
ALTER TABLE coverage_gaps DROP CONSTRAINT coverage_gaps_kind_check;
ALTER TABLE coverage_gaps ADD CONSTRAINT coverage_gaps_kind_check
    CHECK (kind IN ('staff', 'roster', 'handover'));

CREATE TABLE duty_instructions (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state        text NOT NULL CHECK (state IN ('given', 'passed_on', 'done', 'withdrawn')),
    leader       text NOT NULL CHECK (leader <> ''),
    unit         text NOT NULL CHECK (unit <> ''),
    text         text NOT NULL CHECK (text <> ''),
    due_at       timestamptz NOT NULL,
    incident_id  bigint REFERENCES duty_incidents (id),
    case_id      bigint REFERENCES cases (id),
    given_at     timestamptz NOT NULL,
    entered_by   text NOT NULL,
    passed_on_at timestamptz,
    passed_on_by text,
    passed_on_to text,
    ended_at     timestamptz,
    ended_by     text,
    evidence     text,
    CHECK (state <> 'passed_on' OR (passed_on_at IS NOT NULL AND passed_on_to <> '')),
    CHECK (state <> 'done' OR (passed_on_at IS NOT NULL AND evidence <> '')),
    CHECK ((state IN ('done', 'withdrawn')) = (ended_at IS NOT NULL))
);
CREATE INDEX duty_instructions_live ON duty_instructions (due_at)
    WHERE state IN ('given', 'passed_on');
CREATE TABLE duty_instruction_feedback (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instruction_id bigint NOT NULL REFERENCES duty_instructions (id),
    at             timestamptz NOT NULL,
    by             text NOT NULL,
    text           text NOT NULL CHECK (text <> '')
);
CREATE INDEX duty_feedback_of ON duty_instruction_feedback (instruction_id, id);
CREATE TRIGGER duty_feedback_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON duty_instruction_feedback
    FOR EACH STATEMENT EXECUTE FUNCTION rows_stay();

-- A contact is never changed: it is replaced, and the one before it stays.
CREATE TABLE duty_contacts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit        text NOT NULL CHECK (unit <> ''),
    post        text NOT NULL,
    name        sealed,
    look_up     fingerprint,
    phone       sealed NOT NULL,
    leader      boolean NOT NULL,
    valid_from  date NOT NULL,
    valid_until date CHECK (valid_until > valid_from),
    review      date NOT NULL,
    entered_at  timestamptz NOT NULL,
    entered_by  text NOT NULL,
    replaces    bigint UNIQUE REFERENCES duty_contacts (id),
    gone_at     timestamptz,
    gone_by     text
);
CREATE INDEX duty_contacts_unit ON duty_contacts (unit) WHERE gone_at IS NULL;
CREATE INDEX duty_contacts_name ON duty_contacts (look_up) WHERE gone_at IS NULL;

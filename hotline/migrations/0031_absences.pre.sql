-- Notices of absence: who is away, from when until when, and who acts meanwhile. A notice is never
-- changed: it is ended, and another one is entered.
CREATE TABLE absences (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    who        bigint NOT NULL REFERENCES users (id),
    deputy     bigint REFERENCES users (id) CHECK (deputy <> who),
    reason     text NOT NULL CHECK (reason <> ''),
    since      timestamptz NOT NULL,
    until      timestamptz CHECK (until > since),
    entered_at timestamptz NOT NULL,
    entered_by text NOT NULL,
    ended_at   timestamptz,
    ended_by   text,
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX absences_who ON absences (who, since);
CREATE INDEX absences_open ON absences (since) WHERE ended_at IS NULL;

-- A person's own work, and the work of those one stands in for.
CREATE INDEX cases_owner ON cases (owner) WHERE state NOT IN ('closed', 'archived');
CREATE INDEX cases_offered ON cases (offered_to) WHERE state NOT IN ('closed', 'archived');

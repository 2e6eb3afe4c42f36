-- Harassing callers kept out for a time: one person asks, another approves, every block ends.
CREATE TABLE blocks (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    caller      uuid NOT NULL REFERENCES identities (token),
    call_id     bigint NOT NULL REFERENCES calls (id),
    reason      text NOT NULL CHECK (reason <> ''),
    asked_at    timestamptz NOT NULL,
    asked_by    text NOT NULL,
    hours       integer NOT NULL CHECK (hours BETWEEN 1 AND 720),
    approved_at timestamptz,
    approved_by text CHECK (approved_by <> asked_by),
    until       timestamptz,
    lifted_at   timestamptz,
    lifted_by   text,
    CHECK ((approved_at IS NULL) = (approved_by IS NULL)),
    CHECK ((approved_at IS NULL) = (until IS NULL)),
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
CREATE UNIQUE INDEX blocks_asked ON blocks (caller) WHERE approved_at IS NULL AND lifted_at IS NULL;
CREATE INDEX blocks_until ON blocks (until) WHERE lifted_at IS NULL;

-- Operators, coverage, the duty roster, call-outs and test calls.

-- Where each operator stands; what the queues of his exchange are kept in step with.
CREATE TABLE operator_states (
    operator text PRIMARY KEY CHECK (operator ~ '^[0-9]{2,8}$'),
    system   text NOT NULL,
    state    text NOT NULL CHECK (state IN
             ('logged_out', 'ready', 'ringing', 'talking', 'wrapup', 'paused')),
    reason   text,
    lines    text[] NOT NULL,
    since    timestamptz NOT NULL,
    until    timestamptz,
    CHECK ((state = 'wrapup') = (until IS NOT NULL)),
    CHECK (state <> 'paused' OR reason IS NOT NULL)
);

-- Times in which a line had nobody (staff), or in which its roster has nobody (roster).
CREATE TABLE coverage_gaps (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line        text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('staff', 'roster')),
    starts_at   timestamptz NOT NULL,
    noticed_at  timestamptz NOT NULL,
    restored_at timestamptz
);
CREATE UNIQUE INDEX coverage_gaps_open ON coverage_gaps (line, kind) WHERE restored_at IS NULL;

-- Who is on duty when. A shift is never changed: it is taken back and another one is entered.
CREATE TABLE roster_shifts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line       text NOT NULL,
    role       text NOT NULL CHECK (role IN ('officer', 'leader', 'next')),
    operator   text NOT NULL CHECK (operator ~ '^[0-9]{2,8}$'),
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    entered_at timestamptz NOT NULL,
    entered_by text NOT NULL,
    gone_at    timestamptz,
    gone_by    text,
    CHECK (starts_at < ends_at)
);
CREATE UNIQUE INDEX roster_shifts_once
    ON roster_shifts (line, role, operator, starts_at) WHERE gone_at IS NULL;
CREATE INDEX roster_shifts_when ON roster_shifts (line, ends_at) WHERE gone_at IS NULL;

-- A call-out rings one person after the other until somebody acknowledges by key.
CREATE TABLE callouts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system     text NOT NULL,
    line       text NOT NULL,
    reason     text NOT NULL,
    case_id    bigint REFERENCES cases (id),
    asked_by   text NOT NULL,
    started_at timestamptz NOT NULL,
    state      text NOT NULL DEFAULT 'running'
               CHECK (state IN ('running', 'acknowledged', 'exhausted')),
    ended_at   timestamptz,
    CHECK ((state = 'running') = (ended_at IS NULL))
);
CREATE INDEX callouts_running ON callouts (id) WHERE state = 'running';

-- `channel` is the unique id the step's telephone call is given before it is made, so that after
-- a crash the exchange's own files tell what became of it.
CREATE TABLE callout_steps (
    callout_id bigint NOT NULL REFERENCES callouts (id),
    position   integer NOT NULL CHECK (position > 0),
    target     text NOT NULL CHECK (target ~ '^[0-9]{2,20}$'),
    channel    text NOT NULL UNIQUE,
    state      text NOT NULL DEFAULT 'waiting'
               CHECK (state IN ('waiting', 'ringing', 'acknowledged', 'unanswered', 'failed')),
    rung_at    timestamptz,
    ended_at   timestamptz,
    detail     text,
    PRIMARY KEY (callout_id, position)
);
-- One telephone is rung once at a time, whoever asks.
CREATE UNIQUE INDEX callout_steps_once ON callout_steps (target) WHERE state = 'ringing';

-- Test calls into each line; they are no calls of the record and enter no rate.
CREATE TABLE probes (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system   text NOT NULL,
    line     text NOT NULL,
    at       timestamptz NOT NULL,
    ok       boolean NOT NULL,
    seconds  double precision,
    detail   text
);
CREATE INDEX probes_newest ON probes (line, at DESC);

-- First light: a call, its recordings and words, its case, and the journal of all three.

-- Who called. It lives apart: everything else knows a caller by this token only.
CREATE TABLE identities (
    token      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    number     text UNIQUE,
    name       text,
    first_seen timestamptz NOT NULL DEFAULT now()
);

-- The last call number given out. One row: a call takes the next number in the transaction
-- that stores it, so the numbers have no gaps and a deleted call would show.
CREATE TABLE call_counter (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last     bigint NOT NULL DEFAULT 0
);
INSERT INTO call_counter DEFAULT VALUES;

CREATE TABLE calls (
    id          bigint PRIMARY KEY,
    system      text NOT NULL,
    linked_id   text NOT NULL,
    line        text NOT NULL,
    caller      uuid REFERENCES identities (token),
    started_at  timestamptz NOT NULL,
    queued_at   timestamptz,
    ringing_at  timestamptz,
    answered_at timestamptz,
    ended_at    timestamptz,
    operator    text,
    outcome     text CHECK (outcome IN
        ('answered', 'abandoned_short', 'abandoned', 'unanswered', 'voicemail', 'failed')),
    hangup_by   text CHECK (hangup_by IN ('caller', 'operator', 'system')),
    recovered   boolean NOT NULL DEFAULT false,
    started_by  text,
    UNIQUE (system, linked_id),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX calls_started ON calls (started_at);
CREATE INDEX calls_open ON calls (system) WHERE ended_at IS NULL;
CREATE INDEX calls_caller ON calls (caller);

-- What the exchange wrote into its own files (CEL, queue_log), as read, by place in the file.
CREATE TABLE exchange_facts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system      text NOT NULL,
    source      text NOT NULL,
    linked_id   text,
    unique_id   text,
    at          timestamptz NOT NULL,
    kind        text NOT NULL,
    body        jsonb NOT NULL,
    file_inode  bigint,
    file_offset bigint,
    UNIQUE (system, source, file_inode, file_offset)
);
CREATE INDEX exchange_facts_call ON exchange_facts (system, linked_id);
CREATE INDEX exchange_facts_channel ON exchange_facts (system, unique_id);
CREATE INDEX exchange_facts_at ON exchange_facts (system, at);

-- How far each file has been read. Moves in the transaction that stores what was read.
CREATE TABLE tail_positions (
    system   text NOT NULL,
    source   text NOT NULL,
    inode    bigint NOT NULL,
    "offset" bigint NOT NULL,
    read_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (system, source)
);

-- Where the files told another story than the stored call, and whether it was put right.
CREATE TABLE differences (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    found_at  timestamptz NOT NULL DEFAULT now(),
    system    text NOT NULL,
    linked_id text NOT NULL,
    kind      text NOT NULL,
    detail    jsonb NOT NULL DEFAULT '{}',
    repaired  boolean NOT NULL
);
CREATE INDEX differences_kind ON differences (system, kind);

CREATE TABLE recordings (
    call_id     bigint NOT NULL REFERENCES calls (id),
    leg         text NOT NULL CHECK (leg IN ('caller', 'operator')),
    state       text NOT NULL CHECK (state IN ('expected', 'stored', 'missing', 'damaged')),
    source_path text NOT NULL,
    path        text,
    sha256      text,
    seconds     double precision,
    started_at  timestamptz,
    reason      text,
    PRIMARY KEY (call_id, leg),
    CHECK (state <> 'stored' OR (path IS NOT NULL AND sha256 IS NOT NULL AND seconds IS NOT NULL))
);
CREATE INDEX recordings_state ON recordings (state) WHERE state <> 'stored';

CREATE TABLE transcripts (
    call_id          bigint NOT NULL REFERENCES calls (id),
    leg              text NOT NULL CHECK (leg IN ('caller', 'operator')),
    state            text NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
    engine           text,
    model            text,
    recording_sha256 text,
    audio_seconds    double precision,
    confidence       double precision,
    words            jsonb,
    text             text,
    requested_at     timestamptz NOT NULL DEFAULT now(),
    done_at          timestamptz,
    reason           text,
    PRIMARY KEY (call_id, leg),
    CHECK (state <> 'done' OR (text IS NOT NULL AND words IS NOT NULL AND done_at IS NOT NULL))
);
CREATE INDEX transcripts_pending ON transcripts (requested_at) WHERE state = 'pending';

CREATE TABLE cases (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number        text NOT NULL UNIQUE,
    call_id       bigint UNIQUE REFERENCES calls (id),
    line          text NOT NULL,
    state         text NOT NULL CHECK (state IN
        ('draft', 'open', 'dispatched', 'answered', 'closed')),
    kind          text,
    level1        text,
    urgency       text,
    area          text,
    unit          text,
    owner         text NOT NULL CHECK (owner <> ''),
    summary       text,
    suggestion    jsonb,
    policy        text,
    drafted_at    timestamptz NOT NULL DEFAULT now(),
    opened_at     timestamptz,
    dispatched_at timestamptz,
    answered_at   timestamptz,
    closed_at     timestamptz
);
CREATE INDEX cases_state ON cases (state, drafted_at);

-- Everything that happened, once, for ever: the feed, the proof and the memory of the service.
CREATE TABLE journal (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    actor   text NOT NULL,
    event   text NOT NULL,
    call_id bigint REFERENCES calls (id),
    case_id bigint REFERENCES cases (id),
    body    jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX journal_call ON journal (call_id, id);
CREATE INDEX journal_case ON journal (case_id, id);
CREATE INDEX journal_event ON journal (event, at);

-- One writer at a time, from its first row to its commit. Without it a reader that has seen
-- row 6 would never learn of row 5, whose transaction commits later. The trigger is one per
-- statement because it must run before the row takes its id.
CREATE FUNCTION journal_take_turns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('hotline.journal', 0));
    RETURN NULL;
END $$;
CREATE TRIGGER journal_turns BEFORE INSERT ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_take_turns();

CREATE FUNCTION journal_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('hotline_journal', NEW.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER journal_told AFTER INSERT ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_tell();

CREATE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The journal only grows: % is not allowed.', TG_OP;
END $$;
CREATE TRIGGER journal_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();

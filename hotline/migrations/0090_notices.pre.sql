-- Notices out: how far the journal has been read for them, whom to reach where, and each notice.
CREATE TABLE notice_cursor (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last     bigint NOT NULL
);

CREATE TABLE notice_addresses (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    holder   text NOT NULL CHECK (holder <> ''),
    channel  text NOT NULL CHECK (channel IN ('mail', 'sms')),
    address  text NOT NULL CHECK (address <> ''),
    added_by text NOT NULL,
    added_at timestamptz NOT NULL,
    UNIQUE (holder, channel, address)
);

-- One row for each fact, destination and receiver: a journal row read twice sends nothing twice.
CREATE TABLE notices (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid        uuid NOT NULL DEFAULT gen_random_uuid(),
    journal_id  bigint NOT NULL REFERENCES journal (id),
    case_id     bigint REFERENCES cases (id),
    destination text NOT NULL,
    holder      text NOT NULL,
    address     text NOT NULL,
    state       text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'dead')),
    queued_at   timestamptz NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    reason      text,
    settled_at  timestamptz,
    UNIQUE (journal_id, destination, address),
    CHECK ((state = 'queued') = (settled_at IS NULL))
);
CREATE INDEX notices_unsettled ON notices (id) WHERE state <> 'sent';
CREATE INDEX notices_case ON notices (case_id) WHERE case_id IS NOT NULL;

-- Addresses that people are told at are numbers and names like any: sealed, and found by fingerprint.
-- What an earlier version left plain is sealed at the next start or `hotline migrate`.
ALTER TABLE notice_addresses RENAME COLUMN address TO plain_address;
ALTER TABLE notice_addresses
    ALTER COLUMN plain_address DROP NOT NULL,
    ADD COLUMN address sealed,
    ADD COLUMN look_up fingerprint,
    ADD UNIQUE (holder, channel, look_up);
CREATE INDEX notice_addresses_plain ON notice_addresses (id) WHERE plain_address IS NOT NULL;
CREATE INDEX notice_addresses_key ON notice_addresses (((address).key));

ALTER TABLE notices RENAME COLUMN address TO plain_address;
ALTER TABLE notices
    ALTER COLUMN plain_address DROP NOT NULL,
    ADD COLUMN address sealed,
    ADD COLUMN look_up fingerprint,
    ADD UNIQUE (journal_id, destination, look_up);
CREATE INDEX notices_plain ON notices (id) WHERE plain_address IS NOT NULL;
CREATE INDEX notices_key ON notices (((address).key));

-- What people ask about their own data (PIPL 44-47): to see it, to have it corrected or deleted.
CREATE TABLE person_requests (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('see', 'correct', 'delete')),
    caller       uuid REFERENCES identities (token),
    applicant    sealed NOT NULL,
    verified     text NOT NULL CHECK (verified <> ''),
    asked_at     timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,
    entered_by   text NOT NULL,
    outcome      text CHECK (outcome IN ('given', 'corrected', 'deleted', 'refused')),
    legal_reason text,
    settled_at   timestamptz,
    settled_by   text,
    CHECK ((outcome IS NULL) = (settled_at IS NULL) AND (outcome IS NULL) = (settled_by IS NULL)),
    CHECK (outcome IS DISTINCT FROM 'refused' OR legal_reason <> '')
);
CREATE INDEX person_requests_open ON person_requests (due_at) WHERE outcome IS NULL;

-- Whether anything of a person is held, also what the asker cannot find: the name and number of whoever
-- made a protected report stay until that is over, and nobody is told why.
CREATE FUNCTION person_is_held(wanted uuid) RETURNS boolean LANGUAGE sql STABLE
SET search_path FROM CURRENT AS $$
    SELECT EXISTS (SELECT FROM calls c
                    WHERE (c.caller = wanted OR c.callee = wanted) AND call_is_held(c.id))
$$;

-- Links from which a softphone fetches its settings, once and for a short time. Of a link only the
-- hash is kept; the password itself is never in the database.
CREATE TABLE phone_links (
    hash       bytea PRIMARY KEY,
    operator   text NOT NULL CHECK (operator ~ '^[0-9]{2,8}$'),
    issued_by  text NOT NULL,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    CHECK (issued_at < expires_at)
);
CREATE INDEX phone_links_over ON phone_links (expires_at);

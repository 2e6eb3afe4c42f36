-- People with accounts, their sessions, and the tokens of programs that act for them.
CREATE TABLE users (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login       text NOT NULL UNIQUE CHECK (login ~ '^[a-z][a-z0-9._-]{1,39}$'),
    name        text NOT NULL CHECK (name <> ''),
    roles       text[] NOT NULL CHECK (cardinality(roles) > 0),
    unit        text CHECK (unit <> ''),
    extension   text CHECK (extension ~ '^[0-9]{2,8}$'),
    is_head     boolean NOT NULL DEFAULT false,
    password    text,
    must_change boolean NOT NULL DEFAULT false,
    active      boolean NOT NULL DEFAULT true,
    failures    integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failed_at   timestamptz,
    added_at    timestamptz NOT NULL,
    added_by    text NOT NULL,
    CHECK (('unit' = ANY (roles)) = (unit IS NOT NULL)),
    CHECK (NOT 'system' = ANY (roles)),
    CHECK ((failures = 0) = (failed_at IS NULL))
);
CREATE UNIQUE INDEX users_extension ON users (extension) WHERE active;
CREATE INDEX users_unit ON users (unit) WHERE active;

-- A session is a row, so that it can be ended from elsewhere and outlives a restart; the cookie's
-- secret is kept as its hash. Without a user it is one of the console password's.
CREATE TABLE sessions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint REFERENCES users (id),
    secret     bytea NOT NULL CHECK (length(secret) = 32),
    seat       text,
    way        text NOT NULL CHECK (way IN ('password', 'openid', 'console')),
    address    text NOT NULL,
    began_at   timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz,
    CHECK ((way = 'console') = (user_id IS NULL))
);
CREATE INDEX sessions_user ON sessions (user_id, address);
CREATE INDEX sessions_open ON sessions (expires_at) WHERE ended_at IS NULL;

CREATE TABLE api_tokens (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES users (id),
    name       text NOT NULL CHECK (name <> ''),
    secret     bytea NOT NULL CHECK (length(secret) = 32),
    roles      text[] NOT NULL CHECK (cardinality(roles) > 0),
    made_at    timestamptz NOT NULL,
    made_by    text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);

-- Every case that the people of a unit may see; the one place that says so: what they lead once it was
-- given to them, and what they help with or are asked about until that part ends.
CREATE FUNCTION cases_of_unit(wanted text) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    SELECT id FROM cases WHERE unit = wanted AND given_at IS NOT NULL
    UNION ALL
    SELECT case_id FROM case_units WHERE unit = wanted AND ended_at IS NULL
$$;
CREATE INDEX case_units_of_unit ON case_units (unit) WHERE ended_at IS NULL;

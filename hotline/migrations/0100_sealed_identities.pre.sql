-- Names and numbers are sealed by the service before they come here (telephony/sealing.py).
CREATE TYPE sealed AS (key integer, box bytea);
CREATE TYPE fingerprint AS (hash bytea);

-- Rows of an earlier version keep their plain values until `hotline migrate` or the next start has
-- sealed them; the two plain columns then hold nothing and go with a later version.
ALTER TABLE identities RENAME COLUMN number TO plain_number;
ALTER TABLE identities RENAME COLUMN name TO plain_name;
ALTER TABLE identities
    ADD COLUMN look_up fingerprint UNIQUE,
    ADD COLUMN number sealed,
    ADD COLUMN name sealed,
    ADD CHECK (plain_number IS NULL OR look_up IS NULL);
CREATE INDEX identities_plain ON identities (token) WHERE plain_number IS NOT NULL;
CREATE INDEX identities_key ON identities (((number).key));

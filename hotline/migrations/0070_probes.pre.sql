-- Test calls become calls of the record, marked, so that they enter no rate.
ALTER TABLE calls ADD COLUMN kind text NOT NULL DEFAULT 'citizen'
    CHECK (kind IN ('citizen', 'probe'));
CREATE INDEX calls_probe ON calls (system, id) WHERE kind = 'probe';

-- How far each one got, and which call of the record it was.
ALTER TABLE probes
    ADD COLUMN stage text NOT NULL
        CHECK (stage IN ('none', 'entered', 'queued', 'answered', 'recorded')),
    ADD COLUMN call_id bigint REFERENCES calls (id),
    ADD CHECK (ok = (detail IS NULL)),
    ADD CHECK (ok = (stage = 'recorded'));
CREATE INDEX probes_place ON probes (system, line, id DESC);

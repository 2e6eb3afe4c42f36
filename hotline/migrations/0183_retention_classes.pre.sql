-- Evidence is deleted like recordings: first decided upon, then its file leaves the folder. What was
-- decided upon is no longer shown; the journal keeps its hash.
ALTER TABLE case_evidence ADD COLUMN erased_at timestamptz;
ALTER TABLE supervision_evidence ADD COLUMN erased_at timestamptz;
CREATE INDEX supervision_evidence_content ON supervision_evidence (sha256);

-- Files that some piece was deleted of: the file goes when no other piece has the same content.
CREATE TABLE evidence_leaving (
    path       text PRIMARY KEY,
    decided_at timestamptz NOT NULL
);
CREATE INDEX duty_log_versions_reporter ON duty_log_versions (reporter) WHERE reporter IS NOT NULL;
CREATE INDEX duty_incidents_reporter ON duty_incidents (reporter) WHERE reporter IS NOT NULL;

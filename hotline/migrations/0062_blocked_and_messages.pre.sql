-- A call that was kept out has an outcome of its own, and so has one that found the other engaged.
ALTER TABLE calls DROP CONSTRAINT calls_outcome_check;
ALTER TABLE calls ADD CONSTRAINT calls_outcome_check CHECK (outcome IN
    ('answered', 'abandoned_short', 'abandoned', 'unanswered', 'voicemail', 'blocked', 'busy',
     'failed'));
-- The wait of who leaves a message ends with the tone, not with the call. Calls before this one do
-- not know it: theirs ends with the call, as it was counted.
ALTER TABLE calls ADD COLUMN message_at timestamptz;

-- A call's talk ends when its last person is gone; what follows (a survey) is no talk. For the calls
-- there are, it ended when they ended: that is how it was counted.
ALTER TABLE calls ADD COLUMN talk_ended_at timestamptz;
UPDATE calls SET talk_ended_at = ended_at WHERE answered_at IS NOT NULL AND ended_at IS NOT NULL;
-- The badge that was told to the caller before the talk.
ALTER TABLE calls ADD COLUMN badge text;

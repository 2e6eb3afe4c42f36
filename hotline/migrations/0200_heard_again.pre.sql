-- Numbers of a transcript heard a second time with nothing but digits to choose from: a list of
-- lists of words, like `words`. They go where the words go: emptied with them.
ALTER TABLE transcripts ADD COLUMN again jsonb NOT NULL DEFAULT '[]';

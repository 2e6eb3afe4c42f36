-- The indicators of a period read what fell due and what was accepted in it, however old the rest is.
CREATE INDEX cases_fell_due ON cases (due_at) WHERE opened_at IS NOT NULL;
CREATE INDEX cases_opened ON cases (opened_at) WHERE opened_at IS NOT NULL;

-- Which cases a unit leads, read from the index alone: a search among them asks for all of their ids.
CREATE INDEX cases_given ON cases (unit, id) WHERE given_at IS NOT NULL;

-- Closed cases wait here for the archive, the oldest of each policy pack first.
CREATE INDEX cases_closed ON cases (coalesce(policy, ''), closed_at, id) WHERE state = 'closed';

-- The lists by state, unit, category and area follow indexes of their own, counted downwards. In the
-- order of the plain id the planner rather walks the newest cases until it has met enough that fit:
-- of the archived ones, which are the oldest, it would pass over everything else first.
DROP INDEX cases_of_state, cases_of_lead, cases_of_level1, cases_of_area, cases_not_normal;
CREATE INDEX cases_of_state ON cases (state, (-id));
CREATE INDEX cases_of_lead ON cases (unit, (-id));
CREATE INDEX cases_of_level1 ON cases (level1, (-id));
CREATE INDEX cases_of_area ON cases (area, (-id));
CREATE INDEX cases_not_normal ON cases (urgency, (-id)) WHERE urgency <> 'normal';

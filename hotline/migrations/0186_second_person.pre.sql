-- A protection is ended by two people of discipline: one asks, another confirms.
ALTER TABLE protections
    ADD COLUMN end_asked_at timestamptz,
    ADD COLUMN end_asked_by text CHECK (end_asked_by <> ''),
    ADD CHECK ((end_asked_at IS NULL) = (end_asked_by IS NULL)),
    ADD CHECK (end_asked_by <> ended_by);

-- An instruction that was passed on is a tracked item of the supervision: its clocks are there.
ALTER TABLE duty_instructions ADD COLUMN tracked_id bigint UNIQUE REFERENCES tracked_items (id);

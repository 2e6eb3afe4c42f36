-- Which of his two telephones the lines ring for an operator: the one on the desk, or the browser's.
ALTER TABLE operator_states
    ADD COLUMN phone text NOT NULL DEFAULT 'desk' CHECK (phone IN ('desk', 'browser'));

-- What the unit's reply form says beside the answer: whether what was said is so, whether it is beyond
-- the unit's duty, whether the public reply may be published. The reasons stand in case_texts.

ALTER TABLE cases
    ADD COLUMN truth       text CHECK (truth IN ('yes', 'partly', 'no')),
    ADD COLUMN beyond_duty boolean,
    ADD COLUMN publish     boolean;

ALTER TABLE case_texts
    DROP CONSTRAINT case_texts_sort_check,
    ADD CONSTRAINT case_texts_sort_check CHECK (sort IN
        ('summary', 'reply', 'public_reply', 'reason', 'basis', 'ruling', 'comment', 'feedback',
         'channel', 'told', 'unsolved_reason', 'not_contacted', 'place', 'found',
         'beyond_duty_reason', 'withheld_reason'));

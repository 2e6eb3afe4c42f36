-- How a matter reached the city. Until here every case came by a call, on one of two sorts of line.
ALTER TABLE cases ADD COLUMN channel text NOT NULL DEFAULT 'phone' CHECK (channel IN
    ('phone', 'duty_phone', 'web', 'wechat', 'sms', 'mail', 'visit', 'superior', 'platform'));
UPDATE cases SET channel = 'duty_phone' WHERE line = 'duty';

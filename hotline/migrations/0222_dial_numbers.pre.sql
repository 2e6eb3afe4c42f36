-- A number for each call that was dialled from here: until the call is over and stored, it has none
-- of its own, and its captions are read by this one.
ALTER TABLE dial_orders ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;
ALTER TABLE dial_orders ADD CONSTRAINT dial_orders_id UNIQUE (id);
CREATE INDEX dial_orders_at ON dial_orders (system, ordered_at);

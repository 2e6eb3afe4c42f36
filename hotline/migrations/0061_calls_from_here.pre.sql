-- Calls that begin here become calls of the record: an operator or the service calls somebody.
ALTER TABLE calls
    ADD COLUMN direction text NOT NULL DEFAULT 'incoming'
        CHECK (direction IN ('incoming', 'outgoing', 'internal')),
    ADD COLUMN callee uuid REFERENCES identities (token),
    ADD CHECK (direction <> 'incoming' OR callee IS NULL),
    ADD CHECK (direction = 'incoming' OR caller IS NULL);
CREATE INDEX calls_callee ON calls (callee) WHERE callee IS NOT NULL;
ALTER TABLE calls DROP CONSTRAINT calls_hangup_by_check;
ALTER TABLE calls ADD CONSTRAINT calls_hangup_by_check
    CHECK (hangup_by IN ('caller', 'operator', 'callee', 'system'));

-- What somebody had dialled, and why, by the id of the channel that was given for it: written down
-- before anything rings, so that the call finds what it was for, whoever tells of it.
CREATE TABLE dial_orders (
    channel    text PRIMARY KEY,
    system     text NOT NULL,
    ordered_at timestamptz NOT NULL,
    ordered_by text NOT NULL,
    callee     uuid REFERENCES identities (token),
    call_id    bigint REFERENCES calls (id),
    case_id    bigint REFERENCES cases (id)
);
CREATE INDEX dial_orders_call ON dial_orders (call_id);
CREATE INDEX dial_orders_case ON dial_orders (case_id);

-- Facts stored before bore numbers in clear: in the names of channels that lead outside, and as what
-- an operator's telephone dialled. The calls they tell of have long been compared with them.
UPDATE exchange_facts
   SET body = (regexp_replace(body::text, 'Local/[^@/"]*@outbound-', 'Local/****@outbound-', 'g'))::jsonb
 WHERE body::text LIKE '%@outbound-%';
UPDATE exchange_facts SET body = body - 'exten' || '{"exten": ""}'
 WHERE kind = 'channel_started' AND length(body ->> 'exten') > 5
   AND body ->> 'context' IN ('outbound', 'control-transfer', 'control-consult', 'from-operator');

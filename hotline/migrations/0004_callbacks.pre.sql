-- What callers say after a talk, and whom the city owes a call.

-- One row for each call after which the questions were asked. Nobody can change it: no address of
-- the API writes here, and the database refuses whoever tries.
CREATE TABLE surveys (
    call_id   bigint PRIMARY KEY REFERENCES calls (id),
    told_at   timestamptz NOT NULL,
    solved    text NOT NULL CHECK (solved IN ('yes', 'no', 'not_answered')),
    satisfied text NOT NULL CHECK (satisfied IN ('yes', 'basically', 'no', 'not_answered'))
);
CREATE FUNCTION surveys_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What a caller answered stays as it is: % is not allowed.', TG_OP;
END $$;
CREATE TRIGGER surveys_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON surveys
    FOR EACH STATEMENT EXECUTE FUNCTION surveys_refuse();

CREATE TABLE callbacks (
    call_id       bigint PRIMARY KEY REFERENCES calls (id),
    line          text NOT NULL,
    reason        text NOT NULL CHECK (reason IN ('message')),
    wanted_at     timestamptz NOT NULL,
    attempts      integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_tried_at timestamptz,
    last_tried_by text,
    last_result   text CHECK (last_result IN ('no_answer', 'busy', 'wrong_number', 'refused')),
    done_at       timestamptz,
    done_by       text,
    done_result   text CHECK (done_result IN ('reached', 'given_up')),
    CHECK ((done_at IS NULL) = (done_by IS NULL) AND (done_at IS NULL) = (done_result IS NULL)),
    CHECK (done_result IS DISTINCT FROM 'given_up' OR attempts > 0)
);
CREATE INDEX callbacks_open ON callbacks (wanted_at) WHERE done_at IS NULL;

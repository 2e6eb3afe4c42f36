-- The city's data, version after version; the cards people are told from; who was told what.

CREATE FUNCTION rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % stay as they are: % is not allowed.', TG_TABLE_NAME, TG_OP;
END $$;

-- The newest one is in force. `content` is the whole folder; json keeps the order of its words.
CREATE TABLE city_versions (
    number      integer PRIMARY KEY CHECK (number > 0),
    loaded_at   timestamptz NOT NULL,
    loaded_by   text NOT NULL CHECK (loaded_by <> ''),
    city        text NOT NULL,
    fingerprint text NOT NULL,
    content     json NOT NULL,
    report      jsonb NOT NULL
);
CREATE TRIGGER city_versions_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON city_versions
    FOR EACH STATEMENT EXECUTE FUNCTION rows_stay();

-- A card is its newest version; `newest` moves on in the transaction that adds one.
CREATE TABLE cards (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key    text NOT NULL UNIQUE,
    newest integer NOT NULL CHECK (newest > 0)
);

CREATE TABLE card_versions (
    card_id      bigint NOT NULL REFERENCES cards (id),
    version      integer NOT NULL CHECK (version > 0),
    state        text NOT NULL CHECK (state IN ('published', 'retired')),
    at           timestamptz NOT NULL,
    by           text NOT NULL CHECK (by <> ''),
    reason       text,
    title        text NOT NULL,
    unit         text NOT NULL,
    category     text NOT NULL,
    review       date NOT NULL,
    content      jsonb NOT NULL,
    title_grams  text[] NOT NULL,
    grams        text[] NOT NULL,
    PRIMARY KEY (card_id, version)
);
ALTER TABLE cards ADD CONSTRAINT cards_newest
    FOREIGN KEY (id, newest) REFERENCES card_versions (card_id, version) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX card_versions_grams ON card_versions USING gin (grams);
CREATE INDEX card_versions_review ON card_versions (review);
CREATE TRIGGER card_versions_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON card_versions
    FOR EACH STATEMENT EXECUTE FUNCTION rows_stay();

-- Somebody says that a card is wrong or outdated; the card's next version answers it.
CREATE TABLE card_feedback (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    card_id bigint NOT NULL,
    version integer NOT NULL,
    at      timestamptz NOT NULL,
    by      text NOT NULL CHECK (by <> ''),
    verdict text NOT NULL CHECK (verdict IN ('wrong', 'outdated')),
    remark  text NOT NULL CHECK (remark <> ''),
    FOREIGN KEY (card_id, version) REFERENCES card_versions (card_id, version)
);
CREATE INDEX card_feedback_card ON card_feedback (card_id, version);

-- Which version of which card was told to a caller, with the blocks that were ticked as read out.
CREATE TABLE cards_told (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    card_id bigint NOT NULL,
    version integer NOT NULL,
    call_id bigint REFERENCES calls (id),
    case_id bigint REFERENCES cases (id),
    at      timestamptz NOT NULL,
    by      text NOT NULL CHECK (by <> ''),
    blocks  text[] NOT NULL
        CHECK (blocks @> ARRAY['materials', 'procedure', 'limit']::text[]),
    FOREIGN KEY (card_id, version) REFERENCES card_versions (card_id, version),
    CHECK (call_id IS NOT NULL OR case_id IS NOT NULL)
);
CREATE UNIQUE INDEX cards_told_call ON cards_told (call_id, card_id, version)
    WHERE call_id IS NOT NULL;
CREATE UNIQUE INDEX cards_told_case ON cards_told (case_id, card_id, version)
    WHERE call_id IS NULL;
CREATE INDEX cards_told_of_case ON cards_told (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX cards_told_card ON cards_told (card_id, at);

-- A caller who rings again about the matter of a card that he was told: the first such call after
-- the telling and within the time. The matter is the same where the same card is told to him again,
-- or his call becomes a case of the card's level-1 category.
CREATE FUNCTION ringing_again(told bigint, within interval)
    RETURNS TABLE (call_id bigint, at timestamptz, told_again boolean)
    LANGUAGE sql STABLE AS $$
    SELECT later.id, later.started_at, again.id IS NOT NULL
      FROM cards_told t
      JOIN card_versions v USING (card_id, version)
      JOIN calls first ON first.id = t.call_id
      JOIN calls later ON later.caller = first.caller AND later.id <> first.id
       AND later.started_at > t.at AND later.started_at <= t.at + within
      LEFT JOIN cases k ON k.call_id = later.id
      LEFT JOIN cards_told again ON again.call_id = later.id AND again.card_id = t.card_id
     WHERE t.id = told AND (again.id IS NOT NULL OR k.level1 = split_part(v.category, '/', 1))
     ORDER BY later.started_at, later.id LIMIT 1
$$;

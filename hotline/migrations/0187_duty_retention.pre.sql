-- What was written in the duty log leaves after its time: the words alone, once, by the deletion job.
-- Who wrote which version when stays. Of a contact that was replaced or removed, name and telephone
-- leave; that a unit had one stays.
ALTER TABLE duty_log_versions ADD COLUMN erased_at timestamptz;
DROP TRIGGER duty_log_versions_kept ON duty_log_versions;
CREATE FUNCTION duty_words_leave() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND NEW.content = '{}'
       AND to_jsonb(NEW) - '{content,erased_at}'::text[]
           = to_jsonb(OLD) - '{content,erased_at}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Rows of % stay as they are: % is not allowed.', TG_TABLE_NAME, TG_OP;
END $$;
CREATE TRIGGER duty_log_versions_words BEFORE UPDATE ON duty_log_versions
    FOR EACH ROW EXECUTE FUNCTION duty_words_leave();
CREATE TRIGGER duty_log_versions_kept BEFORE DELETE OR TRUNCATE ON duty_log_versions
    FOR EACH STATEMENT EXECUTE FUNCTION rows_stay();

ALTER TABLE duty_contacts
    ALTER COLUMN phone DROP NOT NULL,
    ADD CHECK (phone IS NOT NULL OR gone_at IS NOT NULL);

-- A stored recording says in which kind of store it is kept; `path` is its key there. Recordings
-- stored before keep their whole path, of which the folder knows the end.
ALTER TABLE recordings ADD COLUMN kept_in text NOT NULL DEFAULT 'folder'
    CHECK (kept_in IN ('folder', 's3'));

-- Events that a transaction appends to one partition and that differ only in id, key, subject and data are one row: a
-- record batch. Its position is that of its last event, so a row holds the positions (position - events, position].
ALTER TABLE log_event
    ADD COLUMN events smallint NOT NULL DEFAULT 1,
    ADD COLUMN batch bytea,
    ALTER COLUMN id DROP NOT NULL,
    ALTER COLUMN key DROP NOT NULL,
    ALTER COLUMN data DROP NOT NULL,
    ADD CONSTRAINT one_or_batch CHECK (
        CASE WHEN batch IS NULL THEN events = 1 AND num_nulls(id, key, data) = 0
             ELSE events > 1 AND num_nonnulls(id, key, data, subject) = 0 END);

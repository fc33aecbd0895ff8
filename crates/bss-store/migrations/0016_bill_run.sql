-- A run keeps what it was asked for, so that whoever takes it up does the same, and what came of it.
ALTER TABLE bill_run
    ADD COLUMN close_through timestamptz,
    ADD COLUMN account_id    uuid,
    ADD COLUMN waiting       bigint NOT NULL DEFAULT 0,
    ADD COLUMN failed        text NOT NULL DEFAULT '[]';

-- Usage intake: sources and their files, what was rejected, and the rated records.

-- A switch, with its file format, its clock's zone and its way of writing numbers.
CREATE TABLE usage_source (
    tenant_id  uuid NOT NULL,
    name       text NOT NULL,
    format     text NOT NULL,
    zone       text NOT NULL,
    numbers    jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    PRIMARY KEY (tenant_id, name)
);
SELECT bss_protect('usage_source');

-- A file by its content: however often and by whomever it is imported, it is one row, and `lines_done` moves on in
-- the transaction that appends the lines' records.
CREATE TABLE usage_file (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    source      text NOT NULL,
    name        text NOT NULL,
    sha256      bytea NOT NULL,
    size_bytes  bigint NOT NULL,
    state       text NOT NULL CHECK (state IN ('importing', 'done')),
    lines_done  bigint NOT NULL DEFAULT 0,
    -- Appended to the log for charging, which counts what became of them in usage_file_count.
    accepted    bigint NOT NULL DEFAULT 0,
    rejected    bigint NOT NULL DEFAULT 0,
    -- Lines that an earlier file brought and that were rejected then.
    duplicates  bigint NOT NULL DEFAULT 0,
    not_charged bigint NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL,
    done_at     timestamptz,
    updated_by  text NOT NULL,
    CHECK (lines_done = accepted + rejected + duplicates + not_charged),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, source) REFERENCES usage_source
);
CREATE UNIQUE INDEX usage_file_content ON usage_file (tenant_id, source, sha256);
CREATE INDEX usage_file_created ON usage_file (tenant_id, created_at);
SELECT bss_protect('usage_file');

-- What charging made of a file's accepted records, by partition of the log, so that workers don't meet in one row.
CREATE TABLE usage_file_count (
    tenant_id  uuid NOT NULL,
    file_id    uuid NOT NULL,
    partition  smallint NOT NULL,
    rated      bigint NOT NULL DEFAULT 0,
    rejected   bigint NOT NULL DEFAULT 0,
    duplicates bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, file_id, partition),
    FOREIGN KEY (tenant_id, file_id) REFERENCES usage_file
) WITH (fillfactor = 50);
SELECT bss_protect('usage_file_count');

-- A record that couldn't be taken, as it was written. It keeps its first identity when it is mended.
CREATE TABLE usage_reject (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    source     text NOT NULL,
    -- How `raw` is to be read.
    format     text NOT NULL,
    file_id    uuid,
    line       integer,
    hash       bigint NOT NULL,
    own_id     boolean NOT NULL,
    -- The hash of all that was written; where charging rejected a record that its source names itself, of `raw`.
    content    bigint NOT NULL,
    raw        bytea NOT NULL,
    -- What it was mended to.
    mended     bytea,
    code       text NOT NULL,
    reason     text NOT NULL,
    state      text NOT NULL CHECK (state IN ('rejected', 'recycled')),
    -- What it became.
    usage_id   uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, file_id) REFERENCES usage_file
);
CREATE UNIQUE INDEX usage_reject_identity ON usage_reject (tenant_id, source, hash, content);
CREATE INDEX usage_reject_state ON usage_reject (tenant_id, state, created_at);
CREATE INDEX usage_reject_file ON usage_reject (tenant_id, file_id, line);
CREATE INDEX usage_reject_usage ON usage_reject (tenant_id, usage_id) WHERE usage_id IS NOT NULL;
SELECT bss_protect('usage_reject');

-- To which slot a record was guided first, where asking again could give another answer: it was rejected before, or
-- its number changed hands afterwards.
CREATE TABLE usage_key (
    tenant_id uuid NOT NULL,
    source    text NOT NULL,
    hash      bigint NOT NULL,
    slot      smallint NOT NULL,
    PRIMARY KEY (tenant_id, source, hash)
);
SELECT bss_protect('usage_key');

-- Rated usage. The id begins with the start in ms, so the primary key grows at its right edge, a partition is a day
-- of starts, and the primary key is the check against double charging: an id has no second source.
CREATE TABLE usage_record (
    id           uuid NOT NULL,
    slot         smallint NOT NULL,
    service      smallint NOT NULL,
    direction    smallint NOT NULL,
    state        smallint NOT NULL,
    line         integer,
    tenant_id    uuid NOT NULL,
    product_id   uuid NOT NULL,
    account_id   uuid NOT NULL,
    price_id     uuid NOT NULL,
    file_id      uuid,
    quantity     bigint NOT NULL,
    amount_nano  bigint NOT NULL,
    -- The log's position that brought it: a bill takes what its watermark covers.
    position     bigint NOT NULL,
    -- Whether the close of the period rates it again, in event order.
    provisional  boolean NOT NULL,
    source       text NOT NULL,
    calling      text NOT NULL,
    called       text NOT NULL,
    visited      text,
    parts        bytea NOT NULL,
    PRIMARY KEY (id, slot)
) PARTITION BY RANGE (id);
SELECT bss_protect('usage_record');

-- The least id of an instant: 48 bits of Unix milliseconds, and nothing else.
CREATE FUNCTION usage_id_from(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Makes the partitions of these days (UTC) where they are missing, and tells how many were. Attaching takes a lock
-- that lets readers and writers of the other days go on. Workers may call it, though they own no table.
CREATE FUNCTION usage_record_days(days date[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    day date;
    part text;
    made integer := 0;
BEGIN
    FOREACH day IN ARRAY days LOOP
        part := 'usage_record_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relname = part AND relnamespace = 'public'::regnamespace);
        PERFORM pg_advisory_xact_lock(hashtextextended('usage_record_days', 0));
        -- Asked by a query, since to_regclass may answer from a cache that the lock doesn't refresh.
        CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relname = part AND relnamespace = 'public'::regnamespace);
        EXECUTE format('CREATE TABLE %I (LIKE usage_record INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
        EXECUTE format('ALTER TABLE usage_record ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part,
            usage_id_from(day::timestamptz), usage_id_from((day + 1)::timestamptz));
        PERFORM bss_protect(part::regclass);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION usage_record_days(date[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION usage_record_days(date[]) TO bss_app, bss_worker;

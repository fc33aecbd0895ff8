-- Consumer groups of the event log: positions, leases, parked events; and the log's daily partitions.

-- What a group has consumed, by topic and partition. Moves only in the transaction of the effect.
CREATE TABLE group_position (
    group_name   text NOT NULL,
    topic        smallint NOT NULL,
    partition    smallint NOT NULL,
    position     bigint NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (group_name, topic, partition)
) WITH (fillfactor = 20);
GRANT SELECT ON group_position TO bss_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON group_position TO bss_worker;

-- Who consumes a partition (of all the group's topics) until when, in the database's real time. The epoch grows
-- with every change of hands: what was done under an older one can't be committed.
CREATE TABLE group_lease (
    group_name text NOT NULL,
    partition  smallint NOT NULL,
    owner      text,
    epoch      bigint NOT NULL DEFAULT 0,
    until      timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (group_name, partition)
) WITH (fillfactor = 20);
GRANT SELECT ON group_lease TO bss_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON group_lease TO bss_worker;

-- The workers that are alive: partitions are shared fairly among them.
CREATE TABLE group_worker (
    group_name text NOT NULL,
    worker     text NOT NULL,
    until      timestamptz NOT NULL,
    PRIMARY KEY (group_name, worker)
);
GRANT SELECT ON group_worker TO bss_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON group_worker TO bss_worker;

-- Moves a group's position in the transaction of the effect, or fails that transaction: where the lease has another
-- epoch, or the position is not the one that was read from.
CREATE FUNCTION bss_advance(of_group text, of_topic smallint, of_partition smallint, at_epoch bigint,
                            from_position bigint, to_position bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE group_position p SET position = to_position, committed_at = clock_timestamp()
    FROM group_lease l
    WHERE l.group_name = of_group AND l.partition = of_partition AND l.epoch = at_epoch
      AND p.group_name = of_group AND p.topic = of_topic AND p.partition = of_partition
      AND p.position = from_position;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'fenced' USING ERRCODE = 'BSS01';
    END IF;
END $$;

-- Events that a group could not process, and later ones of the same key, which wait behind them.
CREATE TABLE parked_event (
    tenant_id  uuid NOT NULL,
    slot       smallint NOT NULL,
    id         uuid NOT NULL,
    group_name text NOT NULL,
    topic      smallint NOT NULL,
    partition  smallint NOT NULL,
    position   bigint NOT NULL,
    key        uuid NOT NULL,
    kind       text NOT NULL,
    -- parked: it failed itself; waiting: an earlier one of its key is parked; skipped: somebody gave it up.
    state      text NOT NULL CHECK (state IN ('parked', 'waiting', 'skipped')),
    reason     text NOT NULL,
    attempts   integer NOT NULL,
    parked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Asks the group's worker to go through the key's events again.
    retry      boolean NOT NULL DEFAULT false,
    skipped_by text,
    event      text NOT NULL,
    PRIMARY KEY (tenant_id, slot, id),
    UNIQUE (tenant_id, slot, group_name, topic, partition, position)
);
CREATE INDEX parked_event_key ON parked_event (group_name, topic, partition, key, position);
CREATE INDEX parked_event_retry ON parked_event (group_name) WHERE retry;
SELECT bss_protect('parked_event');
CREATE POLICY worker_reads ON parked_event FOR SELECT TO bss_worker USING (true);

-- The last position that retention has taken.
ALTER TABLE log_partition ADD COLUMN tail bigint NOT NULL DEFAULT 0;

-- Opens the log's partition of a day ahead of its time; false where it is open. Rows that fell into the default
-- partition, because nobody had opened theirs, are moved with it.
CREATE FUNCTION bss_log_open_day(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text := 'log_event_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM set_config('lock_timeout', '2s', true);
    -- Made apart and attached, since PARTITION OF would lock every reader and writer of the log out.
    EXECUTE format('CREATE TABLE %I (LIKE log_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES,
                    CONSTRAINT of_day CHECK (recorded_on >= %L AND recorded_on < %L))', name, day, day + 1);
    PERFORM bss_protect(name::regclass);
    EXECUTE format('CREATE POLICY worker_reads ON %I FOR SELECT TO bss_worker USING (true)', name);
    LOCK TABLE log_event_default IN ACCESS EXCLUSIVE MODE;
    IF pg_relation_size('log_event_default') > 0 THEN
        -- The owner sees other tenants' rows only where the policy isn't forced: for this transaction, under the lock.
        ALTER TABLE log_event_default NO FORCE ROW LEVEL SECURITY;
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('WITH moved AS (DELETE FROM log_event_default WHERE recorded_on = %L RETURNING *)
                        INSERT INTO %I SELECT * FROM moved', day, name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        ALTER TABLE log_event_default FORCE ROW LEVEL SECURITY;
    END IF;
    EXECUTE format('ALTER TABLE log_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, day, day + 1);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT of_day', name);
    RETURN true;
END $$;

-- Drops the log's partition of a past day and notes the last positions that went with it. The caller has seen that
-- every group is behind them.
CREATE FUNCTION bss_log_drop_day(day date, topics smallint[], partitions smallint[], tails bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF day >= (now() AT TIME ZONE 'UTC')::date - 1 THEN
        RAISE EXCEPTION 'transactions may still write to %', day;
    END IF;
    PERFORM set_config('lock_timeout', '2s', true);
    EXECUTE format('DROP TABLE %I', 'log_event_' || to_char(day, 'YYYYMMDD'));
    UPDATE log_partition p SET tail = greatest(p.tail, t.tail)
    FROM unnest(topics, partitions, tails) AS t (topic, partition, tail)
    WHERE p.topic = t.topic AND p.partition = t.partition;
END $$;

REVOKE ALL ON FUNCTION bss_log_open_day(date) FROM PUBLIC;
REVOKE ALL ON FUNCTION bss_log_drop_day(date, smallint[], smallint[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bss_log_open_day(date) TO bss_worker;
GRANT EXECUTE ON FUNCTION bss_log_drop_day(date, smallint[], smallint[], bigint[]) TO bss_worker;

SELECT bss_log_open_day((now() AT TIME ZONE 'UTC')::date + n) FROM generate_series(0, 7) n;

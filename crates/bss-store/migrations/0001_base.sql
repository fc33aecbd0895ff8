-- Tenants, the business clock, the idempotency keys and the event log; and the one way to protect a table.

-- Row-level security as every table with a tenant has it. `FORCE`, since owners walk past plain policies; a
-- missing setting yields no rows. The subselect is evaluated once a statement, not once a row.
CREATE FUNCTION bss_protect(protected regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', protected);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', protected);
    EXECUTE format(
        'CREATE POLICY tenant ON %s USING (tenant_id = (SELECT nullif(current_setting(''bss.tenant'', true), '''')::uuid))',
        protected);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO bss_app, bss_worker', protected);
END $$;

CREATE TABLE tenant (
    tenant_id  uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- The list of tenants is needed before a tenant is known; it holds names of operators, nothing of theirs.
GRANT SELECT ON tenant TO bss_app, bss_worker;

-- Business time is real time plus an offset that only grows; where the mode is `real` it stays 0 for ever.
CREATE TABLE business_clock (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    mode      text NOT NULL CHECK (mode IN ('real', 'simulated')),
    offset_us bigint NOT NULL DEFAULT 0 CHECK (offset_us >= 0 AND (mode = 'simulated' OR offset_us = 0))
);
GRANT SELECT, UPDATE ON business_clock TO bss_app, bss_worker;

-- The answer to a call that may be sent again (scope: tenant, subject, route, key), stored with its effect.
CREATE TABLE idempotency_key (
    tenant_id    uuid NOT NULL,
    subject      text NOT NULL,
    route        text NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    status       smallint NOT NULL,
    body         jsonb NOT NULL,
    etag         text,
    -- Real time: a key is kept for 24 hours of it.
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, subject, route, key)
);
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);
SELECT bss_protect('idempotency_key');

-- The heads of the log: the last position taken, by topic and partition. A transaction takes its positions as
-- its last statement and holds the row to its commit, so positions appear in commit order, without holes.
CREATE TABLE log_partition (
    topic     smallint NOT NULL,
    partition smallint NOT NULL,
    head      bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 10);
INSERT INTO log_partition (topic, partition)
SELECT topic, partition FROM generate_series(1, 11) topic, generate_series(0, 63) partition;
GRANT SELECT, UPDATE ON log_partition TO bss_app, bss_worker;

-- Partitioned by day of recording, so that retention drops whole tables.
CREATE TABLE log_event (
    topic       smallint NOT NULL,
    partition   smallint NOT NULL,
    position    bigint NOT NULL,
    recorded_on date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    key         uuid NOT NULL,
    kind        text NOT NULL,
    source      text NOT NULL,
    subject     text,
    time        timestamptz NOT NULL,
    traceparent text,
    dataversion smallint NOT NULL,
    data        text NOT NULL,
    PRIMARY KEY (topic, partition, position, recorded_on)
) PARTITION BY RANGE (recorded_on);
CREATE TABLE log_event_default PARTITION OF log_event DEFAULT;
SELECT bss_protect('log_event');
SELECT bss_protect('log_event_default');
-- Workers read the log across tenants and write within one.
CREATE POLICY worker_reads ON log_event FOR SELECT TO bss_worker USING (true);
CREATE POLICY worker_reads ON log_event_default FOR SELECT TO bss_worker USING (true);

WITH wanted AS (
    SELECT * FROM unnest($1::smallint[], $2::smallint[], $3::bigint[]) AS w (topic, partition, n)
), held AS (
    SELECT p.topic, p.partition, p.head, w.n
    FROM log_partition p JOIN wanted w USING (topic, partition)
    ORDER BY p.topic, p.partition
    FOR UPDATE OF p
), moved AS (
    UPDATE log_partition p SET head = h.head + h.n
    FROM held h
    WHERE p.topic = h.topic AND p.partition = h.partition
    RETURNING p.topic, p.partition, h.head AS base
)
INSERT INTO log_event
    (topic, partition, position, events, tenant_id, id, key, kind, source, subject, time, traceparent, dataversion,
     data, batch)
SELECT e.topic, e.partition, m.base + e.ordinal, e.events, e.tenant_id, e.id, e.key, e.kind, e.source, e.subject,
       e.time, e.traceparent, e.dataversion, e.data, e.batch
FROM unnest($4::smallint[], $5::smallint[], $6::bigint[], $7::smallint[], $8::uuid[], $9::uuid[], $10::uuid[],
            $11::text[], $12::text[], $13::text[], $14::timestamptz[], $15::text[], $16::smallint[], $17::text[],
            $18::bytea[])
    AS e (topic, partition, ordinal, events, id, tenant_id, key, kind, source, subject, time, traceparent,
          dataversion, data, batch)
LEFT JOIN moved m USING (topic, partition)

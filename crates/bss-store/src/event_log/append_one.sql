WITH taken AS (
    UPDATE log_partition SET head = head + $3 WHERE topic = $1 AND partition = $2 RETURNING head - $3 AS base
)
INSERT INTO log_event
    (topic, partition, position, tenant_id, id, key, kind, source, subject, time, traceparent, dataversion, data)
SELECT $1, $2, (SELECT base FROM taken) + e.ordinal, e.tenant_id, e.id, e.key, e.kind, e.source, e.subject, e.time,
       e.traceparent, e.dataversion, e.data
FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::text[],
            $12::smallint[], $13::text[]) WITH ORDINALITY
    AS e (id, tenant_id, key, kind, source, subject, time, traceparent, dataversion, data, ordinal)

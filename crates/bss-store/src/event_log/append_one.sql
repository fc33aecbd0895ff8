WITH taken AS (
    UPDATE log_partition SET head = head + $3 WHERE topic = $1 AND partition = $2 RETURNING head - $3 AS base
)
INSERT INTO log_event
    (topic, partition, position, events, tenant_id, id, key, kind, source, subject, time, traceparent, dataversion,
     data, batch)
SELECT $1, $2, (SELECT base FROM taken) + e.ordinal, e.events, e.tenant_id, e.id, e.key, e.kind, e.source, e.subject,
       e.time, e.traceparent, e.dataversion, e.data, e.batch
FROM unnest($4::bigint[], $5::smallint[], $6::uuid[], $7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::text[],
            $12::timestamptz[], $13::text[], $14::smallint[], $15::text[], $16::bytea[])
    AS e (ordinal, events, id, tenant_id, key, kind, source, subject, time, traceparent, dataversion, data, batch)

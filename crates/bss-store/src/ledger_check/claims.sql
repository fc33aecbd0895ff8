-- No period that ended a day before the last finished run is open still, but behind a bill on hold, or one released since; claims of an account follow each other; obligations belong to a closing; and what the bills charge for usage is what
-- was rated of the records that the claims cover, with the corrections.
WITH run AS (SELECT max(as_of) AS as_of FROM bill_run WHERE state = 'done'),
next AS (SELECT a.slot, a.id, a.time_zone, a.cycle_day, coalesce(c.closed_through, a.created_at) AS since,
        (coalesce(c.closed_through, a.created_at) AT TIME ZONE a.time_zone)::date AS day
    FROM billing_account a LEFT JOIN LATERAL (SELECT max(u.closed_through) AS closed_through FROM usage_claim u
        WHERE u.tenant_id = a.tenant_id AND u.slot = a.slot AND u.account_id = a.id) c ON true),
-- The cycle's day in this month and the next, or the last day of a shorter month.
month AS (SELECT n.*, date_trunc('month', day)::date AS this, (date_trunc('month', day) + interval '1 month')::date AS next,
        (date_trunc('month', day) + interval '2 months')::date AS after FROM next n),
cut AS (SELECT m.*, this + (least(cycle_day, next - this) - 1)::integer AS here,
        next + (least(cycle_day, after - next) - 1)::integer AS there FROM month m),
due AS (SELECT slot, id, since, (CASE WHEN day >= here THEN there ELSE here END)::timestamp AT TIME ZONE time_zone AS ends
    FROM cut),
claim AS (SELECT account_id, slot, period_from, closed_through, watermark,
        lag(closed_through) OVER (PARTITION BY slot, account_id ORDER BY period_from) AS before,
        lag(watermark) OVER (PARTITION BY slot, account_id ORDER BY period_from) AS mark_before
    FROM usage_claim),
last AS (SELECT DISTINCT ON (slot, account_id) slot, account_id, closed_through, watermark
    FROM usage_claim ORDER BY slot, account_id, closed_through DESC),
rated AS (SELECT l.account_id, sum(r.amount_nano) AS nano
    FROM last l JOIN usage_record r ON r.slot = l.slot AND r.account_id = l.account_id
    WHERE r.provisional AND r.position <= l.watermark AND r.id < usage_id_from(l.closed_through) GROUP BY l.account_id),
corrected AS (SELECT u.account_id, sum(c.amount_nano) AS nano
    FROM usage_correction c JOIN usage_claim u ON (u.slot, u.bill_id) = (c.slot, c.bill_id) GROUP BY u.account_id),
billed AS (SELECT b.account_id, sum((usage ->> 'amount')::bigint) AS nano
    FROM customer_bill b CROSS JOIN LATERAL jsonb_array_elements(convert_from(b.inputs, 'UTF8')::jsonb -> 'usage') usage
    GROUP BY b.account_id)
SELECT format('account %s: its period that ended at %s is not closed', d.id, d.ends) FROM due d, run r
WHERE d.ends + interval '24 hours' <= r.as_of
    AND NOT EXISTS (SELECT 1 FROM customer_bill h WHERE h.slot = d.slot AND h.account_id = d.id
        AND (h.state = 'onHold' OR h.bill_date > r.as_of))
UNION ALL
SELECT format('account %s: the period from %s follows one that ended at %s', account_id, period_from, before) FROM claim
WHERE before IS NOT NULL AND (before <> period_from OR mark_before > watermark)
UNION ALL
SELECT format('obligation of product %s, charge %s from %s: no closing has the id %s', o.product_id, o.charge_id,
    o.period_from, o.bill_id)
FROM obligation o LEFT JOIN usage_claim u ON (u.slot, u.bill_id) = (o.slot, o.bill_id)
LEFT JOIN customer_bill b ON (b.slot, b.id) = (o.slot, o.bill_id) WHERE u.bill_id IS NULL AND b.id IS NULL
UNION ALL
SELECT format('account %s: usage of %s was rated and corrected by %s, and billed as %s (nano units)',
    coalesce(r.account_id, b.account_id), coalesce(r.nano, 0), coalesce(c.nano, 0), coalesce(b.nano, 0))
FROM rated r FULL JOIN billed b ON b.account_id = r.account_id
LEFT JOIN corrected c ON c.account_id = coalesce(r.account_id, b.account_id)
WHERE coalesce(r.nano, 0) + coalesce(c.nano, 0) <> coalesce(b.nano, 0)
LIMIT 1

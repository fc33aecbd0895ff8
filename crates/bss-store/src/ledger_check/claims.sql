-- Claims of an account follow each other; obligations belong to a closing; and what the bills charge for usage is what
-- was rated of the records that the claims cover, with the corrections.
WITH claim AS (SELECT account_id, slot, period_from, closed_through, watermark,
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

-- Of each account: open, overdue, credit, prepaid (nano units). A bill is overdue once its day has passed on the
-- business clock, which is real time and the offset.
SELECT a.id, coalesce(b.open_minor, 0)::bigint, coalesce(b.overdue_minor, 0)::bigint, coalesce(c.balance_minor, 0),
    p.balance_nano
FROM unnest($1::uuid[], $2::smallint[]) AS a (id, slot)
CROSS JOIN business_clock k
LEFT JOIN LATERAL (SELECT sum(open_minor) AS open_minor,
        sum(open_minor) FILTER (WHERE payment_due_date < now() + k.offset_us * interval '1 microsecond') AS overdue_minor
    FROM customer_bill WHERE slot = a.slot AND account_id = a.id AND open_minor > 0) b ON true
LEFT JOIN account_credit c ON c.slot = a.slot AND c.account_id = a.id
LEFT JOIN prepaid_balance p ON p.slot = a.slot AND p.account_id = a.id

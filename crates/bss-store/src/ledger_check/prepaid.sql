-- A balance is what top-ups brought less what charging took; the ledger's liability is what top-ups brought less what
-- was posted; and what was posted is all use, rounded once, with the tax in it.
WITH booked AS (SELECT e.slot, e.account_id,
        -coalesce(sum(l.amount_minor) FILTER (WHERE e.kind = 'topUp'), 0) AS filled,
        coalesce(sum(l.amount_minor) FILTER (WHERE e.kind = 'prepaidUse'), 0) AS posted
    FROM ledger_entry e JOIN ledger_line l ON (l.tenant_id, l.slot, l.entry_id) = (e.tenant_id, e.slot, e.id)
    WHERE l.account = 'prepaidLiability' GROUP BY 1, 2),
used AS (SELECT slot, account_id, sum(used_nano) AS nano, sum(posted_minor) AS posted
    FROM prepaid_use GROUP BY 1, 2),
taxed AS (SELECT e.slot, e.account_id, -sum(l.amount_minor) AS tax
    FROM ledger_entry e JOIN ledger_line l ON (l.tenant_id, l.slot, l.entry_id) = (e.tenant_id, e.slot, e.id)
    WHERE e.kind = 'prepaidUse' AND l.account = 'taxPayable' GROUP BY 1, 2),
tax_due AS (SELECT slot, account_id, sum(posted_tax_minor) AS tax FROM prepaid_use GROUP BY 1, 2)
SELECT format('allowance %s: %s used and %s reserved of %s', id, used, reserved, granted) FROM bucket
WHERE used + reserved > granted
UNION ALL
SELECT format('account %s: balance %s below %s', account_id, balance_nano, limit_nano)
FROM prepaid_balance WHERE balance_nano < limit_nano
UNION ALL
SELECT format('account %s: balance %s, but %s topped up and %s used (nano units)', p.account_id, p.balance_nano,
    coalesce(b.filled, 0) * bss_nano_per_minor(p.currency), coalesce(u.nano, 0))
FROM prepaid_balance p LEFT JOIN booked b USING (slot, account_id) LEFT JOIN used u USING (slot, account_id)
WHERE p.balance_nano <> coalesce(b.filled, 0) * bss_nano_per_minor(p.currency) - coalesce(u.nano, 0)
UNION ALL
SELECT format('account %s: prepaid use of %s was posted, the ledger has %s', account_id, coalesce(u.posted, 0),
    coalesce(b.posted, 0))
FROM used u FULL JOIN booked b USING (slot, account_id) WHERE coalesce(u.posted, 0) <> coalesce(b.posted, 0)
UNION ALL
SELECT format('account %s: the tax in prepaid use is %s, the ledger has %s', account_id, coalesce(d.tax, 0),
    coalesce(t.tax, 0))
FROM tax_due d FULL JOIN taxed t USING (slot, account_id) WHERE coalesce(d.tax, 0) <> coalesce(t.tax, 0)
UNION ALL
SELECT format('account %s: %s was used, %s posted', account_id, sum(used_nano), sum(posted_minor)) FROM prepaid_use
GROUP BY slot, account_id, currency
HAVING bool_and(is_posted) AND sum(posted_minor) <> round(sum(used_nano)::numeric / bss_nano_per_minor(currency))
LIMIT 1

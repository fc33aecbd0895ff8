-- The ledger's receivable is what is open of the bills, and its customer credit the balance that accounts have; what is
-- not open of a bill was paid for by allocations; what payments have left is credit of their account.
WITH booked AS (SELECT e.account_id,
        coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 'receivable'), 0) AS receivable,
        coalesce(-sum(l.amount_minor) FILTER (WHERE l.account = 'customerCredit'), 0) AS credit
    FROM ledger_entry e JOIN ledger_line l ON (l.tenant_id, l.slot, l.entry_id) = (e.tenant_id, e.slot, e.id)
    GROUP BY e.account_id),
open AS (SELECT account_id, sum(open_minor) AS open FROM customer_bill GROUP BY account_id),
paid AS (SELECT slot, bill_id, sum(amount_minor) AS minor FROM allocation GROUP BY 1, 2),
rest AS (SELECT slot, account_id, sum(unallocated_minor) AS minor FROM payment GROUP BY 1, 2)
SELECT format('account %s: receivable %s against %s open, credit %s against %s', coalesce(b.account_id,
    o.account_id, c.account_id), coalesce(b.receivable, 0), coalesce(o.open, 0), coalesce(b.credit, 0),
    coalesce(c.balance_minor, 0))
FROM booked b FULL JOIN open o ON o.account_id = b.account_id
FULL JOIN account_credit c ON c.account_id = coalesce(b.account_id, o.account_id)
WHERE coalesce(b.receivable, 0) <> coalesce(o.open, 0) OR coalesce(b.credit, 0) <> coalesce(c.balance_minor, 0)
UNION ALL
SELECT format('bill %s: %s of %s is open, %s was paid', b.id, b.open_minor, b.total_minor, coalesce(p.minor, 0))
FROM customer_bill b LEFT JOIN paid p ON (p.slot, p.bill_id) = (b.slot, b.id)
WHERE b.state <> 'onHold' AND greatest(b.total_minor, 0) - b.open_minor <> coalesce(p.minor, 0)
UNION ALL
SELECT format('account %s: payments left %s, its credit is %s', r.account_id, r.minor, coalesce(c.balance_minor, 0))
FROM rest r LEFT JOIN account_credit c USING (slot, account_id) WHERE r.minor > coalesce(c.balance_minor, 0)
LIMIT 1

INSERT INTO customer_bill (tenant_id, revision, created_at, updated_at, updated_by, series, slot, id, body, state,
    category, number, bill_no, run_id, account_id, customer_id, currency, bill_date, payment_due_date, period_from,
    period_to, net_minor, tax_minor, total_minor, credit_applied_minor, due_minor, open_minor, rules_version, inputs,
    computed)
SELECT $1, 1, $2, $2, $3, $4, b.slot, b.id, b.body, b.state, b.category, b.number, b.bill_no, b.run_id, b.account_id,
    b.customer_id, b.currency, b.bill_date, b.payment_due_date, b.period_from, b.period_to, b.net_minor, b.tax_minor,
    b.total_minor, b.credit_applied_minor, b.due_minor, b.due_minor, b.rules_version, b.inputs, b.computed
FROM unnest($5::smallint[], $6::uuid[], $7::jsonb[], $8::text[], $9::text[], $10::bigint[], $11::text[], $12::uuid[],
    $13::uuid[], $14::uuid[], $15::text[], $16::timestamptz[], $17::timestamptz[], $18::timestamptz[],
    $19::timestamptz[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[], $25::integer[],
    $26::bytea[], $27::bytea[])
    AS b (slot, id, body, state, category, number, bill_no, run_id, account_id, customer_id, currency, bill_date,
        payment_due_date, period_from, period_to, net_minor, tax_minor, total_minor, credit_applied_minor, due_minor,
        rules_version, inputs, computed)

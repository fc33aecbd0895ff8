SELECT 'ProductOrder', id FROM product_order WHERE slot = $1 AND id = $2
UNION ALL
SELECT 'ProductOrder', product_order_id FROM service_order WHERE slot = $1 AND id = $2
UNION ALL
SELECT 'ProductOrder', product_order_id FROM activation WHERE slot = $1 AND id = $2
UNION ALL
SELECT 'Product', id FROM product WHERE slot = $1 AND id = $2
UNION ALL
SELECT 'Product', product_id FROM service WHERE slot = $1 AND id = $2
UNION ALL
SELECT 'Usage', id FROM usage_record WHERE slot = $1 AND id = $2
UNION ALL
SELECT 'CustomerBill', id FROM customer_bill WHERE slot = $1 AND id = $2
UNION ALL
SELECT 'CustomerBill', bill_id FROM applied_customer_billing_rate WHERE slot = $1 AND id = $2
UNION ALL
SELECT 'Payment', id FROM payment WHERE slot = $1 AND id = $2
UNION ALL
SELECT CASE WHEN p.id IS NULL THEN 'CustomerBill' ELSE 'Payment' END, e.cause
FROM ledger_entry e LEFT JOIN payment p ON (p.tenant_id, p.slot, p.id) = (e.tenant_id, e.slot, e.cause)
WHERE e.slot = $1 AND e.id = $2
LIMIT 1

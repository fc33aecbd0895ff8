-- no-transaction
CREATE INDEX CONCURRENTLY customer_bill_on_hold ON customer_bill (tenant_id, slot, account_id) WHERE state = 'onHold';

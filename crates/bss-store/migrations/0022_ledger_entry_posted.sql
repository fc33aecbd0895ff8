-- The latest entries by their moment. It began with the tenant, and while nothing was known of the table's contents
-- the check that a line has its entry read all entries of the tenant by it, for every line.
DROP INDEX ledger_entry_posted;
CREATE INDEX ledger_entry_posted ON ledger_entry (posted_at, tenant_id);
